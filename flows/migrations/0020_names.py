"""Add the names of what flows point to, and the state of reading them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0019_plain_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="NameRefresh",
            fields=[
                ("account_sid", models.CharField(max_length=34, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="NameReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("resource", models.CharField(max_length=32)),
                ("read_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("status", models.IntegerField(null=True)),
                ("code", models.IntegerField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "resource"), name="one_reading_of_a_resource"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ResourceName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("sid", models.CharField(max_length=34)),
                ("resource", models.CharField(max_length=32)),
                ("name", models.TextField(blank=True)),
                ("name_folded", models.TextField(blank=True)),
                ("status", models.CharField(blank=True, max_length=32)),
                ("parent_sid", models.CharField(blank=True, max_length=34)),
                ("reference", models.TextField(blank=True)),
                ("revision", models.IntegerField(null=True)),
                ("changed_at", models.DateTimeField()),
                ("gone_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account_sid", "sid"), name="one_name_of_a_sid")
                ],
            },
        ),
    ]
