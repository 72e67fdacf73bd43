"""Names of modules that a database keeps: the module of a queued background task, and the authentication backend
of each session. Both have moved; without this, queued bulk changes would stop and everybody would be signed out."""

from django.apps.registry import Apps
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TASKS = {"flows.services.plans.carry_on": "flows.plans.execution.run_plan"}
BACKENDS = {"flexadmin.roles.RolesBackend": "flexadmin.users.roles.RolesBackend"}
BACKEND_KEY = "_auth_user_backend"


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    using = schema_editor.connection.alias
    tasks = apps.get_model("django_tasks_database", "DBTaskResult").objects.using(using)
    for old, new in TASKS.items():
        tasks.filter(task_path=old).update(task_path=new)
    store = SessionStore()
    for session in apps.get_model("sessions", "Session").objects.using(using).iterator():
        data = store.decode(
            session.session_data
        )  # empty if it was signed with a key that is no more
        new_backend = BACKENDS.get(data.get(BACKEND_KEY, ""))
        if new_backend:
            session.session_data = store.encode({**data, BACKEND_KEY: new_backend})
            session.save(update_fields=["session_data"])


class Migration(migrations.Migration):
    dependencies = [
        ("flexadmin", "0004_sign_in_state"),
        ("django_tasks_database", "0001_initial"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
