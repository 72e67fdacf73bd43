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

from django.db.models import Q
from django.utils import timezone

from flows.flexapi.pickling import Picklable
from flows.models import (
    AuditEvent,
    AuditPayload,
    Flow,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
)
from flows.services import audit, log_entries
from flows.services.audit import Actor, Payload
from flows.services.changes import UNDER_WAY_FOR
from flows.services.evidence import ERASE
from flows.services.mentions import Mentions
from flows.services.remnants import Remnants, forget_in_sessions
from flows.services.seal import PAYLOAD, PAYLOAD_IF_SET

BATCH: Final = 500
SEALED_TEXT: Final = ("reason", "actor_label", "user_agent")  # of an event, where a value can't be erased
_ROW: Final = (
    "seq",
    "action",
    "target_sid",
    "change_id",
    *SEALED_TEXT,
    *(f"payload__{name}" for name in (*PAYLOAD, *PAYLOAD_IF_SET)),
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
    undecided: list[int] = field(
        default_factory=list
    )  # of changes that have to be decided without their contents


class ReasonTellsIt(Exception):
    """The reason mentions what is to be erased; it would stand in the log for good."""


class StillOpen(Picklable):
    """A change of these flows is open: its outcome would bring the data back, or could not be told without it.
    `event` is its latest."""

    def __init__(self, event: AuditEvent, *, is_under_way: bool) -> None:
        super().__init__("a change is open")
        self.event = event
        self.is_under_way = is_under_way


class _NothingLeft(Exception):
    """Every payload and the copy are rid of it already."""


def erase(
    *,
    sid: str = "",
    identity: str = "",
    reason: str = "",
    actor: Actor,
    despite_open_change: bool = False,
) -> Erased:
    """Erases the payloads of the flow `sid`; or those that mention `identity`, and all of the flows that ever
    had it. `despite_open_change`: also those of a change with an unknown outcome, which a user then decides
    without. Raises `ReasonTellsIt`, `StillOpen` and `NotRecorded`; then nothing was erased."""
    search = _Search(sid, identity)
    if search.mentions.within(reason):
        raise ReasonTellsIt
    search.read_on(audit.last_seq())  # most of the log, before anybody has to wait for us

    def emptied() -> Payload:
        search.read_on(audit.last_seq())
        return _emptied(search, despite_open_change=despite_open_change)

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
    forget_in_sessions(search.remnants.identities)
    elsewhere = sorted({*search.elsewhere} - {*search.seqs})
    return Erased(
        event, search.seqs, search.rows, search.at_twilio, search.sealed, elsewhere, search.open_changes
    )


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
        names, identities = (set[str](), {identity}) if identity else _ever_called(sid)
        self.mentions = Mentions([*names, *identities])
        self.remnants = Remnants(self.mentions, Mentions(identities), is_by_identity=bool(identity))
        self.seqs: list[int] = []
        self.rows: list[str] = []
        self.at_twilio: list[str] = []
        self.open_changes: list[int] = []
        self.sealed: list[int] = []
        self.elsewhere: list[int] = []

    def read_on(self, through: int) -> None:
        for row in _events(self._read, through):
            self._look(row)
        self._read = max(self._read, through)

    def choose(self) -> None:
        """Settles what is to be erased, as the tables are now."""
        self._choose_rows()
        ours = AuditEvent.objects.filter(target_sid__in=self._sids)
        of_flows = Q(target_sid__in=self._sids) | Q(
            change_id__in=ours.filter(change_id__isnull=False).values("change_id")
        )
        seqs = set(_unerased().filter(of_flows).values_list("seq", flat=True))
        for batch in _batched(sorted(self._changes, key=str)):
            seqs.update(_unerased().filter(change_id__in=batch).values_list("seq", flat=True))
        self.seqs = sorted(seqs | self._mentioning)
        changes: set[uuid.UUID | None] = set()
        for batch in _batched(self.seqs):
            changes.update(AuditEvent.objects.filter(seq__in=batch).values_list("change_id", flat=True))
        self.remnants.find(self._sids, changes - {None})

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
        said = [row[f"payload__{name}"] for name in (*PAYLOAD, *PAYLOAD_IF_SET)]
        has_it = (
            self.mentions.within if self._is_by_identity else self.mentions
        )  # names may be ordinary words
        if has_it([row[name] for name in SEALED_TEXT]):
            self.sealed.append(row["seq"])
        if self._sids.intersection((row["payload__findings"] or {}).get("reading") or {}):
            self._mentioning.add(row["seq"])  # a decision shows each flow that was read for it
            return
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


def _emptied(search: _Search, *, despite_open_change: bool) -> Payload:
    """Empties what the search found, in the transaction of the event that tells of it."""
    search.choose()
    if not (search.seqs or search.rows) and search.remnants.is_empty:
        raise _NothingLeft
    erased, now = set(search.seqs), timezone.now()
    search.open_changes = _open_changes(erased, despite=despite_open_change)
    nothing = {name: getattr(AuditPayload(), name) for name in (*PAYLOAD, *PAYLOAD_IF_SET)}
    for batch in _batched(search.seqs):
        AuditPayload.objects.filter(pk__in=batch).update(**nothing, salt="", erased_at=now)
        OpenDrift.objects.filter(pk__in=batch).delete()  # what was found can't be shown any more
    log_entries.refresh_text(search.seqs)
    for batch in _batched(search.rows):
        Flow.objects.filter(sid__in=batch).delete()
    search.remnants.erase()
    said: dict[str, Any] = {"events": ranges(search.seqs), "copies": len(search.rows)}
    message = f"Erased personal data from {len(search.seqs)} events."
    if search.open_changes:
        said["open_changes"] = search.open_changes
        message += " Some are changes with an unknown outcome, to be decided without their contents."
    return Payload(requested=said, message=message)


def _open_changes(erased: set[int], *, despite: bool) -> list[int]:
    """The latest event of each open change whose contents are erased. One that is under way is always in the
    way: its outcome would bring the data back."""
    found = []
    for change in OpenChange.objects.select_related("latest").order_by("latest"):
        if change.attempt_id not in erased:
            continue
        is_young = change.latest.at > timezone.now() - UNDER_WAY_FOR
        is_under_way = change.latest.result == Result.PENDING and is_young
        if is_under_way or not despite:
            raise StillOpen(change.latest, is_under_way=is_under_way)
        found.append(change.latest_id)
        OpenChange.objects.filter(pk=change.pk).update(last_reading={})
    return found


def _ever_called(sid: str) -> tuple[set[str], set[str]]:
    """The names and the identities that the log and the copy have of a flow."""
    names: set[str] = set()
    identities: set[str] = set()
    bodies = AuditPayload.objects.filter(event__target_sid=sid).values(*PAYLOAD)
    states = [body[name] for body in bodies for name in ("before", "requested", "after")]
    for said in (*bodies, *states, *Flow.objects.filter(sid=sid).values_list("resource", flat=True)):
        if said and said.get("friendly_name"):
            names.add(str(said["friendly_name"]))
        if said and said.get("contact_identity"):
            identities.add(str(said["contact_identity"]))
    return names, identities


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
