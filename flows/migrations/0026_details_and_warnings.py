"""Store what searches compare tags with, and which flows have warnings about their own settings."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from flows.migrations._frozen_text import normalize_text

MAX_LENGTH = 200


def fold_tags(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    tags = apps.get_model("flows", "FlowTag").objects
    for name in list(tags.values_list("name", flat=True).distinct()):
        tags.filter(name=name).update(name_folded=normalize_text(name)[:MAX_LENGTH])


class Migration(migrations.Migration):
    dependencies = [("flows", "0025_erase_permission")]

    operations = [
        migrations.AddField(
            "flowtag",
            "name_folded",
            models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(fold_tags, migrations.RunPython.noop),
        migrations.AddIndex(
            "flowtag", models.Index(fields=["name_folded", "details"], name="tag_name_folded")
        ),
        # It is null until the checks have run, which `migrate` does at its end. So SQLite need not
        # rebuild the table, which would lose its triggers.
        migrations.AddField("flow", "has_warnings", models.BooleanField(null=True)),
        migrations.AddIndex(
            "flow",
            models.Index(
                condition=models.Q(has_warnings=True), fields=["sid"], name="flow_has_warnings"
            ),
        ),
    ]
