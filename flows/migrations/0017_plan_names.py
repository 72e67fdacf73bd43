"""Give the fields of bulk changes plain names. The tables and their columns stay as they are."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


def rename(model: str, column: str, name: str, field: models.Field[Any, Any]) -> list[Operation]:
    """Return the operations that rename a field. `field` has the column's name as `db_column`."""
    return [
        migrations.AlterField(model, column, field),
        migrations.RenameField(model, column, name),
    ]


class Migration(migrations.Migration):
    dependencies = [("flows", "0016_masked_anew")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("plannedchange", "one_change_of_a_place"),
                *rename(
                    "plan",
                    "undoes",
                    "rollback_of",
                    models.ForeignKey(
                        "flows.plan",
                        on_delete=django.db.models.deletion.SET_NULL,
                        null=True,
                        related_name="rollbacks",
                        db_column="undoes_id",
                    ),
                ),
                *rename("plan", "made_at", "created_at", models.DateTimeField(db_column="made_at")),
                *rename(
                    "plan",
                    "made_by",
                    "created_by",
                    models.CharField(max_length=150, db_column="made_by"),
                ),
                *rename(
                    "plan",
                    "stop_asked_at",
                    "stop_requested_at",
                    models.DateTimeField(null=True, db_column="stop_asked_at"),
                ),
                *rename(
                    "plan",
                    "ended_because",
                    "stop_reason",
                    models.CharField(blank=True, max_length=200, db_column="ended_because"),
                ),
                *rename(
                    "plan", "runner", "lease_id", models.UUIDField(null=True, db_column="runner")
                ),
                *rename(
                    "plan",
                    "alive_at",
                    "heartbeat_at",
                    models.DateTimeField(null=True, db_column="alive_at"),
                ),
                migrations.AlterModelOptions("plan", options={"ordering": ["-created_at"]}),
                *rename(
                    "plannedchange", "place", "position", models.IntegerField(db_column="place")
                ),
                *rename(
                    "plannedchange",
                    "asked",
                    "requested",
                    models.JSONField(default=dict, db_column="asked"),
                ),
                *rename(
                    "plannedchange",
                    "repeats",
                    "retry_of",
                    models.UUIDField(null=True, db_column="repeats"),
                ),
                *rename(
                    "plannedchange",
                    "skipped",
                    "skip_reason",
                    models.CharField(blank=True, max_length=300, db_column="skipped"),
                ),
                migrations.AddConstraint(
                    "plannedchange",
                    models.UniqueConstraint(
                        fields=("plan", "position"), name="one_change_of_a_place"
                    ),
                ),
            ]
        )
    ]
