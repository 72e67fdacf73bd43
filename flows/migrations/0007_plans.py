"""Plans of many changes, and the events of one plan at once."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0006_saved_views"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=150)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("actor", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField(null=True)),
                ("stop_asked_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_because", models.CharField(blank=True, max_length=200)),
                ("runner", models.UUIDField(null=True)),
                ("alive_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-made_at"],
            },
        ),
        migrations.CreateModel(
            name="PlannedChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.IntegerField()),
                ("change_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("action", models.CharField(max_length=64)),
                ("target_sid", models.CharField(blank=True, max_length=34)),
                ("friendly_name", models.TextField(blank=True)),
                ("before", models.JSONField(default=dict)),
                ("asked", models.JSONField(default=dict)),
                ("refers_to", models.UUIDField(null=True)),
                ("repeats", models.UUIDField(null=True)),
                ("skipped", models.CharField(blank=True, max_length=300)),
                ("done_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["request_id", "seq"], name="event_request"),
        ),
        migrations.AddField(
            model_name="plan",
            name="undoes",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="flows.plan",
            ),
        ),
        migrations.AddField(
            model_name="plannedchange",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="flows.plan"
            ),
        ),
        migrations.AddIndex(
            model_name="plannedchange",
            index=models.Index(fields=["target_sid"], name="planned_target"),
        ),
        migrations.AddConstraint(
            model_name="plannedchange",
            constraint=models.UniqueConstraint(
                fields=("plan", "place"), name="one_change_of_a_place"
            ),
        ),
    ]
