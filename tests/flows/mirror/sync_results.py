"""The rows and the reports of syncs, as tests compare them."""

from flows.mirror.models import Flow
from flows.mirror.sync import SyncReport


def rows():
    return {row["sid"]: row for row in Flow.objects.values()}


def report(**counts):
    return SyncReport(**{"flows": 0, "created": 0, "changed": 0, "deleted": 0, **counts})
