"""The worker of the background, as `db_worker` runs it, in a process of its own: on DATABASE_URL, against the API at
the address that it is given. It ends when nothing is left to do."""

import functools
import sys

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.conf import settings
from django_tasks_db.management.commands.db_worker import Worker

from flows.accounts import clients


def main(api: str) -> None:
    settings.FLEX_API_URL = api
    clients.FlexClient = functools.partial(clients.FlexClient, sleep=lambda _seconds: None)
    Worker(
        queue_names=["default"],
        interval=0.05,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="worker",
        excluded_queue_names=[],
    ).run()


if __name__ == "__main__":
    main(sys.argv[1])
