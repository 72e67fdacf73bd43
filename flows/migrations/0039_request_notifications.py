from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def start_reading_the_log(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Read the log from here on, if no notification has begun to: requests are told of by rule."""
    head = apps.get_model("flows", "ChainHead").objects.order_by("-seq").first()
    apps.get_model("flows", "OutboxPosition").objects.get_or_create(
        name="notifications", defaults={"seq": head.seq if head else 0}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0038_bulk_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="subscription",
            name="one_own_subscription",
        ),
        migrations.AddField(
            model_name="subscription",
            name="is_automatic",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_automatic", False)),
                fields=("owner", "name"),
                name="one_own_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_automatic", True)),
                fields=("owner",),
                name="one_automatic_subscription",
            ),
        ),
        migrations.RunPython(start_reading_the_log, migrations.RunPython.noop),
    ]
