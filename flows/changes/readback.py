"""Reads from Twilio that resolve a change: one object by its SID, or all of an account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.utils.text import capfirst

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.availability import restrictions
from flows.mirror import flow_reads, live
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.twilio.errors import FlexError, NotSent
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource

T = TypeVar("T")


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
        self._listings: dict[tuple[str, str, str], Sequence[Redacted]] = {}
        self._refusals: dict[tuple[str, ...], ReadUnavailable] = {}

    def fetch(
        self, resource: Resource, sid: str, account_sid: str, parent_sid: str = ""
    ) -> Redacted | None:
        """Return the object, or None if it is deleted. Raise `ReadUnavailable` or `FlexError`."""
        _require_parent(resource, parent_sid)
        try:
            return self._read(
                resource,
                "fetch",
                (account_sid, parent_sid),
                lambda: _fetch_masked(resource, sid, account_sid, parent_sid),
            )
        except ReadUnavailable as refusal:
            if not flow_reads.is_not_found(refusal.error):
                raise
            # If Twilio refuses to list objects as well, a 404 doesn't mean that it is deleted.
            if live.find_restriction(resource, account_sid, "list") is not None:
                raise
            return None

    def fetch_by_key(self, resource: Resource, key: str, account_sid: str) -> Redacted | None:
        """Return the object with this key, or None if Twilio finds none.

        Raise `ReadUnavailable` or `FlexError`.
        """
        try:
            return self._read(
                resource,
                "fetch",
                (account_sid, ""),
                lambda: redact_snapshot(
                    live.fetch_by_key(
                        resource, key, account_sid=account_sid, deadline=READ_DEADLINE
                    )
                ),
            )
        except ReadUnavailable as refusal:
            if not flow_reads.is_not_found(refusal.error):
                raise
            return None

    def list(
        self, resource: Resource, account_sid: str, parent_sid: str = ""
    ) -> Sequence[Redacted]:
        """Return all objects of the account, or of their parent.

        Raise `ReadUnavailable` or `FlexError`.
        """
        _require_parent(resource, parent_sid)
        key = (resource.name, account_sid, parent_sid)
        if key not in self._listings:
            self._listings[key] = self._read(
                resource,
                "list",
                (account_sid, parent_sid),
                lambda: live.list_masked(resource, account_sid, parent_sid),
            )
        return self._listings[key]

    def _read(
        self, resource: Resource, operation: str, place: tuple[str, str], read: Callable[[], T]
    ) -> T:
        """Return what `read` returns. `place` is the account, and the parent or ""."""
        key = (resource.name, *place, operation)
        account_sid, _ = place
        earlier_refusal = self._refusals.get(key)
        if earlier_refusal:
            raise earlier_refusal
        _require_credentials(account_sid)
        try:
            return read()
        except FlexError as error:
            if not is_refusal(error):
                raise
            refusal = ReadUnavailable(_refusal_message(resource, operation, error), error)
            if restrictions.is_endpoint_gone(operation, error):
                self._refusals[key] = refusal
            raise refusal from error


def _require_credentials(account_sid: str) -> None:
    configured_sids = [account.sid for account in twilio_accounts.all_accounts()]
    if account_sid not in configured_sids:
        problem = f"this site has no credentials for the account {account_sid}"
        raise ReadUnavailable(f"{capfirst(problem)}.", NotSent(problem))


def _require_parent(resource: Resource, parent_sid: str) -> None:
    """Raise `ReadUnavailable` if the object's place at Twilio was erased from the log."""
    if resource.parent is not None and not parent_sid:
        problem = f"the log no longer has the {resource.parent.noun} of this {resource.noun}"
        raise ReadUnavailable(f"{capfirst(problem)}.", NotSent(problem))


def is_refusal(error: FlexError) -> bool:
    """Return True for a refusal of a read that a second try would get too."""
    if error.status is None:
        return False
    return 400 <= error.status < 500 and error.status not in (408, 429)


def _fetch_masked(resource: Resource, sid: str, account_sid: str, parent_sid: str) -> Redacted:
    snapshot = live.fetch(
        resource, sid, account_sid=account_sid, parent_sid=parent_sid, deadline=READ_DEADLINE
    )
    return redact_snapshot(snapshot)


def _refusal_message(resource: Resource, operation: str, error: FlexError) -> str:
    read = f"show the {resource.noun}" if operation == "fetch" else f"list {resource.noun_plural}"
    status = restrictions.describe_status(error.status, error.code)
    return f"Twilio refuses to {read} ({status})."
