"""The checks of whole accounts, and those of one flow with what surrounds it, which find the same."""

import random
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit.audit_log import Payload
from flows.checks.checking import check_accounts, find_all
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.stored_state import load_state
from flows.mirror import flow_rows
from flows.names.models import NameReading, ObjectReading
from tests import ACCOUNT
from tests.faults.acting import OMAR, append_stage
from tests.flows.checks.complete_flows import flow
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
READ = (
    "phone_number", "whatsapp_sender", "task_channel", "studio_flow", "workspace", "workflow",
    "studio_definition", "messaging_service", "service_number", "service_sender", "configuration",
    "conversation_configuration",
)  # fmt: skip
STUDIO_FLOWS = [f"FW{number:032}" for number in range(4)]
WORKSPACES = [f"WS{number:032}" for number in range(2)]
SERVICES = [f"IS{number:032}" for number in range(2)]
WORKFLOWS = [f"WW{number:032}" for number in range(3)]
AROUND_A_FLOW = {
    "studio-flow-takes-no-message", "chat-service-not-of-flex", "webhook-host-left",
    "number-handled-twice",
}  # fmt: skip
NUMBERS = [
    "+14155550123",
    "tel:+14155550123",
    "store-1",
    "STORE-1",
    "+1 (415) 555-0123",
    "+14155550124",
    "+33199000123",
    "12345",
    "",
    None,
]


def read_completely(*resources, read_at=None):
    """Let all objects of these resources be known, by default since after every change of a flow."""
    at = read_at or timezone.now() + timedelta(days=1)
    for resource in resources:
        NameReading.objects.create(account_sid=ACCOUNT, resource=resource, read_at=at)


def store(*snapshots):
    stored = {
        f"FO{number:032}": {**each, "sid": f"FO{number:032}"}
        for number, each in enumerate(snapshots)
    }
    flow_rows.save_snapshots(stored, ACCOUNT)


def add_reading(sid, resource, *, revision=None, **facts):
    ObjectReading.objects.create(
        account_sid=ACCOUNT, sid=sid, resource=resource, revision=revision, facts=facts, read_at=DAY
    )


def append_move(sid, before, after, *, account_sid=ACCOUNT, **values):
    """Log that a flow's webhook was changed."""
    event = {"action": "flow.update", "stage": "outcome", "result": "succeeded", **values}
    append_stage(
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=["integration_url"],
        change_id=uuid.uuid4(),
        actor=OMAR,
        payload=Payload(before={"integration_url": before}, after={"integration_url": after}),
        **event,
    )


def add_objects():
    """Add names of what flows can point to, some of them gone or drafts."""
    add_name(STUDIO_FLOWS[0], "Support", status="published", revision=4)
    add_name(STUDIO_FLOWS[1], "Draft", status="draft", revision=1)
    add_name(STUDIO_FLOWS[2], "Gone", gone_at=DAY)
    add_name(WORKSPACES[0], "Day", resource="workspace")
    add_name(WORKFLOWS[0], "Claims", resource="workflow", parent_sid=WORKSPACES[0])
    add_name(WORKFLOWS[1], "Night", resource="workflow", parent_sid=WORKSPACES[1])
    for number, workspace_sid in enumerate(WORKSPACES):
        add_name(f"TC{number:032}", "Chat", resource="task_channel", parent_sid=workspace_sid, reference="chat")  # fmt: skip
    add_name(
        "PN" + "1" * 32,
        "Main",
        resource="phone_number",
        reference="+14155550123",
        details={"host": "h.example"},
    )
    add_name("PN" + "2" * 32, "Old", resource="phone_number", reference="+33199000123", gone_at=DAY)
    add_name("XE" + "1" * 32, "Main", resource="whatsapp_sender", reference="whatsapp:+14155550123", status="OFFLINE", details={"host": ""})  # fmt: skip
    add_name("MG" + "1" * 32, "Pool", resource="messaging_service", details={"host": "mg.example"})
    add_name(SERVICES[1], "Bots", resource="conversation_service")
    widgets = [{"workflow": sid, "channel": "TC" + "9" * 32, "events": ["incomingMessage"]} for sid in WORKFLOWS]  # fmt: skip
    add_reading(STUDIO_FLOWS[0], "studio_definition", revision=4, trigger_events=[], send_to_flex=widgets)  # fmt: skip
    add_reading("MG" + "1" * 32, "service_number", sids=["PN" + "1" * 32])
    add_reading("MG" + "1" * 32, "service_sender", sids=["XE" + "1" * 32])
    add_reading(ACCOUNT, "configuration", chat_service_sid=SERVICES[0])
    add_reading(ACCOUNT, "conversation_configuration", chat_service_sid=SERVICES[0])


def add_moved_flows():
    moved = flow("external", "web", integration_url="https://new.example/in", enabled=True)
    sids = [f"FO{number:032}" for number in range(900, 930)]
    flow_rows.save_snapshots({sid: moved | {"sid": sid} for sid in sids}, ACCOUNT)
    for sid in sids:
        append_move(sid, "https://h.example/in", "https://new.example/in")


def random_flow(chance):
    """Return a flow of few names, numbers and targets, so that flows often share one."""
    kind = chance.choice(["studio", "external", "task"])
    channel = chance.choice(["sms", "SMS", "whatsapp", "web", "custom", None])
    identity = chance.choice(NUMBERS)
    if channel == "whatsapp" and identity:
        identity = f"whatsapp:{identity}"
    return flow(
        kind,
        channel,
        friendly_name=chance.choice(["Support", "SUPPORT", "Claims", "Réclamations", "", None]),
        contact_identity=identity,
        enabled=chance.choice([True, True, False]),
        integration_flow_sid=chance.choice([*STUDIO_FLOWS, None]),
        chat_service_sid=chance.choice(SERVICES),
        integration_workspace_sid=chance.choice(WORKSPACES),
        integration_workflow_sid=chance.choice(WORKFLOWS),
        integration_channel=chance.choice(["chat", "fax"]),
        integration_url=chance.choice(["https://h.example/", "http://h.example/#top"]),
        long_lived=True,
        janitor_enabled=chance.choice([True, False]),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("complete", [READ, READ[:1], ()], ids=["all read", "numbers", "nothing"])
def test_flow_alone_has_the_findings_that_its_account_has(seed, complete):
    chance = random.Random(seed)
    add_objects()
    read_completely(*complete)
    store(*(random_flow(chance) for _ in range(40)))
    add_moved_flows()
    state = load_state(ACCOUNT)
    expected = {sid: set() for sid in state.flows}
    for found in find_all(ACCOUNT, state):
        expected[found.sid].add((found.rule.rule_id, found.message, found.severity))

    for sid, snapshot in state.flows.items():
        alone = check_with_surroundings(ACCOUNT, sid, snapshot)
        assert {(each.rule.rule_id, each.message, each.severity) for each in alone} == expected[sid]

    found_rules = {rule_id for found in expected.values() for rule_id, *_ in found}
    assert len(found_rules) >= (11 if complete == READ else 9)
    if complete == READ:
        assert found_rules >= AROUND_A_FLOW


def test_planned_flow_has_the_findings_that_it_would_have():
    store(flow("studio", "sms", friendly_name="Support", enabled=True))
    planned = flow("studio", "sms", friendly_name="support", enabled=True)

    alone = check_with_surroundings(ACCOUNT, "", planned)

    assert [each.rule.rule_id for each in alone] == ["two-flows-on-for-one-identity", "same-name"]


def test_report_has_the_worst_first_and_counts(django_assert_num_queries):
    add_objects()
    read_completely("phone_number")
    store(
        flow(
            "studio", "web", friendly_name="B", integration_flow_sid=STUDIO_FLOWS[2], enabled=True
        ),
        flow(
            "studio", "web", friendly_name="A", integration_flow_sid=STUDIO_FLOWS[2], enabled=True
        ),
        flow(
            "studio", "web", friendly_name="C", integration_flow_sid=STUDIO_FLOWS[2], enabled=False
        ),
        flow(
            "studio", "web", friendly_name="D", integration_flow_sid=STUDIO_FLOWS[0], enabled=True
        ),
    )

    with django_assert_num_queries(9):
        report = check_accounts(twilio_accounts.all_accounts())

    assert [(each.severity.value, each.flow_name) for each in report.findings] == [
        ("error", "A"),
        ("error", "B"),
        ("warning", "C"),
    ]
    assert report.flow_count == 4
    assert report.count_by_rule() == {"target-gone": 3}
    unmet = {(need.rule.rule_id, need.unread) for need in report.unmet}
    assert ("number-not-with-flex-proxy", "Messaging Service numbers") in unmet
    assert ("studio-flow-both-triggers", "Studio Flow definitions") in unmet
    assert "phone numbers" not in {unread for _, unread in unmet}
    assert unmet >= {
        ("whatsapp-sender-missing", "WhatsApp senders"),
        ("whatsapp-sender-offline", "WhatsApp senders"),
        ("task-channel-unknown", "Task Channels"),
        ("target-gone", "Studio Flows"),
        ("target-gone", "Workflows"),
        ("target-gone", "Workspaces"),
        ("studio-flow-never-published", "Studio Flows"),
        ("studio-flow-draft", "Studio Flows"),
        ("workflow-in-another-workspace", "Workflows"),
    }


def test_rule_counts_a_flow_once_however_much_it_found():
    store(flow("task", "web", integration_workflow_sid=None, integration_workspace_sid=None))

    report = check_accounts(twilio_accounts.all_accounts())

    assert len(report.findings) == 2
    assert report.count_by_rule() == {"required-value-missing": 1}


@pytest.mark.parametrize("text", ["Bad \ud800 name", "Bad \x00 name"])
def test_flow_with_what_no_database_stores_is_checked(text):
    odd = flow("studio", "sms", friendly_name=text, contact_identity=text, enabled=True)

    for name in ("channel_type", "integration_channel", "integration_workspace_sid"):
        assert isinstance(check_with_surroundings(ACCOUNT, "", odd | {name: text}), list)


def test_deleted_flow_has_no_findings():
    store(flow("external", "web", integration_url=None))
    flow_rows.Flow.objects.update(gone_at=DAY)

    assert check_accounts(twilio_accounts.all_accounts()).findings == []


def bought_with_its_flow(rule_ids=("number-not-owned", "task-channel-unknown")):
    """Store flows whose number and task channel are newer than the last reading."""
    add_objects()
    read_completely(*READ, read_at=DAY)
    store(
        flow("studio", "sms", friendly_name="A", contact_identity="+14155550199", enabled=True),
        flow(
            "task",
            "web",
            friendly_name="B",
            integration_workspace_sid=WORKSPACES[0],
            integration_workflow_sid=WORKFLOWS[0],
            integration_channel="new",
            enabled=True,
        ),
    )
    return set(rule_ids)


def test_number_that_is_newer_than_the_reading_is_not_called_missing():
    rule_ids = bought_with_its_flow()

    report = check_accounts(twilio_accounts.all_accounts())

    assert rule_ids.isdisjoint(report.count_by_rule())
    outdated = {each.rule.rule_id: each.flow_count for each in report.outdated}
    assert {rule_id: outdated.get(rule_id) for rule_id in rule_ids} == dict.fromkeys(rule_ids, 1)


def test_number_is_missing_if_a_later_reading_lacks_it():
    rule_ids = bought_with_its_flow()
    NameReading.objects.update(read_at=timezone.now())

    report = check_accounts(twilio_accounts.all_accounts())

    assert rule_ids <= set(report.count_by_rule())
    assert report.outdated == []


def test_planned_flow_is_checked_with_the_last_names_however_old():
    bought_with_its_flow()
    snapshot = flow_rows.Flow.objects.get(friendly_name="A").resource

    stored = check_with_surroundings(ACCOUNT, snapshot["sid"], snapshot)
    planned = check_with_surroundings(ACCOUNT, snapshot["sid"], snapshot, is_planned=True)

    assert "number-not-owned" not in {each.rule.rule_id for each in stored}
    assert "number-not-owned" in {each.rule.rule_id for each in planned}


def test_failed_reading_is_no_complete_one():
    NameReading.objects.create(
        account_sid=ACCOUNT, resource="phone_number", read_at=DAY, failed_at=DAY, error="refused"
    )
    store(flow("studio", "sms", enabled=True))

    report = check_accounts(twilio_accounts.all_accounts())

    assert "number-not-owned" not in report.count_by_rule()
    assert "number-not-owned" in {need.rule.rule_id for need in report.unmet}
