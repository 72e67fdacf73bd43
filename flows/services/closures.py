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

from flows import accounts
from flows.flexapi.errors import FlexError, Refused
from flows.flexapi.pickling import Picklable
from flows.masking import masked_note, storable
from flows.models import Closure, Result, Stage
from flows.services import audit, first_contact
from flows.services.audit import Actor, Payload
from flows.services.database import drop_if_lost, waiting_briefly

log = logging.getLogger(__name__)

CHANGE: Final = "change"  # the kind that a person closes
ACCOUNT: Final = "account"  # everything, in an account that the site has no credentials for
CHANGES: Final = ("create", "update", "delete")
# The calls that each change makes: a flow is read before it is changed or deleted.
CALLS_OF: Final = {"create": ("create",), "update": ("fetch", "update"), "delete": ("fetch", "delete")}
OF_NO_FLOW: Final = frozenset({"list", "create"})  # a 404 of these is about no flow
ENDED: Final = 20410  # Twilio's code for what is gone for good
CLOSE, REOPEN, ASK_AGAIN = "account.close", "account.reopen", "account.ask_again"
ADVICE: Final = (
    "Programmable Chat for Flex, which Flex Flows are part of, ended on 1 June 2026. The API key may also lack permission, "
    "or FLEX_API_URL may be wrong. You can still view and export cached flows."
)
_DOES: Final = {
    "list": "list flows", "fetch": "show a flow", "create": "create flows", "update": "change flows",
    "delete": "delete flows",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    """Why something can't be done, in a sentence. `by_twilio`: what it answered; else a person or the settings."""

    kind: str
    sentence: str
    by_twilio: bool = False
    closure: Closure | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is closed, of one account (the site's own among it)."""

    closed: dict[str, Why] = field(default_factory=dict)

    def why(self, kind: str) -> Why | None:
        """Why this call, or a change with all the calls that it takes, can't be made; None if it can."""
        if kind in CHANGES and CHANGE in self.closed:
            return self.closed[CHANGE]
        return next((self.closed[call] for call in CALLS_OF.get(kind, (kind,)) if call in self.closed), None)

    @property
    def is_read_only(self) -> bool:
        return CHANGE in self.closed

    @property
    def by_twilio(self) -> list[Why]:
        """What Twilio refuses, in the order of a flow's life."""
        return [self.closed[kind] for kind in _DOES if kind in self.closed]


class Closed(Picklable):
    """This can't be done now; nothing was sent."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.sentence)
        self.why = why


def states() -> dict[str, State]:
    """The state of each account that the site has or that something is closed of, in one query."""
    rows = list(Closure.objects.order_by("since"))
    sids = [account.sid for account in accounts.every()] + [
        row.account_sid for row in rows if row.account_sid
    ]
    return {sid: _state(sid, [row for row in rows if row.account_sid in ("", sid)]) for sid in sids}


def state_of(account_sid: str) -> State:
    """The state of one account."""
    rows = Closure.objects.filter(account_sid__in=["", account_sid]).order_by("since")
    return _state(account_sid, list(rows))


def reason_against(account_sid: str, kind: str) -> Why | None:
    """The reason that no page offers this call or change, None if it does: what `State.why` says, or that the
    site has no credentials for the account any more."""
    if account_sid and all(account.sid != account_sid for account in accounts.every()):
        said = f"This site has no credentials for the account {account_sid}, so its flows are view-only."
        return Why(ACCOUNT, said)
    return state_of(account_sid).why(kind)


def hear(account_sid: str, kind: str, error: FlexError | None) -> None:
    """Takes note of what Twilio's answer to a call says about all calls of its kind. That it can't be written down
    must not hide the answer itself."""
    try:
        with waiting_briefly():
            said_before = Closure.objects.filter(account_sid=account_sid, kind=kind)
            if error is None:
                if said_before.exists():  # to look is free; on SQLite, to delete nothing is a write
                    said_before.delete()
            elif has_ended(kind, error) and not first_contact.is_misaddressed(account_sid, kind, error):
                said = {"status": error.status, "code": error.code, "since": timezone.now()}
                with transaction.atomic():
                    Closure.objects.get_or_create(account_sid=account_sid, kind=kind, defaults=said)
    except (Error, IntegrityError) as failure:
        drop_if_lost()
        log.error("couldn't store what Twilio refuses: %s", type(failure).__name__)


def has_ended(kind: str, error: FlexError) -> bool:
    """Whether this refusal is about the kind of call, and not about what it asked for."""
    is_ended = error.status == 410 and (isinstance(error, Refused) or kind not in CHANGES)
    if error.code == ENDED or is_ended:  # a gateway's own 410 may stop no writes: no success could lift it
        return True
    return isinstance(error, Refused) and error.status in ((403, 404) if kind in OF_NO_FLOW else (403,))


def close(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Makes an account (or, with an empty SID, the site) read-only, on record; False if it was. Raises
    `NotRecorded`."""

    def act() -> None:
        _, is_new = Closure.objects.get_or_create(
            account_sid=account_sid,
            kind=CHANGE,
            defaults={
                "since": timezone.now(),
                "said_by": actor.label[:150],
                "reason": masked_note(storable(reason))[:200],
            },
        )
        if not is_new:
            raise _AsItWas

    return _on_record(CLOSE, account_sid, reason, actor, act)


def reopen(*, account_sid: str, reason: str, actor: Actor) -> bool:
    """Ends what `close` began; False if nothing was closed. Raises `NotRecorded`."""
    return _forget(REOPEN, account_sid, Q(kind=CHANGE), reason, actor)


def ask_again(*, account_sid: str, actor: Actor) -> bool:
    """Forgets what Twilio refused, so that the next call tells anew. Raises `NotRecorded`."""
    return _forget(ASK_AGAIN, account_sid, ~Q(kind=CHANGE), "", actor)


class _AsItWas(Exception):
    """There is nothing to do."""


def _forget(action: str, account_sid: str, which: Q, reason: str, actor: Actor) -> bool:
    def act() -> None:
        if not Closure.objects.filter(which, account_sid=account_sid).delete()[0]:
            raise _AsItWas

    return _on_record(action, account_sid, reason, actor, act)


def _on_record(action: str, account_sid: str, reason: str, actor: Actor, act: Callable[[], None]) -> bool:
    """Does it in the transaction of the event that tells of it: both or neither."""

    def done() -> Payload:
        act()
        return Payload(requested={"of": account_sid or "the whole site"})

    try:
        audit.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid=account_sid,
            reason=reason,
            payload=done,
        )
    except _AsItWas:
        return False
    return True


def _state(account_sid: str, rows: list[Closure]) -> State:
    closed: dict[str, Why] = {}
    for row in rows:
        closed[row.kind] = Why(row.kind, _sentence(row), by_twilio=row.kind != CHANGE, closure=row)
    if any(account.sid == account_sid and account.is_read_only for account in accounts.every()):
        closed[CHANGE] = Why(CHANGE, "Read-only by configuration (READ_ONLY).")
    return State(closed)


def _sentence(row: Closure) -> str:
    if row.kind == CHANGE:
        what = "This account" if row.account_sid else "The whole site"
        why = f": {row.reason.rstrip('.')}" if row.reason else ""
        return f"{what} was made read-only by {row.said_by}{why}."
    code = f", code {row.code}" if row.code else ""
    return f"Twilio refuses to {_DOES.get(row.kind, row.kind)} (status {row.status}{code})."
