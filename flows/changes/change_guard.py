"""The one guard that every change passes, whichever page, plan or command makes it.

Policies are in an upper package, which registers its guard here (flows/apps.py). `ChangeAttempt` asks
it under the log's lock, in the transaction that would record the attempt. Without a registered guard,
nothing is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.availability.restrictions import OperationUnavailable, Restriction
from flows.redaction.redacted import redact_snapshot
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource

POLICY: Final = "policy"  # the kind of a restriction that a policy makes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """A change that is about to be sent.

    `before` is the object as it was just read, None for a creation. `requested` has the values to
    send, None for a deletion. Both are unmasked.
    """

    resource: Resource
    operation: str
    account_sid: str
    sid: str
    parent_sid: str
    before: Mapping[str, Any] | None
    requested: Mapping[str, Any] | None
    reason: str
    actor: Actor
    change_id: uuid.UUID
    refers_to: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """A change of one flow in a bulk change, with its values masked."""

    account_sid: str
    operation: str
    before: Mapping[str, Any]
    requested: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDecision:
    """The decision about a bulk change.

    `refusal` is the reason why it can't be started, or "". `can_request` is True if a change request
    can be made of it. `request_url` is the address of the request that it has.
    """

    refusal: str = ""
    can_request: bool = False
    request_url: str = ""
    is_request_open: bool = False


class RequestRequired(OperationUnavailable):
    """The policy of the account takes a change request for this change. Nothing was sent."""

    def __init__(self, sentence: str, change: ProposedChange) -> None:
        super().__init__(Restriction(POLICY, sentence))
        self.change = change


class RequestChosen(RequestRequired):
    """The user wants a change request instead of sending this change now. Nothing was sent."""

    def __init__(self, change: ProposedChange) -> None:
        super().__init__("Send it from here, or choose a time for it.", change)


class AlreadyRequested(PicklableError):
    """The form, or the Idempotency-Key, made another change request before. Nothing was sent.

    `url` is that of the request, or "" if it is about another object or of another user.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class SecretInRequest(PicklableError):
    """The change has a new secret, which a change request must not store. Nothing was sent."""

    def __init__(self, labels: str) -> None:
        super().__init__(labels)
        self.labels = labels


class ChangeGuard(Protocol):
    """What the policies of accounts decide about changes."""

    def check(self, change: ProposedChange, /) -> None:
        """Raise `OperationUnavailable`, or its subclass `RequestRequired`, unless it may be sent."""

    def requires_reason(self, account_sid: str, /) -> bool:
        """Return True if the changes of an account need a reason."""

    def requires_approvals(self, account_sid: str, /) -> bool:
        """Return True if changes of some kinds need approval in an account."""

    def is_told_to_no_one(self, account_sid: str, /, user: Any) -> bool:
        """Return True if no other approver gets an e-mail about what the user does without approval."""

    def judge_bulk(self, plan_id: uuid.UUID, changes: Iterable[BulkItem], /) -> BulkDecision:
        """Return whether the changes of a bulk change can be sent now, or requested."""

    def check_bulk_start(self, plan_id: uuid.UUID, /) -> None:
        """Raise `OperationUnavailable` for a bulk change that only its change request starts."""

    def submit_bulk(self, plan_id: uuid.UUID, /, *, reason: str, actor: Actor) -> str:
        """Store the change request of a bulk change and return the address of its page.

        Raises `OperationUnavailable` or `NotRecorded`.
        """

    def series_refusal(self, account_sid: str, /, flows: int) -> str:
        """Return why a series of different changes, such as migrations, can't begin, or "".

        `flows` is the number of flows that are to be changed at once.
        """

    def submit(self, change: ProposedChange, /) -> str:
        """Store a change request and return the address of its page.

        Raises `AlreadyRequested`, `SecretInRequest` or `NotRecorded`.
        """


class NoGuard(OperationUnavailable):
    """No guard is registered. Nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Restriction(POLICY, "The policies of the accounts can't be checked."))


_guard: list[ChangeGuard] = []
_is_request_chosen: ContextVar[bool] = ContextVar("is_request_chosen", default=False)


def register(guard: ChangeGuard) -> None:
    """Use this guard."""
    _guard[:] = [guard]


def guard() -> ChangeGuard:
    """Return the registered guard. Raise `NoGuard` without one."""
    if not _guard:
        raise NoGuard
    return _guard[0]


@contextmanager
def choose_request() -> Iterator[None]:
    """Let every change of the block raise `RequestChosen` instead of being sent."""
    token = _is_request_chosen.set(True)
    try:
        yield
    finally:
        _is_request_chosen.reset(token)


def check(change: ProposedChange) -> None:
    """Raise `OperationUnavailable`, or its subclass `RequestRequired`, unless it may be sent."""
    guard().check(change)
    if _is_request_chosen.get():
        raise RequestChosen(change)


def why_requested(change: ProposedChange) -> str:
    """Return why a change would become a change request if it was sent now, or ""."""
    try:
        guard().check(change)
    except RequestRequired as required:
        return required.restriction.sentence
    except OperationUnavailable:
        pass  # said when it is sent
    return ""


def missing_reason(account_sids: Iterable[str], reason: str) -> str:
    """Return the error of a form without the reason that a policy requires, or ""."""
    if reason.strip() or not any(guard().requires_reason(sid) for sid in set(account_sids)):
        return ""
    return "Enter a reason. The policy of this account requires one."


def log_denial(required: RequestRequired) -> None:
    """Append the denial of a change that can't become a request, such as one of a bulk change."""
    change = required.change
    latest_state = change.before or change.requested or {}
    audit_log.append(
        action=change.resource.action(change.operation),
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=change.actor,
        account_sid=change.account_sid,
        target_sid=change.sid,
        changed_fields=sorted(change.requested or {}),
        reason=change.reason,
        payload=Payload(
            friendly_name=change.resource.name_of(latest_state),
            contact_identity=change.resource.identity_of(latest_state),
            before=redact_snapshot(change.before),
            requested=redact_snapshot(change.requested),
            message=required.restriction.sentence,
        ),
    )
