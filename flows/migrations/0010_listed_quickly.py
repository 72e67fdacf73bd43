from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Length

from flows.search import index_tables

MOST = 500  # letters: with the other columns of an index, what PostgreSQL indexes at most


def shorten(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    flows = apps.get_model("flows", "Flow").objects
    for column in ("name_folded", "identity_folded"):
        long = (
            flows.annotate(letters=Length(column))
            .filter(letters__gt=MOST)
            .values_list("sid", column)
        )
        for sid, text in list(long):
            flows.filter(sid=sid).update(**{column: text[:MOST]})


def install(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for part in index_tables.FIRST_PARTS:
        part.install(schema_editor.connection)


def lift(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for part in reversed(index_tables.FIRST_PARTS):
        part.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("flows", "0009_closures")]
    operations = [
        migrations.RunPython(shorten, migrations.RunPython.noop),
        migrations.CreateModel(
            name="FlowTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("channel_type", models.CharField(max_length=64)),
                ("integration_type", models.CharField(max_length=64)),
                ("state", models.CharField(max_length=8)),
                ("flows", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "channel_type", "integration_type", "state"),
                        name="one_tally_of_a_kind",
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="FlowEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sid", models.CharField(max_length=34, unique=True)),
                ("account_sid", models.CharField(max_length=34)),
                ("name_folded", models.TextField()),
                ("identity_folded", models.TextField()),
                ("channel_type", models.CharField(max_length=64)),
                ("integration_type", models.CharField(max_length=64)),
                ("enabled", models.BooleanField(null=True)),
                ("date_updated", models.DateTimeField(null=True)),
                ("gone_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("gone_at", None)),
                        fields=[
                            "name_folded",
                            "sid",
                            "account_sid",
                            "channel_type",
                            "integration_type",
                            "enabled",
                            "gone_at",
                        ],
                        name="entry_name",
                    ),
                    models.Index(
                        condition=models.Q(("gone_at", None)),
                        fields=["identity_folded", "sid", "gone_at"],
                        name="entry_identity",
                    ),
                    models.Index(
                        condition=models.Q(("gone_at", None)),
                        fields=["date_updated", "name_folded", "sid", "gone_at"],
                        name="entry_updated",
                    ),
                    models.Index(
                        condition=models.Q(("gone_at__isnull", False)),
                        fields=["gone_at"],
                        name="entry_gone",
                    ),
                ]
            },
        ),
        migrations.RunPython(install, lift),
    ]
