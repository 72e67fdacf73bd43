"""Operations that are unavailable to every user, and the reason for each.

Twilio can refuse a kind of call: `record_response` learns this from Twilio's responses. An
administrator can make an account, or the whole site, read-only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db import Error, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.availability.actions import AvailabilityAction
from flows.availability.models import Closure
from flows.core.database import close_lost_connection, short_lock_timeout
from flows.redaction.masking import redact_note, replace_unstorable
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.pickling import PicklableError

log = logging.getLogger(__name__)

READ_ONLY: Final = "change"  # the kind of a closure that an administrator made
NO_CREDENTIALS: Final = "account"  # the kind of an account that the site has no credentials for
# "details" changes the owner, tags and note, which Twilio doesn't know. "webhook_test" changes
# nothing here, but a handler may act on it.
CHANGE_OPERATIONS: Final = ("create", "update", "archive", "delete", "details", "webhook_test")
# A flow is read before it is changed or deleted.
REQUIRED_CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "create": ("create",),
    "update": ("fetch", "update"),
    "archive": (),  # flows can't be archived
    "delete": ("fetch", "delete"),
    "details": (),
    "webhook_test": ("fetch",),
}
COLLECTION_CALLS: Final = frozenset({"list", "create"})  # their 404 is not about one flow
GONE_CODE: Final = 20410  # Twilio's error code for an endpoint that was removed
REFUSAL_ADVICE: Final = (
    "Programmable Chat for Flex, which Flex Flows are part of, ended on 1 June 2026. "
    "The API key may also lack permission, or FLEX_API_URL may be wrong. "
    "You can still view and export cached flows."
)
_CALL_PHRASES: Final = {
    "list": "list flows",
    "fetch": "show a flow",
    "create": "create flows",
    "update": "change flows",
    "delete": "delete flows",
}


@dataclass(frozen=True, slots=True)
class Restriction:
    """The reason that an operation is unavailable, as a sentence for users.

    `by_twilio` is True if Twilio refuses the operation. Otherwise an administrator or the settings
    made the account read-only. `url` is the page that says more, if there is one.
    """

    kind: str
    sentence: str
    by_twilio: bool = False
    closure: Closure | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """The restrictions of one account by kind, with those of the whole site."""

    restrictions: dict[str, Restriction] = field(default_factory=dict)

    def restriction_of(self, kind: str) -> Restriction | None:
        """Return the restriction that prevents a call or a change, or None if it is available.

        A change is available only if each call that it needs is.
        """
        if kind in CHANGE_OPERATIONS and self.is_read_only:
            return self.restrictions[READ_ONLY]
        for call in REQUIRED_CALLS.get(kind, (kind,)):
            if call in self.restrictions:
                return self.restrictions[call]
        return None

    @property
    def is_read_only(self) -> bool:
        return READ_ONLY in self.restrictions

    @property
    def by_twilio(self) -> list[Restriction]:
        """Return the calls that Twilio refuses, in the order in which a flow's life needs them."""
        return [self.restrictions[call] for call in _CALL_PHRASES if call in self.restrictions]


class OperationUnavailable(PicklableError):
    """The operation is unavailable at present. Nothing was sent to Twilio."""

    def __init__(self, restriction: Restriction) -> None:
        super().__init__(restriction.sentence)
        self.restriction = restriction


def availability_by_account(*, has_closures: bool = True) -> dict[str, Availability]:
    """Return the availability by account SID, with one query, or none without `has_closures`.

    Includes each account of the site, and each other account that has a closure.
    """
    closures = list(Closure.objects.order_by("since")) if has_closures else []
    sids = {account.sid for account in twilio_accounts.all_accounts()}
    sids |= {closure.account_sid for closure in closures} - {""}
    return {sid: _build_availability(sid, closures) for sid in sids}


def account_availability(account_sid: str) -> Availability:
    """Return the availability of one account."""
    closures = Closure.objects.filter(account_sid__in=["", account_sid]).order_by("since")
    return _build_availability(account_sid, list(closures))


def find_restriction(account_sid: str, kind: str) -> Restriction | None:
    """Return the reason that no page offers a call or a change, or None if pages offer it.

    The reason can also be that the site no longer has credentials for the account.
    """
    configured_sids = {account.sid for account in twilio_accounts.all_accounts()}
    if account_sid and account_sid not in configured_sids:
        sentence = (
            f"This site has no credentials for the account {account_sid}, "
            "so its flows are view-only."
        )
        return Restriction(NO_CREDENTIALS, sentence)
    return account_availability(account_sid).restriction_of(kind)


def record_response(
    account_sid: str,
    kind: str,
    error: FlexError | None,
    *,
    is_misaddressed: Callable[[], bool] = lambda: False,
) -> None:
    """Update the availability of a kind of call from Twilio's response.

    A success lifts an earlier refusal. A refusal of the endpoint itself is stored, unless
    `is_misaddressed` returns True. A database error is only logged, so that it does not hide the
    response itself.
    """
    try:
        with short_lock_timeout():
            if error is None:
                _lift_refusal(account_sid, kind)
            elif is_endpoint_gone(kind, error) and not is_misaddressed():
                _store_refusal(account_sid, kind, error)
    except (Error, IntegrityError) as failure:
        close_lost_connection()
        log.error("couldn't store what Twilio refuses: %s", type(failure).__name__)


def _lift_refusal(account_sid: str, kind: str) -> None:
    refusals = Closure.objects.filter(account_sid=account_sid, kind=kind)
    if refusals.exists():  # on SQLite, deleting no rows still takes the write lock
        refusals.delete()


def _store_refusal(account_sid: str, kind: str, error: FlexError) -> None:
    refusal = {"status": error.status, "code": error.code, "since": timezone.now()}
    with transaction.atomic():
        Closure.objects.get_or_create(account_sid=account_sid, kind=kind, defaults=refusal)


def is_endpoint_gone(kind: str, error: FlexError) -> bool:
    """Return True if Twilio refuses the kind of call, not only this one request."""
    is_refusal_by_twilio = isinstance(error, RequestRefused)
    if error.code == GONE_CODE:
        return True
    if error.status == 410:
        # A gateway's own 410 must not block changes: no later success could lift the refusal.
        return is_refusal_by_twilio or kind not in CHANGE_OPERATIONS
    refusing_statuses = (403, 404) if kind in COLLECTION_CALLS else (403,)
    return is_refusal_by_twilio and error.status in refusing_statuses


def set_read_only(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Make an account read-only, or the whole site if the SID is empty, and log it.

    Returns False if it was read-only already. Raises `NotRecorded`.
    """

    def create_closure() -> bool:
        _, is_new = Closure.objects.get_or_create(
            account_sid=account_sid,
            kind=READ_ONLY,
            defaults={
                "since": timezone.now(),
                "actor_label": actor.label[:150],
                "reason": redact_note(replace_unstorable(reason))[:200],
            },
        )
        return is_new

    return _apply_and_log(
        AvailabilityAction.SET_READ_ONLY, account_sid, reason, actor, create_closure
    )


def lift_read_only(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Make an account or the site writable again, and log it.

    Returns False if it was not read-only. Raises `NotRecorded`.
    """
    return _delete_closures(
        AvailabilityAction.LIFT_READ_ONLY, account_sid, Q(kind=READ_ONLY), reason, actor
    )


def retry_endpoints(*, account_sid: str, actor: Actor) -> bool:
    """Delete the stored refusals of Twilio, so that the next calls are sent again, and log it.

    Returns False if there were none. Raises `NotRecorded`.
    """
    return _delete_closures(
        AvailabilityAction.RETRY_ENDPOINTS, account_sid, ~Q(kind=READ_ONLY), "", actor
    )


def _delete_closures(
    action: str, account_sid: str, condition: Q, reason: str, actor: Actor
) -> bool:
    def delete() -> bool:
        count, _ = Closure.objects.filter(condition, account_sid=account_sid).delete()
        return bool(count)

    return _apply_and_log(action, account_sid, reason, actor, delete)


def _apply_and_log(
    action: str, account_sid: str, reason: str, actor: Actor, apply: Callable[[], bool]
) -> bool:
    """Change the closures in the transaction of the event that records the change.

    Return False if there was nothing to change, as `apply` returns then.
    """
    with audit_log.transaction() as log:
        if not apply():
            return False
        log.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid=account_sid,
            reason=reason,
            payload=Payload(requested=redact_fields({"of": account_sid or "the whole site"})),
        )
    return True


def describe_status(status: int | None, code: int | None) -> str:
    """Return the status and Twilio's code of a response, such as "status 403, code 20003"."""
    return f"status {status}, code {code}" if code else f"status {status}"


def _build_availability(account_sid: str, closures: list[Closure]) -> Availability:
    """Return the availability of an account. Closures of other accounts are ignored."""
    restrictions: dict[str, Restriction] = {}
    for closure in closures:
        if closure.account_sid not in ("", account_sid):
            continue
        restrictions[closure.kind] = Restriction(
            closure.kind,
            _describe_closure(closure),
            by_twilio=closure.kind != READ_ONLY,
            closure=closure,
        )
    for account in twilio_accounts.all_accounts():
        if account.sid == account_sid and account.is_read_only:
            sentence = "Read-only by configuration (READ_ONLY)."
            restrictions[READ_ONLY] = Restriction(READ_ONLY, sentence)
    return Availability(restrictions)


def _describe_closure(closure: Closure) -> str:
    if closure.kind == READ_ONLY:
        scope = "This account" if closure.account_sid else "The whole site"
        reason = f": {closure.reason.rstrip('.')}" if closure.reason else ""
        return f"{scope} was made read-only by {closure.actor_label}{reason}."
    call = _CALL_PHRASES.get(closure.kind, closure.kind)
    return f"Twilio refuses to {call} ({describe_status(closure.status, closure.code)})."
