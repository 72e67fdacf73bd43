"""The mirror: Twilio's flows as they were last seen. `sync` pulls them all and compares; `fetch` reads one;
`take_over` keeps what an answer said. It never writes to Twilio.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from flows.flexapi.errors import FlexError, Refused
from flows.flexapi.schema import Snapshot
from flows.folding import fold
from flows.masking import masked, storable
from flows.models import Flow, SyncState
from flows.services.twilio import READ_DEADLINE, flex_client

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # after this, a sync that never ended is taken for dead
FRESH_FOR = timedelta(seconds=30)
SYNC_DEADLINE = 30.0  # seconds a page of 1,000 flows may take
# Twilio's own codes; a 404 without one may be a proxy's, or of a wrong address.
NOT_FOUND = frozenset({20404, 45205})
# PostgreSQL refuses to index more than 2,704 bytes; Twilio's own limit is 256 characters. `resource` has it all.
NAME_MAX, IDENTITY_MAX = 600, 500


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
    """Pulls all flows and makes the mirror equal to them. One at a time: `SyncBusy` if one is under way.
    A `FlexError` leaves the mirror as it was, and is kept for the pages to tell."""
    started = _claim()
    try:
        seen = list(flex_client(deadline=SYNC_DEADLINE).list())
        report = _compare(seen, started)
    except BaseException as error:
        _release(started, failed_at=timezone.now(), error=_words(error))
        raise
    _release(started, synced_at=timezone.now(), failed_at=None, error="", flows=report.flows)
    return report


def copy_state() -> SyncState:
    """How old the copy is and how the last sync went; a new site has an empty one."""
    account_sid = settings.TWILIO_ACCOUNT_SID
    return SyncState.objects.filter(account_sid=account_sid).first() or SyncState(account_sid=account_sid)


def is_stale(state: SyncState, *, now: datetime | None = None) -> bool:
    """Whether the list page should refresh the copy by itself: it is old, and no failure was just now."""
    last = max((at for at in (state.synced_at, state.failed_at) if at), default=None)
    return last is None or (now or timezone.now()) - last > FRESH_FOR


def fetch(sid: str, *, deadline: float = READ_DEADLINE) -> Snapshot:
    """The flow as it is at Twilio now, secrets and all; the mirror takes it over. 404 marks it gone."""
    asked_at = timezone.now()
    try:
        snapshot = flex_client(deadline=deadline).fetch(sid)
    except Refused as refused:
        if is_gone(refused):
            mark_gone(sid)
        raise
    take_over(snapshot, asked_at=asked_at)
    return snapshot


def take_over(snapshot: Snapshot, *, asked_at: datetime | None = None) -> None:
    """Keeps what Twilio just said of one flow, unless the copy took something over after `asked_at`."""
    with _only_a_copy(), transaction.atomic():
        row = _row(snapshot, timezone.now())
        known = Flow.objects.select_for_update().filter(sid=row.sid).first()
        if asked_at is None or known is None or known.mirrored_at <= asked_at:
            Flow.objects.bulk_create([row], **_upsert())


def is_gone(error: FlexError | None) -> bool:
    """Whether Twilio says that it has no such flow."""
    return error is not None and error.status == 404 and error.code in NOT_FOUND


def mark_gone(sid: str) -> None:
    """Notes that Twilio has this flow no more. What was last seen of it stays."""
    now = timezone.now()
    with _only_a_copy():
        Flow.objects.filter(sid=sid, gone_at=None).update(gone_at=now, mirrored_at=now)


@contextlib.contextmanager
def _only_a_copy() -> Iterator[None]:
    """That the copy can't be written must not hide what Twilio said; the next sync brings it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        # The kind alone: a database's own words can quote the row.
        log.error("the mirror could not take over what Twilio said: %s", type(error).__name__)


def _claim() -> datetime:
    now = timezone.now()
    SyncState.objects.get_or_create(account_sid=settings.TWILIO_ACCOUNT_SID)
    free = Q(started_at=None) | Q(started_at__lt=now - LEASE)
    if not SyncState.objects.filter(free, account_sid=settings.TWILIO_ACCOUNT_SID).update(started_at=now):
        raise SyncBusy
    return now


def _release(started: datetime, **values: Any) -> None:
    mine = SyncState.objects.filter(account_sid=settings.TWILIO_ACCOUNT_SID, started_at=started)
    mine.update(started_at=None, **values)


def _compare(seen: Iterable[Snapshot], started: datetime) -> SyncReport:
    """Writes what differs. A row that took something over since the listing began knows better, and stays."""
    now = timezone.now()
    rows = {row.sid: row for row in (_row(snapshot, now) for snapshot in seen)}
    with transaction.atomic():
        known = {
            row.sid: row
            for row in Flow.objects.select_for_update().filter(
                account_sid__in=["", settings.TWILIO_ACCOUNT_SID]
            )
        }
        newer = {sid for sid, row in known.items() if row.mirrored_at >= started}
        created = [row for sid, row in rows.items() if sid not in known]
        changed = [
            row
            for sid, row in rows.items()
            if sid in known
            and sid not in newer
            and (known[sid].resource != row.resource or known[sid].gone_at)
        ]
        gone = [sid for sid in known if sid not in rows and sid not in newer and not known[sid].gone_at]
        Flow.objects.bulk_create([*created, *changed], batch_size=500, **_upsert())
        for start in range(0, len(gone), 500):
            Flow.objects.filter(sid__in=gone[start : start + 500]).update(gone_at=now, mirrored_at=now)
    return SyncReport(len(rows), len(created), len(changed), len(gone))


def _row(snapshot: Snapshot, now: datetime) -> Flow:
    resource = masked(storable(snapshot))
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
        date_created=_moment(resource.get("date_created")),
        date_updated=_moment(resource.get("date_updated")),
        resource=resource,
        mirrored_at=now,
        gone_at=None,
    )


def _upsert() -> dict[str, Any]:
    columns = [field.attname for field in Flow._meta.concrete_fields if not field.primary_key]
    return {"update_conflicts": True, "unique_fields": ["sid"], "update_fields": columns}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _moment(value: Any) -> datetime | None:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(error: BaseException) -> str:
    sentence = str(error) if isinstance(error, FlexError) else "the comparison broke off on this site's side"
    return sentence[:1].upper() + sentence[1:]
