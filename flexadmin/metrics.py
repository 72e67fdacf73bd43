"""/metrics for Prometheus: calls to Twilio, counted as they are made, and what the database knows at the scrape.
Closed unless METRICS_TOKEN is set, and to whoever does not bring it.

The calls of several processes are added up where they share PROMETHEUS_MULTIPROC_DIR (gunicorn.py sees to the
site's own).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from secrets import compare_digest
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from flows.models import OpenChange, OpenDrift, Result, SyncState
from flows.services import audit, evidence

_own = CollectorRegistry()
CALLS: Final = Histogram(
    "flexflow_twilio_call_seconds",
    "Requests to Twilio by verb and result, each try counted.",
    ["verb", "result"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
    registry=_own,
)


def observe(*, verb: str, result: str, seconds: float, **_: Any) -> None:
    """A receiver of `flows.services.twilio.called`."""
    CALLS.labels(verb, result).observe(seconds)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus scrapes; nothing is here for anybody without the token."""
    brought = request.headers.get("Authorization", "").encode()
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    if not settings.METRICS_TOKEN or not compare_digest(brought, expected):
        raise Http404
    told = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(told)  # type: ignore[no-untyped-call]
    else:
        told.register(_Own())
    told.register(_FromTheDatabase())
    return HttpResponse(generate_latest(told), content_type=CONTENT_TYPE_LATEST)


class _Own(Collector):
    """What this process alone has counted."""

    def collect(self) -> Iterator[Metric]:
        return iter(list(_own.collect()))


class _FromTheDatabase(Collector):
    """The same whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = [*_of_the_copy(), *_of_what_is_open(), *_of_the_log()]
        except Error:
            found = []
        yield GaugeMetricFamily("flexflow_database_up", "1 if the database responds.", value=bool(found))
        yield from found


def _of_the_copy() -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "flexflow_mirror_age_seconds",
        "Seconds since the last sync with Twilio.",
        labels=["account"],
    )
    now = timezone.now()
    for account, synced_at in SyncState.objects.values_list("account_sid", "synced_at"):
        if synced_at is not None:
            age.add_metric([account], (now - synced_at).total_seconds())
    yield age


def _of_what_is_open() -> Iterator[Metric]:
    attempts = audit.open_attempts().count()
    changes = GaugeMetricFamily("flexflow_open_changes", "Changes without a known outcome.", labels=["stage"])
    changes.add_metric(["attempt"], attempts)
    changes.add_metric(["unknown"], max(0, OpenChange.objects.count() - attempts))
    yield changes
    yield GaugeMetricFamily(
        "flexflow_open_drift",
        "External changes to accept or revert.",
        value=OpenDrift.objects.count(),
    )


def _of_the_log() -> Iterator[Metric]:
    yield GaugeMetricFamily("flexflow_audit_events", "Events in the audit log.", value=audit.last_seq())
    last = evidence.last_verification()
    if last is None:
        return
    passed = last.is_intact and last.event.result == Result.SUCCEEDED
    yield GaugeMetricFamily(
        "flexflow_audit_verified_timestamp_seconds",
        "Time of the last verification of the audit log.",
        value=last.event.at.timestamp(),
    )
    yield GaugeMetricFamily(
        "flexflow_audit_verified_intact",
        "1 if the last verification found the audit log intact.",
        value=passed,
    )
    yield GaugeMetricFamily(
        "flexflow_audit_events_since_verified", "Events since the last verification.", value=last.since
    )
