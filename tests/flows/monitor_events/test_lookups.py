"""After a sync, Twilio's Monitor is asked about external changes. It never fails a sync."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.audit.models import AuditEvent, OpenDrift
from flows.erasure import erasure
from flows.mirror.name_sync import sync_with_names
from flows.monitor_events import lookups
from flows.monitor_events.models import MonitorLookup, MonitorState
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.monitor_log import CONSOLE_ADDRESS, CONSOLE_USER_SID
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.values import parse_datetime
from tests import ACCOUNT
from tests.flows.monitor_events.asking import EVENTS_PATH, forget_events, let_pass, monitor_requests

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = "external_change.attributed"


def find_answers():
    return list(AuditEvent.objects.filter(action=ANSWER).order_by("seq"))


def recorded_types(event):
    return [found["event_type"] for found in event.payload.after["events"]]


def test_nothing_is_asked_by_default(sandbox, renamed_sid, settings):
    settings.TWILIO_MONITOR_EVENTS = False

    sync_with_names(ACCOUNT)

    assert AuditEvent.objects.filter(action="flow.drift").exists()
    assert monitor_requests(sandbox) == []
    assert not MonitorLookup.objects.exists()
    assert find_answers() == []


def test_answer_is_recorded_beside_the_external_change(sandbox, renamed_sid, drift):
    (answer,) = find_answers()

    (found,) = answer.payload.after["events"]
    assert found["actor_sid"] == CONSOLE_USER_SID
    assert found["source_ip_address"] == CONSOLE_ADDRESS
    assert found["event_type"] == "flex-flow.updated"
    assert answer.target_sid == renamed_sid
    assert answer.payload.requested["event"] == drift.seq
    assert (answer.account_sid, answer.actor_label, answer.refers_to) == (ACCOUNT, "", None)
    assert MonitorLookup.objects.get(event=drift).answer == answer
    assert OpenDrift.objects.filter(event=drift).exists()


def test_request_is_about_the_flow_and_the_time_since_the_last_sync(sandbox, renamed_sid):
    MonitorLookup.objects.all().delete()
    before = timezone.now()

    sync_with_names(ACCOUNT)

    (request,) = monitor_requests(sandbox)
    assert request.parameters["ResourceSid"] == renamed_sid
    since = parse_datetime(request.parameters["StartDate"])
    until = parse_datetime(request.parameters["EndDate"])
    assert timedelta(minutes=4) < before - since < timedelta(minutes=7)
    assert timedelta(minutes=4) < until - before < timedelta(minutes=7)


def test_deleted_flow_is_asked_about_since_its_last_state(sandbox, renamed_sid):
    sync_with_names(ACCOUNT)
    sandbox.remove_flow(renamed_sid)

    sync_with_names(ACCOUNT)

    deletion = AuditEvent.objects.filter(action="flow.drift").latest("seq")
    renaming = AuditEvent.objects.filter(action="flow.drift").earliest("seq")
    lookup = MonitorLookup.objects.get(event=deletion)
    assert lookup.since == renaming.at - timedelta(minutes=5)
    assert "flex-flow.deleted" in recorded_types(lookup.answer)


def test_neither_secrets_nor_values_of_an_event_are_stored(sandbox, drift):
    (answer,) = find_answers()

    assert SECRET in str(sandbox.monitor.store.snapshot())
    assert SECRET not in str(vars(answer.payload))
    assert "event_data" not in answer.payload.after["events"][0]


def test_events_of_other_objects_and_times_are_ignored(sandbox, renamed_sid):
    sandbox.monitor.add(renamed_sid, "updated", event_date="2020-01-01T00:00:00Z")
    other_sid = "FO" + "9" * 32
    sandbox.monitor.add(other_sid, "deleted")

    sync_with_names(ACCOUNT)

    (answer,) = find_answers()
    assert set(recorded_types(answer)) <= {"flex-flow.updated", "flex-flow.created"}
    dates = [found["event_date"] for found in answer.payload.after["events"]]
    assert "2020-01-01T00:00:00Z" not in dates


def test_number_of_events_is_bounded(sandbox, renamed_sid):
    for _ in range(12):
        sandbox.monitor.add(renamed_sid, "updated")

    sync_with_names(ACCOUNT)

    (answer,) = find_answers()
    assert len(answer.payload.after["events"]) == 10
    assert answer.payload.after["has_more"] is True


def test_number_of_flows_that_a_sync_asks_about_is_bounded(sandbox):
    sids = [sandbox.add_flow() for _ in range(lookups.MAX_LOOKUPS + 2)]
    sync_with_names(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, friendly_name="Renamed by a script")

    sync_with_names(ACCOUNT)
    assert len(monitor_requests(sandbox)) == lookups.MAX_LOOKUPS
    sync_with_names(ACCOUNT)

    asked_sids = [request.parameters["ResourceSid"] for request in monitor_requests(sandbox)]
    assert sorted(asked_sids) == sorted(sids)


def test_nothing_more_is_asked_once_there_is_an_answer(sandbox, drift):
    let_pass(hours=5)

    sync_with_names(ACCOUNT)

    assert len(monitor_requests(sandbox)) == 1


def test_late_event_is_found_by_a_later_sync(sandbox, renamed_sid):
    late_events = forget_events(sandbox)
    sync_with_names(ACCOUNT)
    assert find_answers() == []
    assert MonitorLookup.objects.get().answered_at is not None
    for event in late_events:
        sandbox.monitor.store.add(event)

    sync_with_names(ACCOUNT)
    assert find_answers() == [], "it is too early"
    let_pass(minutes=6)
    sync_with_names(ACCOUNT)

    assert len(find_answers()) == 1


def test_it_gives_up_after_a_few_attempts(sandbox, renamed_sid):
    forget_events(sandbox)

    for _ in range(lookups.MAX_ATTEMPTS + 2):
        sync_with_names(ACCOUNT)
        let_pass(hours=5)

    assert len(monitor_requests(sandbox)) == lookups.MAX_ATTEMPTS


def test_changes_of_former_days_are_not_asked_about(sandbox, drift, monkeypatch):
    MonitorLookup.objects.all().delete()
    monkeypatch.setattr(lookups, "LOOKUP_PERIOD", timedelta(0))

    sync_with_names(ACCOUNT)

    assert len(monitor_requests(sandbox)) == 1
    assert not MonitorLookup.objects.exists()


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(FaultKind.REFUSE, path=EVENTS_PATH, times=None, status=403, code=20403), 403, 20403),
        (Fault(FaultKind.REFUSE, path=EVENTS_PATH, times=None, status=401, code=20003), 401, 20003),
        (Fault(FaultKind.SERVER_ERROR, path=EVENTS_PATH, times=None), 500, 20500),
        (Fault(FaultKind.DROP, path=EVENTS_PATH, times=None), None, None),
        (Fault(FaultKind.GARBAGE, path=EVENTS_PATH, times=None), 200, None),
        (Fault(FaultKind.HTML_OK, path=EVENTS_PATH, times=None), 200, None),
        (Fault(FaultKind.EMPTY, path=EVENTS_PATH, times=None), 200, None),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else "",
)
def test_failures_never_fail_a_sync(sandbox, renamed_sid, fault, status, code):
    sandbox.inject(fault)

    assert sync_with_names(ACCOUNT).changed == 1

    assert OpenDrift.objects.count() == 1
    assert find_answers() == []
    state = MonitorState.objects.get(account_sid=ACCOUNT)
    assert state.failed_at is not None
    assert (state.status, state.code) == (status, code)
    assert MonitorLookup.objects.get().answered_at is None


def test_timeout_never_fails_a_sync(sandbox, renamed_sid, monkeypatch):
    monkeypatch.setattr(lookups.reading, "DEADLINE", 0.3)
    sandbox.inject(Fault(FaultKind.HANG, path=EVENTS_PATH, times=None))

    assert sync_with_names(ACCOUNT).changed == 1

    sandbox.release()
    assert "in time" in MonitorState.objects.get().error


def test_errors_of_this_site_never_fail_a_sync(sandbox, renamed_sid, monkeypatch, caplog):
    def fail(*_args):
        raise RuntimeError("broken")

    monkeypatch.setattr(lookups.reading, "read_events", fail)

    assert sync_with_names(ACCOUNT).changed == 1
    assert "could not be asked" in caplog.text


def test_one_failure_ends_the_requests_for_a_while(sandbox):
    sids = [sandbox.add_flow(), sandbox.add_flow()]
    sync_with_names(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, friendly_name="Renamed")
    sandbox.inject(Fault(FaultKind.REFUSE, path=EVENTS_PATH, status=403, code=20403))

    sync_with_names(ACCOUNT)
    sync_with_names(ACCOUNT)
    assert len(monitor_requests(sandbox)) == 1
    let_pass(minutes=16)
    sync_with_names(ACCOUNT)

    assert len(find_answers()) == 2
    assert MonitorState.objects.get().failed_at is None


@pytest.mark.parametrize(
    "fields",
    [
        {"actor_sid": None, "actor_type": None, "source": None, "source_ip_address": None},
        {"actor_sid": {"sid": 5}, "source": ["web"], "event_type": 7, "actor_type": True},
        {"actor_sid": "x" * 5000, "source": "<b>\x00\ud800"},
        {"event_type": None},
    ],
)
def test_odd_values_become_text(sandbox, renamed_sid, fields):
    sandbox.monitor.add(renamed_sid, "updated", **fields)

    sync_with_names(ACCOUNT)

    (answer,) = find_answers()
    for event in answer.payload.after["events"]:
        assert all(isinstance(value, str) for value in event.values())
        assert all(len(value) <= 110 for value in event.values())


@pytest.mark.parametrize("date", [None, "", "yesterday", 5, {"at": 1}])
def test_event_without_a_date_is_ignored(sandbox, renamed_sid, date):
    forget_events(sandbox)
    sandbox.monitor.add(renamed_sid, "updated", event_date=date)

    sync_with_names(ACCOUNT)

    assert find_answers() == []


def test_erased_change_is_not_asked_about_again(sandbox, renamed_sid, actor):
    forget_events(sandbox)
    sync_with_names(ACCOUNT)
    erasure.erase(sid=renamed_sid, actor=actor)
    sandbox.monitor.add(renamed_sid, "updated")
    let_pass(minutes=6)

    sync_with_names(ACCOUNT)

    assert len(monitor_requests(sandbox)) == 1
    assert find_answers() == []
