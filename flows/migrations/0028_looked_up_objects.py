"""Objects that were looked up by their SID, for resources that Twilio does not list."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0027_resource_refusals"),
    ]

    operations = [
        migrations.CreateModel(
            name="LookedUpObject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("resource", models.CharField(max_length=64)),
                ("sid", models.CharField(max_length=34)),
                ("first_at", models.DateTimeField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["account_sid", "resource", "-at"], name="latest_lookups")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "resource", "sid"), name="one_lookup_of_an_object"
                    )
                ],
            },
        ),
    ]
