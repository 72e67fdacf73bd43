"""Masks what is kept of flows and plans by the rules of today, and reads the mirror's columns anew.

Earlier versions left secrets in webhooks' paths and in values with harmless names. The log is append-only:
its pages and exports mask what they show. A draft keeps what it asks for, since it can still be started.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from flows.mirror.mirror import extract_columns
from flows.redaction.masking import redact, redact_note, replace_unstorable

BATCH = 500


def mask_flows(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    flows = apps.get_model("flows", "Flow")
    for rows in _split_batches(flows, "sid"):
        for row in rows:
            row.resource = redact(replace_unstorable(row.resource))
            for column, value in extract_columns(row.resource).items():
                setattr(row, column, value)
        flows.objects.bulk_update(rows, ["resource", *extract_columns({})])


def mask_plans(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    changes, plans, closures = (
        apps.get_model("flows", name) for name in ("PlannedChange", "Plan", "Closure")
    )
    for rows in _split_batches(changes, "pk"):
        for row in rows:
            row.before, row.friendly_name = redact(row.before), redact(row.friendly_name)
            if row.done_at or row.skipped:
                row.asked = redact(row.asked)
        changes.objects.bulk_update(rows, ["before", "friendly_name", "asked"])
    for model in (plans, closures):
        for row in model.objects.exclude(reason=""):
            model.objects.filter(pk=row.pk).update(reason=redact_note(row.reason)[:200])


def _split_batches(model: Any, key: str) -> Iterator[list[Any]]:
    last: Any = None
    while True:
        rows = model.objects.order_by(key)
        if last is not None:
            rows = rows.filter(**{f"{key}__gt": last})
        batch = list(rows[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        yield batch


class Migration(migrations.Migration):
    dependencies = [("flows", "0015_decisions")]
    operations = [
        migrations.RunPython(mask_flows, migrations.RunPython.noop),
        migrations.RunPython(mask_plans, migrations.RunPython.noop),
    ]
