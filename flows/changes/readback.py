"""Reads from Twilio that resolve a change: one flow by its SID, or all flows of an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flows.accounts import twilio_accounts
from flows.availability import restrictions
from flows.mirror import mirror
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.errors import FlexError, NotSent
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Snapshot

T = TypeVar("T")
_READ_LABELS = {"fetch": "show the flow", "list": "list flows"}


class ReadUnavailable(PicklableError):
    """Twilio refuses a read that would tell, or this site has no credentials to ask for it."""

    def __init__(self, reason: str, error: FlexError) -> None:
        super().__init__(reason)
        self.error = error


class Readback:
    """The reads of one reconciliation.

    Each account is listed once. An operation that Twilio refuses for the whole account is not
    called a second time.
    """

    def __init__(self) -> None:
        self._listings: dict[str, list[Snapshot]] = {}
        self._refusals: dict[tuple[str, str], ReadUnavailable] = {}

    def flow(self, sid: str, account_sid: str) -> Snapshot | None:
        """Return the flow, or None if it is deleted. Raise `ReadUnavailable` or `FlexError`."""
        try:
            return self._read("fetch", account_sid, lambda: _fetch_masked(sid, account_sid))
        except ReadUnavailable as refusal:
            # If Twilio refuses to list flows as well, a 404 doesn't mean that the flow is deleted.
            if (
                mirror.is_not_found(refusal.error)
                and restrictions.account_availability(account_sid).restriction_of("list") is None
            ):
                return None
            raise

    def listing(self, account_sid: str) -> list[Snapshot]:
        """Return all flows of the account. Raise `ReadUnavailable` or `FlexError`."""
        if account_sid not in self._listings:
            listing = self._read("list", account_sid, lambda: mirror.fetch_all(account_sid))
            self._listings[account_sid] = listing
        return self._listings[account_sid]

    def _read(self, operation: str, account_sid: str, read: Callable[[], T]) -> T:
        earlier_refusal = self._refusals.get((account_sid, operation))
        if earlier_refusal:
            raise earlier_refusal
        if all(account.sid != account_sid for account in twilio_accounts.all_accounts()):
            reason = f"This site has no credentials for the account {account_sid}"
            raise ReadUnavailable(f"{reason}.", NotSent(reason[0].lower() + reason[1:]))
        try:
            return read()
        except FlexError as error:
            if not is_refusal(error):
                raise
            refusal = ReadUnavailable(_refusal_message(operation, error), error)
            if restrictions.is_endpoint_gone(operation, error):
                self._refusals[account_sid, operation] = refusal
            raise refusal from error


def is_refusal(error: FlexError) -> bool:
    """Return True for a refusal of a read that a second try would get too."""
    if error.status is None:
        return False
    return 400 <= error.status < 500 and error.status not in (408, 429)


def _fetch_masked(sid: str, account_sid: str) -> Snapshot:
    return redact(replace_unstorable(mirror.fetch(sid, account_sid=account_sid)))  # type: ignore[no-any-return]


def _refusal_message(operation: str, error: FlexError) -> str:
    code = f", code {error.code}" if error.code else ""
    return f"Twilio refuses to {_READ_LABELS[operation]} (status {error.status}{code})."
