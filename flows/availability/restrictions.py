"""What can't be done just now, whoever asks: a kind of call that Twilio has ended, and changes while an account (or the
site) is read-only. Twilio's answers open and close it; a person can close changes, and let Twilio be asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.db import Error, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.availability.models import Closure
from flows.core.database import close_lost_connection, short_lock_timeout
from flows.redaction.masking import redact_note, replace_unstorable
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.pickling import PicklableError

log = logging.getLogger(__name__)

READ_ONLY: Final = "change"  # the kind that a person closes
NO_CREDENTIALS: Final = "account"  # everything, in an account that the site has no credentials for
CHANGE_OPERATIONS: Final = ("create", "update", "delete")
# The calls that each change makes: a flow is read before it is changed or deleted.
REQUIRED_CALLS: Final = {
    "create": ("create",),
    "update": ("fetch", "update"),
    "delete": ("fetch", "delete"),
}
COLLECTION_CALLS: Final = frozenset({"list", "create"})  # a 404 of these is about no flow
GONE_CODE: Final = 20410  # Twilio's code for what is gone for good
SET_READ_ONLY, LIFT_READ_ONLY, RETRY_ENDPOINTS = (
    "account.close",
    "account.reopen",
    "account.ask_again",
)
REFUSAL_ADVICE: Final = (
    "Programmable Chat for Flex, which Flex Flows are part of, ended on 1 June 2026. The API key may also lack permission, "
    "or FLEX_API_URL may be wrong. You can still view and export cached flows."
)
_CALL_PHRASES: Final = {
    "list": "list flows", "fetch": "show a flow", "create": "create flows", "update": "change flows",
    "delete": "delete flows",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restriction:
    """Why something can't be done, in a sentence. `by_twilio`: what it answered; else a person or the settings."""

    kind: str
    sentence: str
    by_twilio: bool = False
    closure: Closure | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """What is closed, of one account (the site's own among it)."""

    closed: dict[str, Restriction] = field(default_factory=dict)

    def why(self, kind: str) -> Restriction | None:
        """Why this call, or a change with all the calls that it takes, can't be made; None if it can."""
        if kind in CHANGE_OPERATIONS and READ_ONLY in self.closed:
            return self.closed[READ_ONLY]
        return next(
            (
                self.closed[call]
                for call in REQUIRED_CALLS.get(kind, (kind,))
                if call in self.closed
            ),
            None,
        )

    @property
    def is_read_only(self) -> bool:
        return READ_ONLY in self.closed

    @property
    def by_twilio(self) -> list[Restriction]:
        """What Twilio refuses, in the order of a flow's life."""
        return [self.closed[kind] for kind in _CALL_PHRASES if kind in self.closed]


class OperationUnavailable(PicklableError):
    """This can't be done now; nothing was sent."""

    def __init__(self, why: Restriction) -> None:
        super().__init__(why.sentence)
        self.why = why


def availability_by_account() -> dict[str, Availability]:
    """The state of each account that the site has or that something is closed of, in one query."""
    rows = list(Closure.objects.order_by("since"))
    sids = [account.sid for account in twilio_accounts.all_accounts()] + [
        row.account_sid for row in rows if row.account_sid
    ]
    return {
        sid: _build_availability(sid, [row for row in rows if row.account_sid in ("", sid)])
        for sid in sids
    }


def account_availability(account_sid: str) -> Availability:
    """The state of one account."""
    rows = Closure.objects.filter(account_sid__in=["", account_sid]).order_by("since")
    return _build_availability(account_sid, list(rows))


def find_restriction(account_sid: str, kind: str) -> Restriction | None:
    """The reason that no page offers this call or change, None if it does: what `State.why` says, or that the
    site has no credentials for the account any more."""
    if account_sid and all(
        account.sid != account_sid for account in twilio_accounts.all_accounts()
    ):
        said = f"This site has no credentials for the account {account_sid}, so its flows are view-only."
        return Restriction(NO_CREDENTIALS, said)
    return account_availability(account_sid).why(kind)


def record_response(
    account_sid: str,
    kind: str,
    error: FlexError | None,
    *,
    is_misaddressed: Callable[[], bool] = lambda: False,
) -> None:
    """Takes note of what Twilio's answer to a call says about all calls of its kind. That it can't be written down
    must not hide the answer itself."""
    try:
        with short_lock_timeout():
            said_before = Closure.objects.filter(account_sid=account_sid, kind=kind)
            if error is None:
                if said_before.exists():  # to look is free; on SQLite, to delete nothing is a write
                    said_before.delete()
            elif is_endpoint_gone(kind, error) and not is_misaddressed():
                said = {"status": error.status, "code": error.code, "since": timezone.now()}
                with transaction.atomic():
                    Closure.objects.get_or_create(account_sid=account_sid, kind=kind, defaults=said)
    except (Error, IntegrityError) as failure:
        close_lost_connection()
        log.error("couldn't store what Twilio refuses: %s", type(failure).__name__)


def is_endpoint_gone(kind: str, error: FlexError) -> bool:
    """Whether this refusal is about the kind of call, and not about what it asked for."""
    is_ended = error.status == 410 and (
        isinstance(error, RequestRefused) or kind not in CHANGE_OPERATIONS
    )
    if (
        error.code == GONE_CODE or is_ended
    ):  # a gateway's own 410 may stop no writes: no success could lift it
        return True
    return isinstance(error, RequestRefused) and error.status in (
        (403, 404) if kind in COLLECTION_CALLS else (403,)
    )


def set_read_only(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Makes an account (or, with an empty SID, the site) read-only, on record; False if it was. Raises
    `NotRecorded`."""

    def act() -> None:
        _, is_new = Closure.objects.get_or_create(
            account_sid=account_sid,
            kind=READ_ONLY,
            defaults={
                "since": timezone.now(),
                "said_by": actor.label[:150],
                "reason": redact_note(replace_unstorable(reason))[:200],
            },
        )
        if not is_new:
            raise _NothingChanged

    return _apply_and_log(SET_READ_ONLY, account_sid, reason, actor, act)


def lift_read_only(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Ends what `close` began; False if nothing was closed. Raises `NotRecorded`."""
    return _delete_closures(LIFT_READ_ONLY, account_sid, Q(kind=READ_ONLY), reason, actor)


def retry_endpoints(*, account_sid: str, actor: Actor) -> bool:
    """Forgets what Twilio refused, so that the next call tells anew. Raises `NotRecorded`."""
    return _delete_closures(RETRY_ENDPOINTS, account_sid, ~Q(kind=READ_ONLY), "", actor)


class _NothingChanged(Exception):
    """There is nothing to do."""


def _delete_closures(action: str, account_sid: str, which: Q, reason: str, actor: Actor) -> bool:
    def act() -> None:
        if not Closure.objects.filter(which, account_sid=account_sid).delete()[0]:
            raise _NothingChanged

    return _apply_and_log(action, account_sid, reason, actor, act)


def _apply_and_log(
    action: str, account_sid: str, reason: str, actor: Actor, act: Callable[[], None]
) -> bool:
    """Does it in the transaction of the event that tells of it: both or neither."""

    def done() -> Payload:
        act()
        return Payload(requested={"of": account_sid or "the whole site"})

    try:
        audit_log.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid=account_sid,
            reason=reason,
            payload=done,
        )
    except _NothingChanged:
        return False
    return True


def _build_availability(account_sid: str, rows: list[Closure]) -> Availability:
    closed: dict[str, Restriction] = {}
    for row in rows:
        closed[row.kind] = Restriction(
            row.kind, _describe_closure(row), by_twilio=row.kind != READ_ONLY, closure=row
        )
    if any(
        account.sid == account_sid and account.is_read_only
        for account in twilio_accounts.all_accounts()
    ):
        closed[READ_ONLY] = Restriction(READ_ONLY, "Read-only by configuration (READ_ONLY).")
    return Availability(closed)


def _describe_closure(row: Closure) -> str:
    if row.kind == READ_ONLY:
        what = "This account" if row.account_sid else "The whole site"
        why = f": {row.reason.rstrip('.')}" if row.reason else ""
        return f"{what} was made read-only by {row.said_by}{why}."
    code = f", code {row.code}" if row.code else ""
    return f"Twilio refuses to {_CALL_PHRASES.get(row.kind, row.kind)} (status {row.status}{code})."
