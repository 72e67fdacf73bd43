"""The permission to erase personal data, which administrators of every account have."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("flows", "0024_shared_views")]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "permissions": [
                    ("export_auditevent", "Can export the audit log"),
                    ("erase_auditevent", "Can erase personal data"),
                ]
            },
        )
    ]
