"""What Twilio refuses to list, for the pages of the Flex API."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0026_details_and_warnings"),
    ]

    operations = [
        migrations.CreateModel(
            name="ResourceRefusal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("resource", models.CharField(max_length=64)),
                ("status", models.IntegerField()),
                ("code", models.IntegerField(null=True)),
                ("refused_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "resource"), name="one_refusal_of_a_resource"
                    )
                ],
            },
        ),
    ]
