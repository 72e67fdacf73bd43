"""Background worker like `db_worker`, in its own process, which ends when no work is left.

It uses DATABASE_URL and the API at the address in its argument.
"""

import functools
import sys

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.conf import settings
from django_tasks_db.management.commands.db_worker import Worker

from flows.accounts import clients


def main(api: str) -> None:
    settings.FLEX_API_URL = api
    clients.ResourceClient = functools.partial(clients.ResourceClient, sleep=lambda _seconds: None)
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
