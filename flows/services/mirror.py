"""The mirror: Twilio's flows as the log last has them. `sync` pulls them all and compares; `fetch` reads one; what
they find otherwise goes on record first (drift.py). `keep` takes over what became of a change. It never writes to
Twilio.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.flexapi import schema
from flows.flexapi.errors import FlexError, Refused
from flows.flexapi.schema import Snapshot
from flows.folding import fold
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, SyncState
from flows.services import audit, drift
from flows.services.audit import NotRecorded
from flows.services.database import drop_if_lost, waiting_briefly
from flows.services.twilio import READ_DEADLINE, flex_client

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # after this, a sync that never ended is taken for dead
FRESH_FOR = timedelta(seconds=30)
SYNC_DEADLINE = 30.0  # seconds a page of 1,000 flows may take
# Twilio's own codes; a 404 without one may be a proxy's, or of a wrong address.
NOT_FOUND = frozenset({20404, 45205})
# PostgreSQL refuses to index more than 2,704 bytes; Twilio's own limit is 256 characters. `resource` has it all.
NAME_MAX, IDENTITY_MAX = 600, 500
BATCH = 500


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one complete sync found."""

    flows: int
    created: int
    changed: int
    gone: int

    @property
    def moved(self) -> bool:
        return bool(self.created or self.changed or self.gone)


class SyncBusy(Exception):
    """Another sync is under way; its result will do."""


def sync() -> SyncReport:
    """Pulls all flows, puts on record what is not as the log has it, and makes the mirror equal to that. One at a
    time: `SyncBusy` if one is under way. A `FlexError` leaves the mirror as it was, and is kept for the pages."""
    with waiting_briefly():
        started = _claim()
    try:
        read_at = audit.last_seq()
        seen = list(flex_client(deadline=SYNC_DEADLINE).list())
        report = _compare(seen, read_at)
    except BaseException as error:
        _release(started, failed_at=timezone.now(), error=_words(error))
        raise
    if _is_before_the_baseline():
        copy_of_account().update(baseline_at=started)
    _release(started, synced_at=timezone.now(), failed_at=None, error="", flows=report.flows)
    return report


def copy_state() -> SyncState:
    """How old the copy is and how the last sync went; a new site has an empty one."""
    return copy_of_account().first() or SyncState(account_sid=settings.TWILIO_ACCOUNT_SID)


def is_stale(state: SyncState, *, now: datetime | None = None) -> bool:
    """Whether the list page should refresh the copy by itself: it is old, and no failure was just now."""
    last = max((at for at in (state.synced_at, state.failed_at) if at), default=None)
    return last is None or (now or timezone.now()) - last > FRESH_FOR


def fetch(sid: str, *, deadline: float = READ_DEADLINE, must_record: bool = False) -> Snapshot:
    """The flow as it is at Twilio now, secrets and all. What is not as the log has it goes on record, a 404 too;
    `must_record`: or raises `NotRecorded`, where a change of ours would bury it."""
    read_at = audit.last_seq()
    try:
        snapshot = flex_client(deadline=deadline).fetch(sid)
    except Refused as refused:
        if is_gone(refused):
            miss(sid, read_at=read_at)
        raise
    with _only_a_copy(must_record=must_record):
        _take_over({sid: masked(storable(snapshot))}, read_at)
    return snapshot


def listing() -> list[Snapshot]:
    """All flows as they are at Twilio now, secrets masked. Nothing is taken over."""
    return [masked(storable(snapshot)) for snapshot in flex_client(deadline=SYNC_DEADLINE).list()]


def miss(sid: str, *, read_at: int) -> None:
    """Twilio said, to a request that began at `read_at`, that it has no such flow."""
    with _only_a_copy():
        _take_over({sid: None}, read_at)


def keep(snapshot: Snapshot | None, event: AuditEvent) -> None:
    """Takes over how a flow came out of a change, as `event` has it, unless the log has something newer. None: it
    was deleted; what it was stays."""
    with _only_a_copy(), transaction.atomic():
        list(Flow.objects.select_for_update().filter(sid=event.target_sid))
        latest = drift.states([event.target_sid]).get(event.target_sid)
        kept = None if snapshot is None else masked(storable(snapshot))
        if latest is None or latest.seq <= event.seq or drift.is_same(latest.snapshot, kept):
            _write({event.target_sid: kept})


def is_gone(error: FlexError | None) -> bool:
    """Whether Twilio says that it has no such flow."""
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
            raise NotRecorded("what others changed cannot be put on record") from error
        # The kind alone: a database's own words can quote the row.
        log.error("the mirror could not take over what Twilio said: %s", type(error).__name__)


def _claim() -> datetime:
    now = timezone.now()
    SyncState.objects.get_or_create(account_sid=settings.TWILIO_ACCOUNT_SID)
    free = Q(started_at=None) | Q(started_at__lt=now - LEASE)
    if not copy_of_account().filter(free).update(started_at=now):
        raise SyncBusy
    return now


def _release(started: datetime, **values: Any) -> None:
    copy_of_account().filter(started_at=started).update(started_at=None, **values)


def copy_of_account() -> QuerySet[SyncState]:
    return SyncState.objects.filter(account_sid=settings.TWILIO_ACCOUNT_SID)


def _is_before_the_baseline() -> bool:
    return not copy_of_account().exclude(baseline_at=None).exists()


def _compare(seen: Iterable[Snapshot], read_at: int) -> SyncReport:
    """Takes over what differs, a flow that is in the copy and not in the listing too."""
    found: dict[str, Snapshot | None] = {snapshot["sid"]: masked(storable(snapshot)) for snapshot in seen}
    flows, is_known = len(found), Q(account_sid__in=["", settings.TWILIO_ACCOUNT_SID])
    here = {
        sid for sid, gone_at in Flow.objects.filter(is_known).values_list("sid", "gone_at") if not gone_at
    }
    found |= dict.fromkeys(here - found.keys())
    taken = _take_over(found, read_at)
    gone = {sid for sid in taken if found[sid] is None}
    changed = (taken & here) - gone
    return SyncReport(flows, len(taken - changed - gone), len(changed), len(gone))


def _take_over(found: Mapping[str, Snapshot | None], read_at: int) -> set[str]:
    """Puts on record what was found otherwise than known, and takes it over; the SIDs of what was written."""
    rows = Flow.objects.filter(sid__in=list(found)) if len(found) < BATCH else Flow.objects.all()
    known = {
        sid: None if gone_at else resource
        for sid, resource, gone_at in rows.values_list("sid", "resource", "gone_at")
    }
    is_baseline = _is_before_the_baseline()
    news = {
        sid: snapshot
        for sid, snapshot in found.items()
        if known.get(sid) != snapshot or (is_baseline and snapshot is not None)
    }
    if not news:
        return set()
    as_found = drift.note(news, read_at=read_at, is_baseline=is_baseline, mirrored=known)
    taken = {sid for sid in as_found if known.get(sid) != news[sid]}
    with transaction.atomic():
        list(rows.order_by("sid").select_for_update().values_list("sid"))  # a change that keeps waits here
        latest = drift.states(taken)  # what went on record meanwhile knows better
        taken = {sid for sid in taken if sid not in latest or latest[sid].seq <= as_found[sid]}
        _write({sid: news[sid] for sid in taken})
    return taken


def _write(found: Mapping[str, Snapshot | None]) -> None:
    now = timezone.now()
    rows = [_row(snapshot, now) for snapshot in found.values() if snapshot is not None]
    gone = [sid for sid, snapshot in found.items() if snapshot is None]
    Flow.objects.bulk_create(rows, batch_size=BATCH, **_upsert())
    for start in range(0, len(gone), BATCH):
        batch = Flow.objects.filter(sid__in=gone[start : start + BATCH], gone_at=None)
        batch.update(gone_at=now, mirrored_at=now)


def _row(snapshot: Snapshot, now: datetime) -> Flow:
    resource = dict(snapshot)
    name, identity = _text(resource.get("friendly_name")), _text(resource.get("contact_identity"))
    enabled = resource.get("enabled")
    return Flow(
        sid=resource["sid"],
        account_sid=_text(resource.get("account_sid"))[:34],
        friendly_name=name,
        name_folded=fold(name)[:NAME_MAX],
        channel_type=_text(resource.get("channel_type"))[:64],
        contact_identity=identity[:IDENTITY_MAX],
        identity_folded=fold(identity),
        enabled=enabled if isinstance(enabled, bool) else None,
        integration_type=_text(resource.get("integration_type"))[:64],
        date_created=schema.moment(resource.get("date_created")),
        date_updated=schema.moment(resource.get("date_updated")),
        resource=resource,
        mirrored_at=now,
        gone_at=None,
    )


def _upsert() -> dict[str, Any]:
    columns = [field.attname for field in Flow._meta.concrete_fields if not field.primary_key]
    return {"update_conflicts": True, "unique_fields": ["sid"], "update_fields": columns}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _words(error: BaseException) -> str:
    sentence = str(error) if isinstance(error, FlexError) else "the comparison broke off on this site's side"
    return sentence[:1].upper() + sentence[1:]
