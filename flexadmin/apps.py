"""The site's app: groups of the roles after a migration, the checks, and the count of calls."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class FlexadminConfig(AppConfig):
    name = "flexadmin"

    def ready(self) -> None:
        from flexadmin.ops import metrics, system_checks  # noqa: F401 - checks register themselves
        from flexadmin.signin.actions import SigninAction
        from flexadmin.users import outside_rights, recorded_roles
        from flexadmin.users.actions import UserAction
        from flexadmin.users.roles import after_migrate
        from flows.accounts.clients import call_finished
        from flows.audit import action_registry, consistency

        # The last app to be migrated, so that all permissions exist.
        last_app = apps.get_app_config("flows")
        post_migrate.connect(after_migrate, sender=last_app)
        post_migrate.connect(
            outside_rights.after_migrate, sender=last_app, dispatch_uid="flexadmin.outside_rights"
        )
        call_finished.connect(metrics.observe_call)
        action_registry.register(SigninAction, UserAction)
        consistency.register(recorded_roles.find_differences)
