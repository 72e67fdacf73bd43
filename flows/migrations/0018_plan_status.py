"""Store the status of a bulk change, which was derived from its times until now."""

from typing import Any

from django.db import migrations, models
from django.db.models import Case, Value, When


def fill(apps: Any, _schema_editor: Any) -> None:
    status = Case(
        When(started_at=None, then=Value("draft")),
        When(ended_at=None, stop_requested_at=None, then=Value("running")),
        When(ended_at=None, then=Value("stopping")),
        When(stop_reason="", then=Value("done")),
        default=Value("stopped"),
    )
    apps.get_model("flows", "Plan").objects.update(status=status)


class Migration(migrations.Migration):
    dependencies = [("flows", "0017_plan_names")]

    operations = [
        migrations.AddField(
            "plan",
            "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("running", "In progress"),
                    ("stopping", "Stopping"),
                    ("stopped", "Stopped"),
                    ("done", "Finished"),
                ],
                default="draft",
                max_length=16,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
