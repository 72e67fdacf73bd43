"""Database queries of each page, as JSON: `python -m tests.benchmarks.queries REQUESTS`.

REQUESTS is a JSON list of [path, headers].
"""

import json
import os
import sys

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def count_queries(requests: list[tuple[str, dict[str, str]]], name: str) -> list[int]:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username=name))
    counts = []
    for path, headers in requests:
        client.get(path, headers=headers)  # what a process asks once, it has asked then
        with CaptureQueriesContext(connection) as queries:
            client.get(path, headers=headers)
        counts.append(len(queries))
    return counts


if __name__ == "__main__":
    json.dump(count_queries(json.loads(sys.argv[1]), os.environ["PERSON_NAME"]), sys.stdout)
