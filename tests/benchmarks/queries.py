"""Database queries of each page, as JSON: `python -m tests.benchmarks.queries PATH…`."""

import json
import os
import sys

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def count_queries(paths: list[str], name: str) -> list[int]:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username=name))
    counts = []
    for path in paths:
        client.get(path)  # what a process asks once, it has asked then
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        counts.append(len(queries))
    return counts


if __name__ == "__main__":
    json.dump(count_queries(sys.argv[1:], os.environ["PERSON_NAME"]), sys.stdout)
