from typing import Any

from django.db import migrations


def name_the_provider(apps: Any, _schema_editor: Any) -> None:
    """A person who comes by single sign-on is found by the provider's name and its id of them, not by the id alone.
    Where the provider is not known, the tie lets nobody in any more."""
    for tie in (
        apps.get_model("socialaccount", "SocialAccount").objects.filter(provider="oidc").iterator()
    ):
        issuer = ((tie.extra_data or {}).get("id_token") or {}).get("iss", "")
        if issuer and not tie.uid.startswith(f"{issuer} "):
            tie.uid = f"{issuer} {tie.uid}"[:191]
            tie.save(update_fields=["uid"])


class Migration(migrations.Migration):
    dependencies = [
        ("flexadmin", "0002_who_gets_in"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [migrations.RunPython(name_the_provider, migrations.RunPython.noop)]
