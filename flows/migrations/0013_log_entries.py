from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from flows.audit import log_entries


def fill(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    events, entries = apps.get_model("flows", "AuditEvent"), apps.get_model("flows", "AuditEntry")
    log_entries.rebuild(events.objects, entries.objects)


def one_to_one(column: str, *, primary_key: bool = False, related_name: str = "+") -> Any:
    return models.OneToOneField(
        "flows.auditevent",
        db_column=column,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        primary_key=primary_key,
        serialize=not primary_key,
        related_name=related_name,
    )


def index(name: str, *fields: str, condition: models.Q | None = None) -> migrations.AddIndex:
    return migrations.AddIndex(
        "auditentry", models.Index(fields=list(fields), name=name, condition=condition)
    )


RESOLVED = models.Q(("resolved_by__isnull", False))


class Migration(migrations.Migration):
    dependencies = [("flows", "0012_missing_flows")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("start", one_to_one("seq", primary_key=True)),
                ("outcome", one_to_one("outcome_seq", related_name="entry")),
                ("at", models.DateTimeField()),
                ("change_id", models.UUIDField(null=True, unique=True)),
                ("request_id", models.UUIDField(null=True)),
                ("action", models.CharField(max_length=64)),
                ("result", models.CharField(max_length=16)),
                ("actor_label", models.CharField(blank=True, max_length=150)),
                ("resolved_by", models.CharField(max_length=150, null=True)),
                ("account_sid", models.CharField(blank=True, max_length=34)),
                ("target_sid", models.CharField(blank=True, max_length=64)),
                ("text", models.TextField(blank=True)),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        # After the rows, which come in sooner without them.
        index("log_actor", "actor_label", "-start"),
        index("log_action", "action", "-start"),
        index("log_result", "result", "-start"),
        index("log_target", "target_sid", "-start"),
        index("log_request", "request_id", "-start"),
        index("log_account", "account_sid", "-start"),
        index("log_account_actor", "account_sid", "actor_label", "-start"),
        index("log_account_action", "account_sid", "action", "-start"),
        index("log_account_result", "account_sid", "result", "-start"),
        index("log_resolved", "-start", "resolved_by", condition=RESOLVED),
        index("log_resolver", "resolved_by", "-start", condition=RESOLVED),
        # The list reads entries alone now.
        migrations.RemoveIndex("auditevent", "event_actor"),
        migrations.RemoveIndex("auditevent", "event_result"),
        migrations.RemoveIndex("auditevent", "event_account"),
        migrations.RemoveIndex("auditevent", "event_account_actor"),
        migrations.RemoveIndex("auditevent", "event_account_action"),
        migrations.RemoveIndex("auditevent", "event_account_result"),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["remote_request_id"], name="event_remote_request")
        ),
    ]
