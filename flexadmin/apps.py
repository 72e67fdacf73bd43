"""Makes the roles' groups after each migration, and counts the calls to Twilio."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class FlexadminConfig(AppConfig):
    name = "flexadmin"

    def ready(self) -> None:
        from flexadmin import checks, metrics  # noqa: F401 - checks register themselves; models are not there before
        from flexadmin.roles import ensure_groups
        from flows.services.twilio import called

        # With flows, the last app of all, so that its permissions are there.
        post_migrate.connect(ensure_groups, sender=apps.get_app_config("flows"))
        called.connect(metrics.observe)
