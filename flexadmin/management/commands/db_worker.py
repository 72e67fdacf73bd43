"""`db_worker`: the worker of django-tasks-db, with a heartbeat that the overview shows.

It also reviews change requests, makes scheduled changes and sends notifications.
"""

from __future__ import annotations

from typing import Any

from django_tasks_db.management.commands.db_worker import Command as WorkerCommand

from flexadmin.ops import worker_heartbeat
from flows.approvals import sweep
from flows.notifications import worker as notifications
from flows.schedules import worker as schedules


class Command(WorkerCommand):
    def handle(self, *, batch: bool, **options: Any) -> None:
        """Run the worker. One that ends when no task is left (`batch`) has no heartbeat.

        It reviews change requests, makes the scheduled changes and sends the notifications that are
        due before it ends.
        """
        if not batch:
            worker_heartbeat.start()
            sweep.start()
            schedules.start()
            notifications.start()
        super().handle(batch=batch, **options)
        if batch:
            sweep.run_once()
            schedules.run_once()
            notifications.run_once()
