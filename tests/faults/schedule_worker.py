"""Worker that looks at the schedules without a pause, in its own process, until it is killed.

It uses DATABASE_URL, the API at the address in its first argument, and a clock that is as many
seconds ahead as the file in its second argument says.
"""

import functools
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.conf import settings
from django.utils import timezone

from flows.accounts import clients
from flows.schedules.worker import run_once


def main(api: str, offset_file: str) -> None:
    settings.FLEX_API_URL = api
    clients.ResourceClient = functools.partial(clients.ResourceClient, sleep=lambda _seconds: None)

    def clock() -> datetime:
        return timezone.now() + timedelta(seconds=float(Path(offset_file).read_text()))

    while True:
        run_once(clock)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
