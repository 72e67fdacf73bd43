"""`db_worker`: the worker of django-tasks-db, with a heartbeat that the overview shows."""

from __future__ import annotations

from typing import Any

from django_tasks_db.management.commands.db_worker import Command as WorkerCommand

from flexadmin.ops import worker_heartbeat


class Command(WorkerCommand):
    def handle(self, *, batch: bool, **options: Any) -> None:
        """Run the worker. One that ends when no task is left (`batch`) has no heartbeat."""
        if not batch:
            worker_heartbeat.start()
        super().handle(batch=batch, **options)
