"""Erasing personal data: empties the payloads of a flow, or of whatever mentions a contact identity, takes the flows
out of the copy, and leaves an event that names what was erased, in one transaction. Sealed columns stay as they are.
What the database's files still hold afterwards is compaction.py's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from flows.flexapi.pickling import Picklable
from flows.models import (
    AuditEvent,
    AuditPayload,
    Flow,
    OpenChange,
    OpenDrift,
    Plan,
    PlannedChange,
    Result,
    SavedView,
    Stage,
)
from flows.services import audit
from flows.services.audit import Actor, Payload
from flows.services.evidence import ERASE
from flows.services.mentions import Mentions
from flows.services.seal import PAYLOAD

BATCH: Final = 500
SEALED_TEXT: Final = ("reason", "actor_label", "user_agent")  # of an event, where a value can't be erased
_ABOUT: Final = ("friendly_name", "contact_identity")
_ROW: Final = (
    "seq",
    "action",
    "target_sid",
    "change_id",
    *SEALED_TEXT,
    *(f"payload__{name}" for name in PAYLOAD),
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of it. `event` is None if there was nothing left to erase."""

    event: AuditEvent | None
    seqs: list[int] = field(default_factory=list)  # of the events whose payload was emptied
    flows: list[str] = field(default_factory=list)  # the SIDs taken out of the copy
    at_twilio: list[str] = field(
        default_factory=list
    )  # those of them that Twilio still has: a sync brings them back
    sealed: list[int] = field(default_factory=list)  # events that mention it where nothing can be erased
    elsewhere: list[int] = field(default_factory=list)  # events left alone, though their payload has it too


class ReasonTellsIt(Exception):
    """The reason mentions what is to be erased; it would stand in the log for good."""


class StillOpen(Picklable):
    """A change of these flows is open: its outcome would bring the data back. `event` is its latest."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("a change is open")
        self.event = event


class _NothingLeft(Exception):
    """Every payload and the copy are rid of it already."""


def erase(*, sid: str = "", identity: str = "", reason: str = "", actor: Actor) -> Erased:
    """Erases the payloads of the flow `sid`; or those that mention `identity`, and all of the flows that ever had
    it. Raises `ReasonTellsIt`, `StillOpen` and `NotRecorded`; then nothing was erased."""
    search = _Search(sid, identity)
    if search.mentions.within(reason):
        raise ReasonTellsIt
    search.read_on(audit.last_seq())  # most of the log, before anybody has to wait for us

    def emptied() -> Payload:
        search.read_on(audit.last_seq())
        return _emptied(search)

    event: AuditEvent | None = None
    with suppress(_NothingLeft):
        event = audit.append(
            action=ERASE,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            target_sid=sid,
            reason=reason,
            payload=emptied,
        )
    _forget_messages()
    elsewhere = sorted({*search.elsewhere} - {*search.seqs})
    return Erased(event, search.seqs, search.rows, search.at_twilio, search.sealed, elsewhere)


def ranges(seqs: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as [first, last] each, both included."""
    found: list[list[int]] = []
    for seq in seqs:
        if found and seq == found[-1][1] + 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return found


class _Search:
    """What of the log and the copy is to be erased. It reads the log once, and can go on where it stopped."""

    def __init__(self, sid: str, identity: str) -> None:
        self._is_by_identity = bool(identity)
        self._read = 0
        self._sids = {sid} if sid else set()
        self._changes: set[uuid.UUID] = set()
        self._mentioning: set[int] = set()
        self.mentions = Mentions([identity] if identity else _ever_called(sid))
        self.seqs: list[int] = []
        self.rows: list[str] = []
        self.at_twilio: list[str] = []
        self.views: list[int] = []  # searches that people keep
        self.planned: list[int] = []  # parts of plans
        self.plans: list[uuid.UUID] = []  # plans whose reason tells it
        self.sealed: list[int] = []
        self.elsewhere: list[int] = []

    def read_on(self, through: int) -> None:
        for row in _events(self._read, through):
            self._look(row)
        self._read = max(self._read, through)

    def choose(self) -> None:
        """Settles what is to be erased, as the tables are now."""
        self._choose_rows()
        self.views = [
            view.pk
            for view in SavedView.objects.all()
            if self.mentions.within(view.name, [value for _, value in parse_qsl(view.query)])
        ]
        ours = AuditEvent.objects.filter(target_sid__in=self._sids)
        of_flows = Q(target_sid__in=self._sids) | Q(
            change_id__in=ours.filter(change_id__isnull=False).values("change_id")
        )
        seqs = set(_unerased().filter(of_flows).values_list("seq", flat=True))
        for batch in _batched(sorted(self._changes, key=str)):
            seqs.update(_unerased().filter(change_id__in=batch).values_list("seq", flat=True))
        self.seqs = sorted(seqs | self._mentioning)
        self._choose_plans()

    def _choose_plans(self) -> None:
        changes: set[uuid.UUID | None] = set()
        for batch in _batched(self.seqs):
            changes.update(AuditEvent.objects.filter(seq__in=batch).values_list("change_id", flat=True))
        kept = PlannedChange.objects.exclude(friendly_name="", before={}, asked={})
        for change in kept.iterator():
            said = [change.friendly_name, change.before, change.asked]
            if (
                change.target_sid in self._sids
                or change.change_id in changes
                or (self._is_by_identity and self.mentions(said))
            ):
                self.planned.append(change.pk)
        self.plans = [
            plan.pk for plan in Plan.objects.exclude(reason="") if self.mentions.within(plan.reason)
        ]

    def _choose_rows(self) -> None:
        rows = Flow.objects.values_list("sid", "friendly_name", "contact_identity", "resource", "gone_at")
        for sid, name, identity, resource, gone_at in rows.iterator():
            has_it = self._is_by_identity and self.mentions(identity, resource.get("contact_identity"))
            if has_it:
                self._sids.add(sid)
            if sid in self._sids or (self._is_by_identity and self.mentions(name, resource)):
                self.rows.append(sid)
                if gone_at is None:
                    self.at_twilio.append(sid)

    def _look(self, row: dict[str, Any]) -> None:
        said = [row[f"payload__{name}"] for name in PAYLOAD]
        has_it = (
            self.mentions.within if self._is_by_identity else self.mentions
        )  # names may be ordinary words
        if has_it([row[name] for name in SEALED_TEXT]):
            self.sealed.append(row["seq"])
        if row["action"] == ERASE or not has_it(said):
            return
        if not self._is_by_identity:
            if row["target_sid"] not in self._sids:
                self.elsewhere.append(row["seq"])
        elif not self.mentions(said):
            self.elsewhere.append(row["seq"])
        else:
            self._mentioning.add(row["seq"])
            if self.mentions(_identities(row)):
                self._sids.update({row["target_sid"]} - {""})
                self._changes.update({row["change_id"]} - {None})


def _emptied(search: _Search) -> Payload:
    """Empties what the search found, in the transaction of the event that tells of it."""
    search.choose()
    if not (search.seqs or search.rows or search.views or search.planned or search.plans):
        raise _NothingLeft
    erased, now = set(search.seqs), timezone.now()
    for change in OpenChange.objects.select_related("latest"):
        if change.attempt_id in erased:
            raise StillOpen(change.latest)
    nothing = {name: getattr(AuditPayload(), name) for name in PAYLOAD}
    for batch in _batched(search.seqs):
        AuditPayload.objects.filter(pk__in=batch).update(**nothing, salt="", erased_at=now)
        OpenDrift.objects.filter(pk__in=batch).delete()  # what was found can't be shown any more
    for batch in _batched(search.rows):
        Flow.objects.filter(sid__in=batch).delete()
    SavedView.objects.filter(pk__in=search.views).delete()
    for batch in _batched(search.planned):
        rows = PlannedChange.objects.filter(pk__in=batch)
        rows.filter(done_at=None).update(skipped="What it was about was erased.")
        rows.update(friendly_name="", before={}, asked={})
    Plan.objects.filter(pk__in=search.plans).update(reason="")
    said = {"events": ranges(search.seqs), "copies": len(search.rows)}
    return Payload(requested=said, message=f"The contents of {len(search.seqs)} events were erased.")


def _forget_messages() -> None:
    """What the pages have still to say to people, which may name a flow, waits in their sessions."""
    for session in Session.objects.iterator():
        data = session.get_decoded()
        if data.pop(SessionStorage.session_key, None) is not None:
            session.session_data = Session.objects.encode(data)
            session.save(update_fields=["session_data"])


def _ever_called(sid: str) -> set[str]:
    """The names and identities that the log and the copy have of a flow."""
    called: set[str] = set()
    bodies = AuditPayload.objects.filter(event__target_sid=sid).values(*PAYLOAD)
    states = [body[name] for body in bodies for name in ("before", "requested", "after")]
    for said in (*bodies, *states, *Flow.objects.filter(sid=sid).values_list("resource", flat=True)):
        called.update(str(said[name]) for name in _ABOUT if said and said.get(name))
    return called


def _events(after: int, through: int) -> Iterator[dict[str, Any]]:
    while page := list(
        AuditEvent.objects.order_by("seq").filter(seq__gt=after, seq__lte=through).values(*_ROW)[:BATCH]
    ):
        yield from page
        after = page[-1]["seq"]


def _unerased() -> Any:
    return AuditEvent.objects.exclude(action=ERASE).filter(payload__erased_at=None)


def _identities(row: dict[str, Any]) -> list[Any]:
    states = (row[f"payload__{name}"] or {} for name in ("before", "requested", "after"))
    return [row["payload__contact_identity"], *(state.get("contact_identity") for state in states)]


def _batched(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
