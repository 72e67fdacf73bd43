"""A receiver that the site may reach, a clock that a test moves, and subscriptions."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.changes.actions import ChangeAction
from flows.notifications import outbox, services
from flows.notifications.delivery import deliver_due
from flows.notifications.services import SubscriptionValues
from flows.outbound_http.addresses import parse_networks
from flows.outbound_http.pinned_post import PostOptions
from tests import ACCOUNT
from tests.flows.notifications.receiver import Receiver

LOOPBACK = parse_networks(["127.0.0.1/32"])
FLOW_A, FLOW_B = "FO" + "a" * 32, "FO" + "b" * 32


class Clock:
    """The time as the deliveries see it."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.NOTIFICATION_ALLOWED_NETWORKS = LOOPBACK
    with Receiver() as running:
        yield running


@pytest.fixture
def admin(person) -> User:
    return person("admin")


@pytest.fixture
def subscribe(admin, actor) -> Callable[..., tuple]:
    """Function that creates a subscription, and returns it with its signing secret."""

    def create(url="", *, user=admin, **values):
        defaults = {
            "name": f"Notification {uuid.uuid4()}",
            "channel": "webhook",
            "recipients": [],
            "url": url,
            "actions": ["flow.update"],
            "results": [],
            "account_sids": [],
            "query": "",
        }
        return services.create(
            SubscriptionValues(**{**defaults, **values}), user=user, actor=actor, reason=""
        )

    return create


@pytest.fixture
def change_flow(actor) -> Callable[..., AuditEvent]:
    """Function that records a change of a flow, with its result."""

    def record(sid=FLOW_A, *, result=Result.SUCCEEDED, name="Réclamations", **fields):
        return audit_log.append(
            **{
                "action": ChangeAction.UPDATE,
                "stage": Stage.OUTCOME,
                "result": result,
                "actor": actor,
                "account_sid": ACCOUNT,
                "target_sid": sid,
                "change_id": uuid.uuid4(),
                "reason": "Holidays",
                "payload": Payload(friendly_name=name),
                **fields,
            }
        )

    return record


@pytest.fixture
def run(clock) -> Callable[..., int]:
    """Function that turns events into messages and sends what is due, as the worker does."""

    def run_worker(deadline=5.0) -> int:
        while outbox.collect(clock()):
            pass
        options = PostOptions(allowed_networks=LOOPBACK, deadline=deadline)
        return deliver_due(clock, options)

    return run_worker
