"""Give the fields of open changes and closures plain names. The columns stay as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0018_plan_status")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "openchange",
                    "puzzle",
                    models.CharField(blank=True, max_length=200, db_column="puzzle"),
                ),
                migrations.RenameField("openchange", "puzzle", "ambiguity"),
                migrations.AlterField(
                    "closure",
                    "said_by",
                    models.CharField(blank=True, max_length=150, db_column="said_by"),
                ),
                migrations.RenameField("closure", "said_by", "actor_label"),
            ]
        )
    ]
