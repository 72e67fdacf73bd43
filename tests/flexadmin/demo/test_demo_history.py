"""The demo's history, with any number of flows: steps without a suitable flow are left out."""

import io

import pytest
from django.contrib.auth.models import User

from flexadmin.management.commands.demo import DEMO_USERS, Command, build_sandbox
from flows.audit.models import AuditEvent, OpenChange
from flows.core.local_days import today
from flows.mirror.stale_reads import STATE_EVENTS
from flows.twilio.sandbox.server import Sandbox
from flows.twilio.values import parse_datetime
from tests.faults.acting import assert_chain_intact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo_of(settings):
    def prepare(flows):
        sandbox = build_sandbox(flows=flows)
        sandbox.start()
        started.append(sandbox)
        settings.FLEX_API_URL, settings.TWILIO_API_URL = sandbox.url, sandbox.api_url
        Command(stdout=io.StringIO())._prepare(sandbox)
        return sandbox

    started: list[Sandbox] = []
    yield prepare
    for sandbox in started:
        sandbox.stop()


@pytest.mark.long
@pytest.mark.parametrize("flows", [1, 2, 3, 5])
def test_few_flows_have_a_history(demo_of, flows):
    demo_of(flows)

    assert AuditEvent.objects.filter(stage="outcome").exists()
    assert OpenChange.objects.exclude(ambiguity="").count() == 1
    assert_chain_intact()


def test_no_flows_have_no_history(demo_of):
    demo_of(0)

    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"people.create"}


@pytest.mark.parametrize("flows", [0, 3])
def test_users_are_logged_before_any_other_event(demo_of, flows):
    demo_of(flows)

    events = AuditEvent.objects.order_by("seq").select_related("payload")
    added = [event for event in events if event.action == "people.create"]
    assert [event.seq for event in added] == [1, 2, 3, 4]
    assert {
        event.payload.friendly_name: event.payload.after["role"] for event in added
    } == DEMO_USERS
    assert all(event.actor_label.startswith("CLI (") for event in added)
    times = [event.at for event in events]
    assert times == sorted(times)


def test_second_start_adds_no_users(demo_of):
    demo_of(0)
    demo_of(0)

    assert User.objects.count() == AuditEvent.objects.count() == 4


@pytest.mark.long
def test_history_has_the_ids_of_the_users(demo_of):
    demo_of(3)

    ids = {user.username: str(user.pk) for user in User.objects.all()}
    actor_ids = AuditEvent.objects.filter(actor_label__in=DEMO_USERS).values_list(
        "actor_label", "actor_id"
    )
    assert dict(actor_ids) == {name: ids[name] for name, _ in actor_ids}


def test_log_has_the_last_change_of_each_flow(demo_of):
    """A page must not say "changed 4 d ago" while the log knows of no such change."""
    sandbox = demo_of(40)

    undecided = set(OpenChange.objects.values_list("target_sid", flat=True))
    for sid, flow in sandbox.flows.items():
        events = AuditEvent.objects.filter(STATE_EVENTS, target_sid=sid).order_by("seq")
        # Twilio's dates are whole seconds, and a change is recorded after it is made.
        created_at, updated_at = (
            parse_datetime(flow[name]) for name in ("date_created", "date_updated")
        )
        assert created_at <= events[0].at
        assert updated_at <= events.last().at or sid in undecided


def test_history_reaches_into_last_month(demo_of):
    demo_of(5)

    changes = AuditEvent.objects.filter(stage="outcome", result="succeeded")
    assert changes.filter(at__date__lt=today().replace(day=1)).exists()
