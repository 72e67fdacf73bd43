from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0013_log_entries"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account_sid", models.CharField(max_length=34)),
                ("operation", models.CharField(max_length=16)),
                ("free_at", models.TextField(default="[]")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_sid", "operation"), name="one_rate_limit_of_an_operation"
                    )
                ],
            },
        ),
    ]
