"""Metrics for Prometheus: calls to Twilio, and figures from the database at the time of the scrape.

The page needs METRICS_TOKEN as a bearer token, and is off if that is not set.

The calls of several processes are summed up if they share PROMETHEUS_MULTIPROC_DIR, which
gunicorn.py sets for the site's own workers.
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

from flows.audit import audit_log, verification
from flows.audit.models import OpenChange, OpenDrift, Result
from flows.changes import in_flight
from flows.mirror.models import SyncState
from flows.notifications import delivery

_process_registry = CollectorRegistry()
TWILIO_CALLS: Final = Histogram(
    "flexflow_twilio_call_seconds",
    "Requests to Twilio by verb and result, each try counted.",
    ["verb", "result"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
    registry=_process_registry,
)


def observe_call(*, verb: str, result: str, seconds: float, **_: Any) -> None:
    """Record a call to Twilio. Receiver of the signal `flows.accounts.clients.call_finished`."""
    TWILIO_CALLS.labels(verb, result).observe(seconds)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics, or 404 without the right token."""
    authorization = request.headers.get("Authorization", "").encode()
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    if not settings.METRICS_TOKEN or not compare_digest(authorization, expected):
        raise Http404
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_ProcessCollector())
    registry.register(_DatabaseCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _ProcessCollector(Collector):
    """Metrics of calls that this process alone has made."""

    def collect(self) -> Iterator[Metric]:
        return iter(list(_process_registry.collect()))


class _DatabaseCollector(Collector):
    """Metrics from the database, which are the same in every process."""

    def collect(self) -> Iterator[Metric]:
        try:
            metrics = [*_mirror_metrics(), *_open_change_metrics(), *_audit_metrics()]
            metrics += _notification_metrics()
        except Error:
            metrics = []
        yield GaugeMetricFamily(
            "flexflow_database_up", "1 if the database responds.", value=bool(metrics)
        )
        yield from metrics


def _mirror_metrics() -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "flexflow_mirror_age_seconds",
        "Seconds since the last sync with Twilio.",
        labels=["account"],
    )
    scraped_at = timezone.now()
    for account, synced_at in SyncState.objects.values_list("account_sid", "synced_at"):
        if synced_at is not None:
            age.add_metric([account], (scraped_at - synced_at).total_seconds())
    yield age


def _open_change_metrics() -> Iterator[Metric]:
    attempts = in_flight.pending_attempts().count()
    changes = GaugeMetricFamily(
        "flexflow_open_changes", "Changes without a known outcome.", labels=["stage"]
    )
    changes.add_metric(["attempt"], attempts)
    changes.add_metric(["unknown"], max(0, OpenChange.objects.count() - attempts))
    yield changes
    yield GaugeMetricFamily(
        "flexflow_open_drift",
        "External changes to accept or revert.",
        value=OpenDrift.objects.count(),
    )


def _notification_metrics() -> Iterator[Metric]:
    counts = delivery.count_messages(timezone.now())
    messages = GaugeMetricFamily(
        "flexflow_notifications", "Notifications by status.", labels=["status"]
    )
    messages.add_metric(["waiting"], counts.waiting)
    messages.add_metric(["failed"], counts.failed)
    yield messages
    yield GaugeMetricFamily(
        "flexflow_notifications_oldest_seconds",
        "Seconds that the oldest waiting notification has waited.",
        value=counts.oldest_seconds,
    )


def _audit_metrics() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "flexflow_audit_events", "Events in the audit log.", value=audit_log.last_seq()
    )
    last = verification.last_verification()
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
        "flexflow_audit_events_since_verified",
        "Events since the last verification.",
        value=last.since,
    )
