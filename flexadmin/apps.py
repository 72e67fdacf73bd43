"""Makes the roles' groups after each migration, looks for rights from outside, and counts the calls to Twilio."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class FlexadminConfig(AppConfig):
    name = "flexadmin"

    def ready(self) -> None:
        from flexadmin.ops import metrics, system_checks  # noqa: F401 - checks register themselves
        from flexadmin.users import outside_rights, recorded_roles
        from flexadmin.users.roles import after_migrate
        from flows.accounts.clients import call_finished
        from flows.audit import consistency

        # With flows, the last app of all, so that its permissions are there.
        last = apps.get_app_config("flows")
        post_migrate.connect(after_migrate, sender=last)
        post_migrate.connect(
            outside_rights.after_migrate, sender=last, dispatch_uid="flexadmin.outside_rights"
        )
        call_finished.connect(metrics.observe_call)
        consistency.register(recorded_roles.find_differences)
