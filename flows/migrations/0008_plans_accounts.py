"""A planned change says in which account it is: of those that were planned before, the account of its flow,
or the first of the site, which was its only one."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps: Any, _schema_editor: Any) -> None:
    planned, flows = (apps.get_model("flows", name) for name in ("PlannedChange", "Flow"))
    owner = flows.objects.filter(pk=OuterRef("target_sid")).values("account_sid")
    first = settings.FLEX_ACCOUNTS[0].sid  # the one that the site had until now
    planned.objects.update(account_sid=Coalesce(Subquery(owner), models.Value(first)))


class Migration(migrations.Migration):
    dependencies = [("flows", "0007_plans")]

    operations = [
        migrations.AddField(
            "plannedchange",
            "account_sid",
            models.CharField(blank=True, default="", max_length=34),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
