from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Exists, OuterRef


def find_what_is_open(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The table follows from the log: attempts without an outcome, or with one that is not known."""
    event, open_change = (
        apps.get_model("flows", "AuditEvent"),
        apps.get_model("flows", "OpenChange"),
    )
    later = event.objects.filter(change_id=OuterRef("change_id"))
    settled = later.filter(stage="reconciled") | later.filter(stage="outcome").exclude(
        result="unknown"
    )
    for attempt in event.objects.filter(~Exists(settled), stage="attempt"):
        latest = event.objects.filter(change_id=attempt.change_id).order_by("-seq").first()
        open_change.objects.create(
            change_id=attempt.change_id,
            attempt=attempt,
            latest=latest,
            action=attempt.action,
            target_sid=attempt.target_sid,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0004_doubt"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpenChange",
            fields=[
                ("change_id", models.UUIDField(primary_key=True, serialize=False)),
                ("action", models.CharField(max_length=64)),
                ("target_sid", models.CharField(blank=True, db_index=True, max_length=64)),
                ("not_applied_at", models.DateTimeField(null=True)),
                ("puzzle", models.CharField(blank=True, max_length=200)),
                ("candidates", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="OpenDrift",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="open_drift",
                        serialize=False,
                        to="flows.auditevent",
                    ),
                ),
                ("target_sid", models.CharField(db_index=True, max_length=64)),
            ],
        ),
        migrations.DeleteModel(
            name="Doubt",
        ),
        migrations.AddField(
            model_name="auditevent",
            name="refers_to",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="auditpayload",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="syncstate",
            name="baseline_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("refers_to__isnull", False)),
                fields=["refers_to"],
                name="event_refers_to",
            ),
        ),
        migrations.AddField(
            model_name="openchange",
            name="attempt",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="flows.auditevent"
            ),
        ),
        migrations.AddField(
            model_name="openchange",
            name="latest",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="flows.auditevent"
            ),
        ),
        migrations.RunPython(find_what_is_open, migrations.RunPython.noop, elidable=True),
    ]
