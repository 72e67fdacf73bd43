"""Collisions: one channel and contact identity can have one enabled flow."""

import pytest

from flows.audit.audit_log import Actor
from flows.core.identities import normalize_identity
from flows.mirror.sync import sync_account
from flows.plans import drafts, follow_ups, import_draft, items
from flows.plans.drafts import BulkAction
from flows.plans.import_draft import ImportEntry
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.plans.running import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, OTHER = "+4915550100200", "+4915550100299"
ONLY_ONE = "Only one flow can be on per channel and contact identity."
MOVE_IT = "Line 3 frees them, but comes later: move it above this one."
NEW = {
    "friendly_name": "New",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "sms",
    "contact_identity": NUMBER,
}


@pytest.fixture
def operator_actor(person):
    return Actor(id=str(person("operator").pk), label="operator", role="operator")


@pytest.fixture
def add(sandbox, db):
    def add_one(name, **fields):
        values = {"channel_type": "sms", "contact_identity": NUMBER, "enabled": False, **fields}
        sid = sandbox.add_flow(friendly_name=name, **values)
        sync_account(ACCOUNT)
        return sid

    return add_one


def skip_reasons(*entries):
    import_entries = [
        ImportEntry(sid, values, account_sid="", origin=f"Line {line}")
        for line, (sid, values) in enumerate(entries, 2)
    ]
    plan = import_draft.plan_import(entries=import_entries, created_by="omar")
    return [change.skip_reason for change in plan.changes.order_by("position")]


def test_address_can_move_if_it_is_freed_first(add):
    a, b = add("A", enabled=True), add("B")

    assert skip_reasons((a, {"enabled": False}), (b, {"enabled": True})) == ["", ""]


def test_address_freed_too_late_says_to_move_the_row(add):
    a, b = add("A", enabled=True), add("B")

    assert skip_reasons((b, {"enabled": True}), (a, {"enabled": False})) == [
        f"Line 2: {a} is on for the same channel and identity. {ONLY_ONE} {MOVE_IT}",
        "",
    ]


def test_new_identity_is_checked_and_not_the_old_one(add):
    add("A", enabled=True)
    b = add("B")
    add("C", enabled=True, contact_identity=OTHER)

    assert skip_reasons((b, {"contact_identity": "+4915550100777", "enabled": True})) == [""]
    assert skip_reasons((b, {"contact_identity": OTHER, "enabled": True}))[0].startswith(
        "Line 2: FO"
    )


def test_enabled_flow_cannot_move_to_an_identity_in_use(add):
    a = add("A", enabled=True)
    b = add("B", enabled=True, contact_identity=OTHER)

    assert skip_reasons((b, {"contact_identity": NUMBER})) == [
        f"Line 2: {a} is on for the same channel and identity. {ONLY_ONE}"
    ]


def test_move_to_another_channel_is_checked(add):
    a = add("A", enabled=True)
    b = add("B", enabled=True, channel_type="custom")

    assert skip_reasons((b, {"channel_type": "sms"}))[0].startswith(f"Line 2: {a} is on")
    assert skip_reasons((a, {"channel_type": "line"}), (b, {"channel_type": "sms"})) == ["", ""]


def test_second_of_two_flows_turned_on_is_skipped(add):
    a, b = add("A"), add("B")

    assert skip_reasons((a, {"enabled": True}), (b, {"enabled": True})) == [
        "",
        f"Line 3: Line 2 turns on {a} with the same channel and identity. {ONLY_ONE}",
    ]


def test_creations_are_checked_against_flows_and_each_other(add):
    a = add("A", enabled=True, contact_identity=OTHER)
    enabled = {**NEW, "enabled": True}

    assert skip_reasons(
        ("", enabled), ("", enabled), ("", {**enabled, "contact_identity": OTHER}), ("", NEW)
    ) == [
        "",
        f"Line 3: Line 2 creates a flow that is on with the same channel and identity. {ONLY_ONE}",
        f"Line 4: {a} is on for the same channel and identity. {ONLY_ONE}",
        "",
    ]


def test_skipped_row_frees_no_address(add):
    a, b = add("A", enabled=True), add("B")
    bad = ImportEntry(
        a, {}, error="Retry count must be 3 or less.", origin="Line 2", account_sid=""
    )

    plan = import_draft.plan_import(
        entries=[bad, ImportEntry(b, {"enabled": True}, origin="Line 3", account_sid="")],
        created_by="omar",
    )

    assert (
        plan.changes.get(position=1).skip_reason
        == f"Line 3: {a} is on for the same channel and identity. {ONLY_ONE}"
    )


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("sms", "+44 20 7946 0000", "+442079460000"),
        ("sms", "+44 (0)20 7946-0000", "00442079460000"),
        ("sms", "+44\u00a020\u20117946\u20110000", "+442079460000\u200b"),
        ("whatsapp", "whatsapp:+442079460000", "+44 20 7946 0000"),
        ("whatsapp", "WhatsApp:+442079460000", "whatsapp:+442079460000"),
        ("facebook", "messenger:acme", "messenger:ACME "),
    ],
)
def test_spellings_of_one_identity_collide(add, channel, one, other):
    a = add("A", enabled=True, channel_type=channel, contact_identity=one)
    b = add("B", channel_type=channel, contact_identity=other)

    assert skip_reasons((b, {"enabled": True}))[0].startswith(f"Line 2: {a} is on")
    assert normalize_identity(one) == normalize_identity(other)


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("sms", "+442079460000", "+442079460001"),
        ("facebook", "messenger:acme", "messenger:acme2"),
        ("web", "", ""),
        ("sms", "", ""),
        ("sms", "12345", "0012345"),
    ],
)
def test_different_or_empty_identities_do_not_collide(add, channel, one, other):
    add("A", enabled=True, channel_type=channel, contact_identity=one)
    b = add("B", channel_type=channel, contact_identity=other)

    assert skip_reasons((b, {"enabled": True})) == [""]


def test_flow_of_another_account_does_not_collide(add, sandbox, staging):
    add("A", enabled=True)
    b = staging.add_flow(
        friendly_name="B", channel_type="sms", contact_identity=NUMBER, enabled=False
    )
    sync_account(staging.account_sid)

    assert skip_reasons((b, {"enabled": True})) == [""]


def test_existing_collision_blocks_no_other_change(add):
    add("A", enabled=True)
    b = add("B", enabled=True)

    assert skip_reasons((b, {"contact_identity": "+49 15550 100200", "friendly_name": "B2"})) == [
        ""
    ]


def test_bulk_turn_on_of_two_that_share_a_number(add):
    a, b = add("A"), add("B")

    plan = drafts.plan_bulk_action(action=BulkAction("enable"), sids=[b, a], created_by="omar")

    assert [
        (change.target_sid, change.skip_reason) for change in plan.changes.order_by("position")
    ] == [
        (a, ""),
        (b, f"Row 1 turns on {a} with the same channel and identity. {ONLY_ONE}"),
    ]


def test_rollback_is_checked_against_present_flows(add, sandbox, operator_actor):
    a = add("A", enabled=True)
    plan = drafts.plan_bulk_action(action=BulkAction("disable"), sids=[a], created_by="omar")
    assert run_to_end(plan, operator_actor) == ["made"]
    b = add("B", enabled=True)

    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")

    assert (
        rollback.changes.get().skip_reason
        == f"{b} is on for the same channel and identity. {ONLY_ONE}"
    )


def test_rollback_of_a_swap_is_in_reverse_order(add, sandbox, operator_actor):
    a, b = add("A", enabled=True), add("B")
    entries = [
        ImportEntry(a, {"enabled": False}, account_sid=""),
        ImportEntry(b, {"enabled": True}, account_sid=""),
    ]
    plan = import_draft.plan_import(entries=entries, created_by="omar")
    assert run_to_end(plan, operator_actor) == ["made", "made"]
    sync_account(ACCOUNT)

    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")

    assert run_to_end(rollback, operator_actor) == ["made", "made"]
    assert [sandbox.flows[sid]["enabled"] for sid in (a, b)] == [True, False]


def test_rollback_of_deletions_creates_no_second_enabled_flow(add, sandbox, operator_actor):
    a = add("A", enabled=True)
    plan = drafts.plan_bulk_action(action=BulkAction("delete"), sids=[a], created_by="omar")
    assert run_to_end(plan, operator_actor) == ["made"]
    b = add("B", enabled=True)

    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")

    assert rollback.changes.get().skip_reason.startswith(f"{b} is on for the same channel")


def test_retry_is_checked_against_present_flows(add, sandbox, operator_actor):
    a = add("A")
    plan = drafts.plan_bulk_action(action=BulkAction("enable"), sids=[a], created_by="omar")
    sandbox.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
    assert run_to_end(plan, operator_actor) == ["failed"]
    b = add("B", enabled=True)

    retry = follow_ups.plan_retry(plan=plan, created_by="omar")

    assert retry.changes.get().skip_reason.startswith(f"{b} is on for the same channel")
    assert retry.title == "Retry 1 of: Turn on 1 flow"
    assert [item.status for item in items.plan_items(retry)] == ["skipped"]


def test_name_of_the_other_flow_is_not_stored_in_the_plan(add):
    """An erasure could not find it in the text of a plan. The page looks the name up."""
    add("Cora Test", enabled=True)
    b = add("B")

    assert "Cora" not in skip_reasons((b, {"enabled": True}))[0]
