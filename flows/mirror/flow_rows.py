"""Rows of the mirror: snapshots of flows as they are stored, loaded and split into columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from flows.accounts.update_signals import announce_update
from flows.core.bulk_insert import insert_rows
from flows.core.database import BATCH_SIZE, split_batches
from flows.core.normalization import normalize_text
from flows.mirror import snapshot_checks
from flows.mirror.models import Flow
from flows.mirror.targets import find_targets
from flows.redaction.redacted import Redacted
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

# PostgreSQL refuses to index more than 2,704 bytes. Twilio's own limit is 256 characters.
# The `resource` column has the whole text.
NAME_MAX, IDENTITY_MAX, CHANNEL_MAX = 500, 500, 64


def query_flows(sids: Collection[str]) -> QuerySet[Flow]:
    """Return at least the rows of these flows: all rows if there are too many SIDs for a query."""
    return Flow.objects.filter(sid__in=list(sids)) if len(sids) < BATCH_SIZE else Flow.objects.all()


def load_snapshots(rows: QuerySet[Flow]) -> dict[str, Redacted | None]:
    """Return the stored snapshot of each flow by SID, None for a deleted flow."""
    texts = rows.annotate(text=Cast("resource", TextField())).values_list("sid", "text", "gone_at")
    loaded = list(texts)
    # One call for all of them: parsing flow by flow takes twice the time.
    resources = json.loads(f"[{','.join(text for _, text, _ in loaded)}]")
    return {
        sid: None if gone_at else resource
        for (sid, _, gone_at), resource in zip(loaded, resources, strict=True)
    }


def select_differing(
    states: Mapping[str, Redacted | None], mirrored: Mapping[str, Redacted | None]
) -> dict[str, Redacted | None]:
    """Return the states that differ from the mirror's."""
    differing = {}
    for sid, snapshot in states.items():
        mirrored_snapshot = mirrored.get(sid)
        # Most are the same object, which is quicker to see than equality.
        if mirrored_snapshot is not snapshot and mirrored_snapshot != snapshot:
            differing[sid] = snapshot
    return differing


def save_snapshots(snapshots: Mapping[str, Redacted | None], account_sid: str) -> None:
    """Store these flows of an account. None marks a flow as deleted and keeps its last values."""
    mirrored_at = timezone.now()
    rows: list[dict[str, Any]] = []
    deleted_sids: list[str] = []
    for sid, snapshot in snapshots.items():
        if snapshot is None:
            deleted_sids.append(sid)
        else:
            rows.append(_row_values(snapshot, account_sid, mirrored_at))
    for row_batch in split_batches(rows):
        insert_rows(Flow, row_batch, overwrite=True)
    for batch in split_batches(deleted_sids):
        flows = Flow.objects.filter(sid__in=batch, gone_at=None)
        flows.update(gone_at=mirrored_at, mirrored_at=mirrored_at)
    if snapshots:
        transaction.on_commit(partial(announce_update, account_sid), robust=True)


def build_row(snapshot: Redacted, account_sid: str, mirrored_at: datetime) -> Flow:
    """Return a snapshot as an unsaved row."""
    return Flow(**_row_values(snapshot, account_sid, mirrored_at))


def _row_values(snapshot: Redacted, account_sid: str, mirrored_at: datetime) -> dict[str, Any]:
    """Return the values of a snapshot's row by column."""
    return {
        "sid": snapshot["sid"],
        "account_sid": account_sid,
        "resource": snapshot,
        "mirrored_at": mirrored_at,
        "gone_at": None,
        "targets": find_targets(snapshot),
        "has_warnings": snapshot_checks.has_warnings(snapshot),
        **extract_columns(snapshot),
    }


def extract_columns(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that are taken from a snapshot, normalized for searching and sorting."""
    name = _as_text(resource.get("friendly_name"))
    identity = _as_text(resource.get("contact_identity"))
    enabled = FLEX_FLOW.normalize_value("enabled", resource.get("enabled"))
    integration = FLEX_FLOW.variant_of(resource) or _as_text(resource.get("integration_type"))
    channel = FLEX_FLOW.normalize_value("channel_type", resource.get("channel_type"))
    return {
        "friendly_name": name,
        "name_folded": normalize_text(name)[:NAME_MAX],
        "channel_type": _as_text(channel)[:CHANNEL_MAX],
        "contact_identity": identity[:IDENTITY_MAX],
        "identity_folded": normalize_text(identity)[:IDENTITY_MAX],
        "enabled": enabled if isinstance(enabled, bool) else None,
        "integration_type": integration[:64],
        "date_created": parse_datetime(resource.get("date_created")),
        "date_updated": parse_datetime(resource.get("date_updated")),
    }


def _as_text(value: Any) -> str:
    return "" if value is None else labels.value_to_text(value)
