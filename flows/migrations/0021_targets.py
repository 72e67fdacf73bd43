"""Store the targets of each flow, and which flows use a target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from flows.core import triggers
from flows.core.triggers import Trigger
from flows.migrations._frozen_text import normalize_text
from flows.search import counters, projection, target_tables

BATCH = 2000

# What the site took for the targets of a flow when it had this migration: kind, field, and the
# integration type that uses the field, or "" for every type. Today's rules are in
# flows/mirror/targets.py. They may change, but not what this migration stores.
FIELDS = (
    ("studio-flow", "integration_flow_sid", "studio"),
    ("webhook", "integration_url", "external"),
    ("workflow", "integration_workflow_sid", "task"),
    ("workspace", "integration_workspace_sid", "task"),
    ("task-channel", "integration_channel", "task"),
    ("chat-service", "chat_service_sid", ""),
)
TYPES = ("studio", "external", "task")
MAX_LENGTH = 500


def find_targets(snapshot: Mapping[str, Any]) -> list[list[str]]:
    """Return the targets of a flow, each as its kind, its value and its normalized value."""
    return [
        [kind, value, normalize_text(value)[:MAX_LENGTH]]
        for kind, value in find_target_values(snapshot)
    ]


def find_target_values(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    flow_type = find_type(snapshot)
    for kind, name, used_by in FIELDS:
        is_unused = flow_type in TYPES and used_by not in ("", flow_type)
        value = "" if is_unused else find_target_value(kind, snapshot.get(name))
        if value:
            yield kind, value


def find_type(snapshot: Mapping[str, Any]) -> str:
    """Return the integration type. Twilio takes a flow without one for a Studio Flow's."""
    flow_type = snapshot.get("integration_type")
    if flow_type in (None, ""):
        return "studio" if snapshot.get("integration_flow_sid") not in (None, "") else ""
    return flow_type.strip().lower() if isinstance(flow_type, str) else ""


def find_target_value(kind: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        return ""
    if kind != "webhook":
        return value[:MAX_LENGTH]
    try:
        return (urlsplit(value).hostname or "")[:MAX_LENGTH]
    except ValueError:
        return ""


def drop_triggers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers of the mirror's table, which SQLite has to rebuild for a new column."""
    triggers.drop_triggers(schema_editor.connection, _triggers(schema_editor))


def create_triggers(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    triggers.create_triggers(schema_editor.connection, _triggers(schema_editor))


def _triggers(schema_editor: BaseDatabaseSchemaEditor) -> list[Trigger]:
    vendor = schema_editor.connection.vendor
    return [*projection.TRIGGERS[vendor], *counters.TRIGGERS[vendor]]


def fill_targets(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("flows", "Flow").objects.values_list("sid", "resource")
    values = [(json.dumps(find_targets(resource)), sid) for sid, resource in rows.iterator(BATCH)]
    with schema_editor.connection.cursor() as cursor:
        for start in range(0, len(values), BATCH):
            cursor.executemany(
                "UPDATE flows_flow SET targets = %s WHERE sid = %s", values[start : start + BATCH]
            )


def install(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    target_tables.install(schema_editor.connection)


def drop(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    target_tables.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("flows", "0020_names")]

    operations = [
        migrations.RunPython(drop_triggers, create_triggers),
        migrations.AddField("flow", "targets", models.JSONField(default=list)),
        migrations.CreateModel(
            name="Target",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("kind", models.CharField(max_length=16)),
                ("value", models.CharField(max_length=500)),
                ("value_folded", models.CharField(max_length=500)),
                ("flows_on", models.IntegerField()),
                ("flows_off", models.IntegerField()),
                ("flows_gone", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "kind", "value"), name="one_target_of_a_value"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TargetUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("flow_sid", models.CharField(max_length=34)),
                (
                    "target",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="flows.target",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["target", "flow_sid"], name="use_target"),
                    models.Index(fields=["flow_sid", "target"], name="use_flow"),
                ],
            },
        ),
        migrations.RunPython(fill_targets, migrations.RunPython.noop),
        migrations.RunPython(create_triggers, drop_triggers),
        migrations.RunPython(install, drop),
    ]
