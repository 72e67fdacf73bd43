"""Reading back from Twilio what tells whether a change was applied: a flow by its SID, or all flows of an
account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flows.accounts import twilio_accounts
from flows.availability import restrictions
from flows.mirror import mirror
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.errors import FlexError, NotSent
from flows.twilio.flex.flex_flow import Snapshot
from flows.twilio.pickling import PicklableError

T = TypeVar("T")
_READ_LABELS = {"fetch": "show the flow", "list": "list flows"}


class ReadUnavailable(PicklableError):
    """Twilio refuses to show what would tell, or this site can't ask for it any more."""

    def __init__(self, reason: str, error: FlexError) -> None:
        super().__init__(reason)
        self.error = error


class Readback:
    """The reads that resolve some changes. A listing is read once. What Twilio refuses as a kind of call is
    not asked for a second time."""

    def __init__(self) -> None:
        self._listings: dict[str, list[Snapshot]] = {}
        self._refusals: dict[tuple[str, str], ReadUnavailable] = {}

    def flow(self, sid: str, account_sid: str) -> Snapshot | None:
        """The flow, None if it is gone. Raises `Unreadable` and `FlexError`."""
        try:
            return self._read("fetch", account_sid, lambda: _fetch_masked(sid, account_sid))
        except ReadUnavailable as refusal:
            # Where Twilio does not even list any more, a flow's 404 says nothing about the flow.
            if (
                mirror.is_not_found(refusal.error)
                and restrictions.account_availability(account_sid).why("list") is None
            ):
                return None
            raise

    def listing(self, account_sid: str) -> list[Snapshot]:
        """All flows of the account. Raises `Unreadable` and `FlexError`."""
        if account_sid not in self._listings:
            listing = self._read("list", account_sid, lambda: mirror.fetch_all(account_sid))
            self._listings[account_sid] = listing
        return self._listings[account_sid]

    def _read(self, kind: str, account_sid: str, read: Callable[[], T]) -> T:
        if refusal := self._refusals.get((account_sid, kind)):
            raise refusal
        if all(account.sid != account_sid for account in twilio_accounts.all_accounts()):
            missing = f"his site has no credentials for the account {account_sid}"
            raise ReadUnavailable(f"T{missing}.", NotSent(f"t{missing}"))
        try:
            return read()
        except FlexError as error:
            if not is_refusal(error):
                raise
            refusal = ReadUnavailable(_refusal_message(kind, error), error)
            if restrictions.is_endpoint_gone(kind, error):
                self._refusals[account_sid, kind] = refusal
            raise refusal from error


def is_refusal(error: FlexError) -> bool:
    """Return whether Twilio answered a read with a no that a second try would get too."""
    return error.status is not None and 400 <= error.status < 500 and error.status not in (408, 429)


def _fetch_masked(sid: str, account_sid: str) -> Snapshot:
    return redact(replace_unstorable(mirror.fetch(sid, account_sid=account_sid)))  # type: ignore[no-any-return]


def _refusal_message(kind: str, error: FlexError) -> str:
    code = f", code {error.code}" if error.code else ""
    return f"Twilio refuses to {_READ_LABELS[kind]} (status {error.status}{code})."
