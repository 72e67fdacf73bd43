"""Questions to the queue of background tasks, which is in the database."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django_tasks.base import Task


def is_waiting(task: Task[Any, Any], *arguments: Any) -> bool:
    """Return True if the task waits with these arguments, now or for a later time."""
    # Looked up late: this module is imported while the apps are set up.
    results = apps.get_model("django_tasks_database", "DBTaskResult").objects
    waiting = results.filter(status="READY", task_path=task.module_path)
    stored = list(arguments)
    return any(
        values.get("args") == stored for values in waiting.values_list("args_kwargs", flat=True)
    )
