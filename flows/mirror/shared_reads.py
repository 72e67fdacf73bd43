"""One read of a flow for all requests that open its page at the same moment.

Twilio allows two reads of flows a second. Requests that arrive during a read of the same flow wait
for its result, which leaves the rate to changes. A read that began before the log's latest event is
not shared: it could show the flow as it was before a confirmed change.
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
from flows.twilio.resource import Snapshot

JOIN_TIMEOUT: Final = READ_DEADLINE + 1.0  # seconds; the last one is for storing the result

_lock = threading.Lock()
_in_flight: dict[str, _SharedRead] = {}


@dataclass(frozen=True, slots=True, eq=False)
class _SharedRead:
    """A read that began when `seq` was the log's last event."""

    seq: int
    result: Future[Snapshot] = field(default_factory=Future)


def fetch_shared(sid: str, *, account_sid: str) -> Snapshot:
    """Return a flow as Twilio has it now, unmasked, for a page that only shows it.

    Raise the errors of `mirror.fetch`.
    """
    own_read = _SharedRead(audit_log.last_seq())
    with _lock:
        read = _in_flight.get(sid)
        if read is None or read.seq != own_read.seq:
            read = _in_flight[sid] = own_read
    if read is own_read:
        return _fetch_and_share(sid, account_sid, own_read)
    return _await_result(sid, account_sid, read)


def _fetch_and_share(sid: str, account_sid: str, read: _SharedRead) -> Snapshot:
    try:
        snapshot = mirror.fetch(sid, account_sid=account_sid)
    except BaseException as error:
        read.result.set_exception(error)
        raise
    else:
        read.result.set_result(snapshot)
        return snapshot
    finally:
        with _lock:
            if _in_flight.get(sid) is read:
                del _in_flight[sid]


def _await_result(sid: str, account_sid: str, read: _SharedRead) -> Snapshot:
    try:
        error = read.result.exception(timeout=JOIN_TIMEOUT)
    except TimeoutError:
        raise OutcomeUnknown("Twilio did not answer in time") from None
    if isinstance(error, FlexError):
        raise error
    if error:
        # An error of this site may concern the other request only.
        return mirror.fetch(sid, account_sid=account_sid)
    return Snapshot(dict(read.result.result()))
