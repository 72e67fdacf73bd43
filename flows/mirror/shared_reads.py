"""One reading of a flow for all who open its page at the same moment.

Twilio shows two flows a second. Those who ask while a reading of the same flow is under way wait for it
together, and leave the other turns to those who change something. A reading that began before the log's
latest event is not joined: it could show the flow as it was before a change that is already confirmed.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from flows.accounts.clients import READ_DEADLINE
from flows.audit import audit_log
from flows.mirror import mirror
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.flex.flex_flow import Snapshot

JOIN_TIMEOUT: Final = (
    READ_DEADLINE + 1.0
)  # seconds; what a reading takes beyond its deadline is the database's time

_lock = threading.Lock()
_in_flight: dict[str, _SharedRead] = {}


@dataclass(frozen=True, slots=True, eq=False)
class _SharedRead:
    """A reading that began when the log ended at `seq`."""

    seq: int
    result: Future[Snapshot] = field(default_factory=Future)


def fetch_shared(sid: str, *, account_sid: str) -> Snapshot:
    """The flow as it is at Twilio now, secrets and all, for a page that only shows it. Raises as `mirror.fetch` does."""
    seq = audit_log.last_seq()
    with _lock:
        reading = _in_flight.get(sid)
        is_first = reading is None or reading.seq != seq
        if reading is None or is_first:
            reading = _in_flight[sid] = _SharedRead(seq)
    return (
        _fetch_and_share(sid, account_sid, reading)
        if is_first
        else _await_result(sid, account_sid, reading)
    )


def _fetch_and_share(sid: str, account_sid: str, reading: _SharedRead) -> Snapshot:
    try:
        snapshot = mirror.fetch(sid, account_sid=account_sid)
    except BaseException as error:
        reading.result.set_exception(error)
        raise
    else:
        reading.result.set_result(snapshot)
        return snapshot
    finally:
        with _lock:
            if _in_flight.get(sid) is reading:
                del _in_flight[sid]


def _await_result(sid: str, account_sid: str, reading: _SharedRead) -> Snapshot:
    try:
        error = reading.result.exception(timeout=JOIN_TIMEOUT)
    except TimeoutError:
        raise OutcomeUnknown("Twilio did not answer in time") from None
    if isinstance(error, FlexError):
        raise error
    # What broke on this site's side may have been that request's own.
    return mirror.fetch(sid, account_sid=account_sid) if error else dict(reading.result.result())
