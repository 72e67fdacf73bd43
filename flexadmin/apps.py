"""Makes the roles' groups after each migration."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class FlexadminConfig(AppConfig):
    name = "flexadmin"

    def ready(self) -> None:
        from flexadmin.roles import ensure_groups  # models are not there before

        # With flows, the last app of all, so that its permissions are there.
        post_migrate.connect(ensure_groups, sender=apps.get_app_config("flows"))
