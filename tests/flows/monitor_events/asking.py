"""Helpers: the requests to Twilio's Monitor, and time that passes between attempts."""

from datetime import timedelta

from flows.monitor_events.models import MonitorLookup, MonitorState

EVENTS_PATH = "/monitor/v1/Events"


def monitor_requests(sandbox):
    return [request for request in sandbox.requests if request.path == EVENTS_PATH]


def let_pass(**period):
    """Move the stored times of all attempts into the past."""
    for lookup in MonitorLookup.objects.exclude(asked_at=None):
        lookup.asked_at -= timedelta(**period)
        lookup.save()
    for state in MonitorState.objects.exclude(failed_at=None):
        state.failed_at -= timedelta(**period)
        state.save()


def forget_events(sandbox):
    """Remove all events from the Monitor, as if they were late, and return them."""
    events = sandbox.monitor.store.snapshot()
    for sid in events:
        sandbox.monitor.store.delete(sid)
    return list(events.values())
