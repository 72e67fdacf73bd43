"""The mirror: Twilio's flows as the log last has them. `sync` pulls them all and compares; `fetch` reads one; what
they find otherwise goes on record first (drift.py). `keep` takes over what became of a change. It never writes to
Twilio.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from flows import words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError, Unknown
from flows.flexapi.schema import Snapshot
from flows.folding import fold
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, SyncState
from flows.services import absence, api_fields, audit, closures, drift, first_contact, settling
from flows.services.absence import Answers
from flows.services.audit import NotRecorded
from flows.services.database import drop_if_lost, waiting_briefly
from flows.services.twilio import READ_DEADLINE, account_of, flex_client

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # after this, a sync that never ended is taken for dead
FRESH_FOR = timedelta(seconds=30)
SYNC_DEADLINE = 30.0  # seconds a page of 1,000 flows may take
# Twilio's own codes; a 404 without one may be a proxy's, or of a wrong address.
NOT_FOUND = frozenset({20404, 45205})
# PostgreSQL refuses to index more than 2,704 bytes; Twilio's own limit is 256 characters. `resource` has it all.
NAME_MAX, IDENTITY_MAX = 500, 500
BATCH = 500
MANY = 5  # living flows that a list may lack and still be believed: those that a page lost while it was read
LACKING = "Twilio's list of flows leaves out flows that it still has"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one complete sync found. Of the flows that Twilio's list lacks, `unchecked` have not been asked for by their
    SID yet, and `left_out` exist all the same."""

    flows: int
    created: int
    changed: int
    gone: int
    unchecked: int = 0
    left_out: int = 0

    @property
    def moved(self) -> bool:
        return bool(self.created or self.changed or self.gone)


class SyncBusy(Exception):
    """Another sync is under way; its result will do."""


def sync(account_sid: str) -> SyncReport:
    """Pulls all flows of an account, puts on record what is not as the log has it, and makes the mirror equal to that. One at a
    time: `SyncBusy` if one is under way. A `FlexError` leaves the mirror as it was, and is kept for the pages."""
    copy = _Copy(account_sid)
    with waiting_briefly():
        started = copy.claim()
    try:
        read = _Read(audit.last_seq(), started)
        report = _compare(copy.listed(), read, copy)
    except BaseException as error:
        copy.release(started, failed_at=timezone.now(), error=_words(account_sid, error))
        raise
    if copy.is_before_the_baseline():
        copy.row().update(baseline_at=started)
    copy.release(started, synced_at=timezone.now(), failed_at=None, error="", flows=report.flows)
    return report


def copy_state(account_sid: str) -> SyncState:
    """How old the copy of an account is and how its last sync went; a new site has an
    empty one."""
    copy = _Copy(account_sid)
    return copy.row().first() or SyncState(account_sid=copy.account_sid)


def is_stale(state: SyncState, *, now: datetime | None = None) -> bool:
    """Whether the list page should refresh the copy by itself: it is old, and no failure was just now."""
    last = max((at for at in (state.synced_at, state.failed_at) if at), default=None)
    return last is None or (now or timezone.now()) - last > FRESH_FOR


def fetch(
    sid: str, *, account_sid: str = "", deadline: float = READ_DEADLINE, must_record: bool = False
) -> Snapshot:
    """The flow as it is at Twilio now, secrets and all, read in the account given or else the one that it is known to
    belong to. What is not as the log has it goes on record, a 404 too; `must_record`: or raises `NotRecorded`, where a
    change of ours would bury it. `StaleRead`: Twilio does not show yet what it confirmed or showed a moment ago."""
    read = _Read.now()
    copy = _Copy(account_sid or account_of(sid))
    try:
        snapshot = flex_client(copy.account_sid, deadline=deadline).fetch(sid)
    except FlexError as error:
        closures.hear(copy.account_sid, "fetch", error)
        if is_gone(error):
            drift.refuse_stale(sid, None, read_at=read.seq, at=read.at)
            _take_as_gone(sid, read, copy)
        raise
    closures.hear(copy.account_sid, "fetch", None)
    seen = masked(storable(snapshot))
    drift.refuse_stale(sid, seen, read_at=read.seq, at=read.at)
    with _only_a_copy(must_record=must_record):
        _take_over({sid: seen}, read, copy, _known(_rows([sid])))
    return snapshot


def listing(account_sid: str) -> list[Snapshot]:
    """All flows of an account as they are at Twilio now, secrets masked. Nothing is taken over. A list that lacks a flow
    which exists raises `Unknown`: what else it lacks says nothing."""
    copy, read = _Copy(account_sid), _Read.now()
    snapshots = {snapshot["sid"]: masked(storable(snapshot)) for snapshot in copy.listed()}
    here = Flow.objects.filter(account_sid=account_sid, gone_at=None).values_list("sid", flat=True)
    missing = set(here) - snapshots.keys()
    if missing:
        missing -= absence.early_to_miss(missing, at=read.at)
        answers = absence.ask_for(sorted(missing), copy.ask)
        if len(answers.gone) < len(missing):
            raise Unknown(
                LACKING if answers.present else "Twilio's list lacks flows that could not be checked"
            )
    return list(snapshots.values())


def miss(sid: str, *, read_at: int, account_sid: str = "") -> None:
    """Twilio said, to a request that began at `read_at` (a `last_seq`), that it has no such flow."""
    _take_as_gone(sid, _Read(read_at, timezone.now()), _Copy(account_sid or account_of(sid)))


def _take_as_gone(sid: str, read: _Read, copy: _Copy) -> None:
    """Where Twilio does not even list any more, a flow's 404 says nothing about the flow."""
    with _only_a_copy():
        if closures.state_of(copy.account_sid).why("list") is None:
            _take_over({sid: None}, read, copy, _known(_rows([sid])))


def keep(snapshot: Snapshot | None, event: AuditEvent) -> None:
    """Takes over how a flow came out of a change, as `event` has it, unless the log has something newer. None: it
    was deleted; what it was stays."""
    kept = None if snapshot is None else masked(storable(snapshot))
    with _only_a_copy(), transaction.atomic():
        list(Flow.objects.select_for_update().filter(sid=event.target_sid))
        latest = drift.states([event.target_sid]).get(event.target_sid)
        if latest is None or latest.seq <= event.seq or drift.is_same(latest.snapshot, kept):
            _write({event.target_sid: kept}, event.account_sid)
    if kept is not None:
        with _only_a_copy():
            api_fields.record(event.account_sid, [(event.payload.before, kept)])


def flow_from(snapshot: Snapshot, account_sid: str) -> Flow:
    """Return a flow that was read as a row of the mirror, unsaved: for pages that show just what was read."""
    return _row(masked(storable(dict(snapshot))), account_sid, timezone.now())


def is_gone(error: FlexError | None) -> bool:
    """Whether Twilio says that it has no such flow, or confirmed a moment ago that it is deleted."""
    if isinstance(error, settling.StaleRead):
        return error.confirmed is None
    return error is not None and error.status == 404 and error.code in NOT_FOUND


@contextlib.contextmanager
def _only_a_copy(*, must_record: bool = False) -> Iterator[None]:
    """That the copy can't be written must not hide what Twilio said, nor keep anybody waiting; the next read brings
    it."""
    try:
        with contextlib.nullcontext() if must_record else waiting_briefly():
            yield
    except Exception as error:
        drop_if_lost()
        if must_record and isinstance(error, Error | NotRecorded):
            raise NotRecorded("external changes cannot be recorded") from error
        # The kind alone: a database's own words can quote the row.
        log.error("the mirror could not store Twilio's response: %s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """When a read of Twilio began: the log's end, and the time."""

    seq: int
    at: datetime

    @classmethod
    def now(cls) -> _Read:
        return cls(audit.last_seq(), timezone.now())


@dataclass(slots=True)
class _Copy:
    """The copy of one account, and whose turn it is to renew it."""

    account_sid: str
    state: SyncState = field(init=False)  # as it was before this sync

    def __post_init__(self) -> None:
        self.state = SyncState(account_sid=self.account_sid)

    def ask(self, sid: str) -> Snapshot | None:
        """Return one flow, masked, or None if Twilio says that it has no such flow."""
        try:
            snapshot = flex_client(self.account_sid, deadline=READ_DEADLINE).fetch(sid)
        except FlexError as error:
            closures.hear(self.account_sid, "fetch", error)
            if is_gone(error):
                return None
            raise
        return masked(storable(snapshot))  # type: ignore[no-any-return]

    def listed(self) -> Iterator[Snapshot]:
        """All flows as Twilio has them now, asked for at once; they come one by one, and a `FlexError` may come after
        some of them."""
        coming = flex_client(self.account_sid, deadline=SYNC_DEADLINE).list()

        def heard() -> Iterator[Snapshot]:
            try:
                yield from coming
            except FlexError as error:
                closures.hear(self.account_sid, "list", error)
                raise
            closures.hear(self.account_sid, "list", None)

        return heard()

    def row(self) -> QuerySet[SyncState]:
        return SyncState.objects.filter(account_sid=self.account_sid)

    def claim(self) -> datetime:
        now = timezone.now()
        self.state, _ = SyncState.objects.get_or_create(account_sid=self.account_sid)
        free = Q(started_at=None) | Q(started_at__lt=now - LEASE)
        if not self.row().filter(free).update(started_at=now):
            raise SyncBusy
        return now

    def release(self, started: datetime, **values: Any) -> None:
        self.row().filter(started_at=started).update(started_at=None, **values)

    def is_before_the_baseline(self) -> bool:
        return not self.row().exclude(baseline_at=None).exists()


def _compare(seen: Iterable[Snapshot], read: _Read, copy: _Copy) -> SyncReport:
    """Takes over what differs. What the list lacks, and what it shows that can't be, is asked for by SID first."""
    known = _known(Flow.objects.filter(account_sid=copy.account_sid))
    found, doubted = _listed(seen, known)
    here = {sid for sid, copied in known.items() if copied is not None}
    missing = here - found.keys()
    why = closures.state_of(copy.account_sid).why("fetch") if missing or doubted else None
    flows = len(found)
    answers = Answers() if why else absence.settle_doubts(found, doubted, copy.ask, known=known, at=read.at)
    gap = absence.close_gap(
        copy.state,
        missing,
        copy.ask,
        most=absence.CHECKS - answers.count,
        at=read.at,
        refusal=why.sentence if why else "",
    )
    proven = {**gap.answers.present, **dict.fromkeys(gap.answers.gone)}
    if gap.left_out >= MANY:
        _take_over(proven, read, copy, known)
        raise Unknown(LACKING)
    found |= proven
    if elsewhere := found.keys() - known.keys():
        known |= _known(_rows(elsewhere))
    taken = _take_over(found, read, copy, known)
    gone = {sid for sid in taken if found[sid] is None}
    changed = (taken & here) - gone
    created = len(taken - changed - gone)
    return SyncReport(
        flows + len(gap.answers.present), created, len(changed), len(gone), gap.unchecked, gap.left_out
    )


def _listed(
    seen: Iterable[Snapshot], known: Mapping[str, Snapshot | None]
) -> tuple[dict[str, Snapshot | None], set[str]]:
    """Return the flows of a listing, and those of them that it must not be believed about: flows that are known to be
    deleted, that it dates before what is known, or that it has twice and differently."""
    found: dict[str, Snapshot | None] = {}
    doubted: set[str] = set()
    for snapshot in seen:
        sid, copied = snapshot["sid"], known.get(snapshot["sid"])
        if (
            snapshot == copied
        ):  # most are word for word what the copy has; masking those would take most of the time
            listed = copied
        else:
            listed = masked(storable(snapshot))
            if sid in known and (copied is None or settling.is_older(listed, copied)):
                doubted.add(sid)
        if sid in found and found[sid] != listed:
            doubted.add(sid)
        found[sid] = listed
    return found, doubted


def _rows(sids: Collection[str]) -> QuerySet[Flow]:
    """At least the rows of these flows."""
    return Flow.objects.filter(sid__in=list(sids)) if len(sids) < BATCH else Flow.objects.all()


def _known(rows: QuerySet[Flow]) -> dict[str, Snapshot | None]:
    """What the copy has of each flow: None if it is gone."""
    # Their JSON is read at one go: flow by flow takes twice the time.
    texts = rows.annotate(text=Cast("resource", TextField())).values_list("sid", "text", "gone_at")
    found = list(texts)
    resources = json.loads(f"[{','.join(text for _, text, _ in found)}]")
    return {
        sid: None if gone_at else resource
        for (sid, _, gone_at), resource in zip(found, resources, strict=True)
    }


def _take_over(
    found: Mapping[str, Snapshot | None], read: _Read, copy: _Copy, known: Mapping[str, Snapshot | None]
) -> set[str]:
    """Puts on record what was found otherwise than `known`, and takes it over; the SIDs of what was written."""
    is_baseline = copy.is_before_the_baseline()
    news = {
        sid: snapshot
        for sid, snapshot in found.items()
        if ((copied := known.get(sid)) is not snapshot and copied != snapshot)
        or (is_baseline and snapshot is not None)
    }
    if not news:
        return set()
    as_found = drift.note(
        news,
        account_sid=copy.account_sid,
        read_at=read.seq,
        is_baseline=is_baseline,
        mirrored=known,
        at=read.at,
    )
    taken = {sid for sid in as_found if known.get(sid) != news[sid]}
    with transaction.atomic():
        # A change that keeps waits here.
        list(_rows(taken).order_by("sid").select_for_update().values_list("sid"))
        latest = drift.states(taken)  # what went on record meanwhile knows better
        taken = {sid for sid in taken if sid not in latest or latest[sid].seq <= as_found[sid]}
        _write({sid: news[sid] for sid in taken}, copy.account_sid)
    return taken


def _write(found: Mapping[str, Snapshot | None], account_sid: str) -> None:
    now = timezone.now()
    rows = [_row(snapshot, account_sid, now) for snapshot in found.values() if snapshot is not None]
    gone = [sid for sid, snapshot in found.items() if snapshot is None]
    Flow.objects.bulk_create(rows, batch_size=BATCH, **_upsert())
    for start in range(0, len(gone), BATCH):
        batch = Flow.objects.filter(sid__in=gone[start : start + BATCH], gone_at=None)
        batch.update(gone_at=now, mirrored_at=now)


def _row(snapshot: Snapshot, account_sid: str, now: datetime) -> Flow:
    resource = dict(snapshot)
    return Flow(
        sid=resource["sid"],
        account_sid=account_sid,
        resource=resource,
        mirrored_at=now,
        gone_at=None,
        **columns_of(resource),
    )


def columns_of(resource: Snapshot) -> dict[str, Any]:
    """What the mirror's own columns have of a snapshot: its values as they are meant, for searching and sorting."""
    name, identity = _text(resource.get("friendly_name")), _text(resource.get("contact_identity"))
    enabled = schema.normalised("enabled", resource.get("enabled"))
    handler = schema.handler_type(resource) or _text(resource.get("integration_type"))
    channel = schema.normalised("channel_type", resource.get("channel_type"))
    return {
        "friendly_name": name,
        "name_folded": fold(name)[:NAME_MAX],
        "channel_type": _text(channel)[:64],
        "contact_identity": identity[:IDENTITY_MAX],
        "identity_folded": fold(identity)[:IDENTITY_MAX],
        "enabled": enabled if isinstance(enabled, bool) else None,
        "integration_type": handler[:64],
        "date_created": schema.moment(resource.get("date_created")),
        "date_updated": schema.moment(resource.get("date_updated")),
    }


def _upsert() -> dict[str, Any]:
    columns = [field.attname for field in Flow._meta.concrete_fields if not field.primary_key]
    return {"update_conflicts": True, "unique_fields": ["sid"], "update_fields": columns}


def _text(value: Any) -> str:
    return "" if value is None else words.as_text(value)


def _words(account_sid: str, error: BaseException) -> str:
    if isinstance(error, FlexError) and (settings_are_wrong := first_contact.explain(account_sid, error)):
        return settings_are_wrong
    sentence = str(error) if isinstance(error, FlexError) else "internal error"
    return sentence[:1].upper() + sentence[1:]
