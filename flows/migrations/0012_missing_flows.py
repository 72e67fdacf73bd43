from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0011_log_pages"),
    ]

    operations = [
        migrations.CreateModel(
            name="MissingFlow",
            fields=[
                ("sid", models.CharField(max_length=34, primary_key=True, serialize=False)),
                ("account_sid", models.CharField(db_index=True, max_length=34)),
                ("since", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField("syncstate", "missing", models.IntegerField(default=0)),
        migrations.AddField("syncstate", "missing_checked", models.IntegerField(default=0)),
        migrations.AddField("syncstate", "left_out", models.IntegerField(default=0)),
        migrations.AddField(
            "syncstate",
            "check_error",
            models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
    ]
