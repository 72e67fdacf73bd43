"""Add the tables of owners, tags and notes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0021_targets"),
    ]

    operations = [
        migrations.CreateModel(
            name="LocalDetails",
            fields=[
                ("sid", models.CharField(max_length=34, primary_key=True, serialize=False)),
                ("account_sid", models.CharField(max_length=34)),
                ("owner", models.CharField(blank=True, max_length=60)),
                ("owner_folded", models.TextField(blank=True)),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["owner_folded", "owner", "account_sid", "sid"], name="details_owner"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FlowTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("name", models.CharField(max_length=30)),
                (
                    "details",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="flows.localdetails",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["name", "account_sid", "details"], name="tag_name")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("details", "name"), name="one_tag_of_a_name")
                ],
            },
        ),
    ]
