"""Drafts of bulk changes: the change of each flow, and the reasons to skip one."""

import ast
from pathlib import Path

import pytest

from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import access, drafts, import_draft, skip_rules
from flows.plans.drafts import BulkAction
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.faults.acting import SECRET, SECRET_URL, append_attempt, dump_tables

pytestmark = pytest.mark.django_db


def make_draft(kind, value=None, sids=None):
    return drafts.plan_bulk_action(
        action=BulkAction(kind, value),
        sids=Flow.objects.values_list("sid", flat=True) if sids is None else sids,
        created_by="omar",
    )


def only_change(plan):
    (change,) = plan.changes.all()
    return change


def differences(plan):
    return {
        change.target_sid: (change.before, change.requested, change.skip_reason)
        for change in plan.changes.all()
    }


def add_flow(sandbox, **fields):
    sid = sandbox.add_flow(**fields)
    sync_account(ACCOUNT)
    return sid


def test_draft_has_old_and_new_values_sorted_by_name(sandbox):
    last = sandbox.add_flow(friendly_name="Zagreb", enabled=False)
    first = sandbox.add_flow(friendly_name="aachen", enabled=False)
    sync_account(ACCOUNT)

    plan = make_draft("enable")

    assert [change.target_sid for change in plan.changes.order_by("position")] == [first, last]
    assert differences(plan)[first] == ({"enabled": False}, {"enabled": True}, "")
    assert (plan.title, plan.status, plan.created_by) == ("Turn on 2 flows", "draft", "omar")


def test_flow_that_has_the_value_is_skipped(sandbox):
    add_flow(sandbox, enabled=True)

    assert only_change(make_draft("enable")).skip_reason == "Already set."


@pytest.mark.parametrize(("kind", "value", "reason"), [
    ("retry_count", 2, "Has no retry count (handled by TaskRouter task)."),
    ("studio_flow", "FW" + "3" * 32, "Has no Studio Flow SID (handled by TaskRouter task)."),
    ("webhook_host", "hooks.example.org", "Has no webhook URL (handled by TaskRouter task)."),
])  # fmt: skip
def test_field_of_another_integration_is_skipped(sandbox, kind, value, reason):
    add_flow(sandbox, integration_type="task")

    assert only_change(make_draft(kind, value)).skip_reason == reason


def test_deleted_locked_and_unknown_flows_are_skipped(sandbox):
    deleted, locked = sandbox.add_flow(), sandbox.add_flow()
    sync_account(ACCOUNT)
    sandbox.remove_flow(deleted)
    sync_account(ACCOUNT)
    append_attempt(locked)

    plan = make_draft("disable", sids=[deleted, locked, "FO" + "9" * 32])

    assert {sid: reason for sid, (_, _, reason) in differences(plan).items()} == {
        deleted: "Deleted at Twilio.",
        locked: "Has an unresolved change.",
        "FO" + "9" * 32: "No flow with this SID has been synced.",
    }


def test_second_flow_of_an_identity_is_not_turned_on(sandbox):
    first = sandbox.add_flow(friendly_name="First", contact_identity="+15550100", enabled=True)
    second = add_flow(sandbox, friendly_name="Second", contact_identity="+15550100", enabled=False)

    assert only_change(make_draft("enable", sids=[second])).skip_reason == (
        f"{first} is on for the same channel and identity. "
        "Only one flow can be on per channel and contact identity."
    )


@pytest.mark.parametrize(("url", "host", "new"), [
    ("https://old.example.com/in?a=1#b", "new.example.com", "https://new.example.com/in?a=1#b"),
    ("https://old.example.com:8443/in", "new.example.com", "https://new.example.com/in"),
    ("http://old.example.com/in", "new.example.com:81", "http://new.example.com:81/in"),
    ("https://a:b@old.example.com/in", "new.example.com", "https://a:b@new.example.com/in"),
])  # fmt: skip
def test_only_the_host_is_replaced(url, host, new):
    assert drafts.replace_host(url, host) == new


@pytest.mark.parametrize("url", [None, "", "not an address", "https://[broken/"])
def test_url_without_a_host_is_skipped(url):
    with pytest.raises(skip_rules.SkipFlow, match="no webhook URL"):
        drafts.replace_host(url, "new.example.com")


def test_secret_of_a_webhook_is_not_stored(sandbox):
    add_flow(sandbox, integration_type="external", integration_url=SECRET_URL)

    change = only_change(make_draft("webhook_host", "new.example.com"))

    assert "new.example.com" in change.requested["integration_url"]
    assert "masked-" in change.requested["integration_url"]
    assert SECRET not in dump_tables()


def test_entry_changes_only_fields_that_differ(sandbox):
    sid = add_flow(sandbox, friendly_name="Old", janitor_enabled=False)

    plan = import_draft.plan_import(
        entries=[
            ImportEntry(sid, {"friendly_name": "New", "janitor_enabled": False}, account_sid="")
        ],
        created_by="omar",
    )

    assert only_change(plan).requested == {"friendly_name": "New"}
    assert only_change(plan).before == {"friendly_name": "Old"}


def test_entries_are_skipped_with_a_reason(sandbox):
    sid = add_flow(sandbox)
    values = {"friendly_name": "New"}

    plan = import_draft.plan_import(
        entries=[
            ImportEntry(sid, values, account_sid=""),
            ImportEntry(sid, values, account_sid=""),
            ImportEntry("FO" + "9" * 32, values, account_sid=""),
            ImportEntry(error="Not a flow.", account_sid=""),
        ],
        created_by="omar",
    )

    reason = [change.skip_reason for change in plan.changes.order_by("position")]
    assert reason[0] == ""
    assert reason[1].startswith("Same SID as an entry above.")
    assert reason[2].startswith("No flow with this SID has been synced.")
    assert reason[3] == "Not a flow."


def test_entry_without_sid_creates_a_flow():
    plan = import_draft.plan_import(
        entries=[
            ImportEntry(
                values={"friendly_name": "New", "contact_identity": "", "long_lived": None},
                account_sid="",
            )
        ],
        created_by="omar",
    )

    change = only_change(plan)
    assert (change.action, change.target_sid, change.requested) == (
        "flow.create",
        "",
        {"friendly_name": "New"},
    )


def test_deletion_compares_the_present_name(sandbox):
    add_flow(sandbox, friendly_name="Old")

    change = only_change(make_draft("delete"))

    assert (change.action, change.before["friendly_name"], change.requested) == (
        "flow.delete",
        "Old",
        {},
    )


def test_draft_with_a_secret_is_refused():
    with pytest.raises(ValueError, match="would store a secret"):
        import_draft.plan_import(
            entries=[ImportEntry(values={"integration_url": SECRET_URL}, account_sid="")],
            created_by="omar",
        )

    assert SECRET not in dump_tables()


def test_unstorable_characters_are_replaced():
    plan = import_draft.plan_import(
        entries=[ImportEntry(values={"friendly_name": "a\ud800\x00b"}, account_sid="")],
        created_by="omar",
    )

    assert only_change(plan).requested == {"friendly_name": "a\ufffd\u2400b"}


def test_only_a_draft_can_be_discarded(sandbox):
    add_flow(sandbox)
    draft, started = make_draft("disable"), make_draft("disable")
    Plan.objects.filter(pk=started.pk).update(status="running")

    assert drafts.discard_draft(plan=draft)
    assert not drafts.discard_draft(plan=started)

    assert [plan.pk for plan in Plan.objects.all()] == [started.pk]


def test_missing_permission_depends_on_the_actions(sandbox, person):
    add_flow(sandbox)
    viewer, operator = person("viewer"), person("operator")

    plan = make_draft("delete")

    assert access.missing_permission(plan, viewer) == "flows.delete_flow"
    assert access.missing_permission(plan, operator) == ""


def test_iterator_of_sids_is_planned_completely(sandbox):
    sid, unknown = add_flow(sandbox, enabled=True), "FO" + "9" * 32

    plan = make_draft("disable", sids=iter([sid, unknown, sid]))

    assert [change.target_sid for change in plan.changes.order_by("position")] == [sid, unknown]


def test_no_function_iterates_an_iterable_parameter_twice():
    """Such a parameter may be compared with None, and used once."""
    faults = []
    for path in [*Path("flows").rglob("*.py"), *Path("flexadmin").rglob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                faults += [
                    f"{path}:{function.name}({name})" for name in find_reused_iterables(function)
                ]

    assert faults == []


def find_reused_iterables(function):
    arguments = [*function.args.args, *function.args.kwonlyargs]
    for argument in arguments:
        if argument.annotation and ast.unparse(argument.annotation).startswith(
            ("Iterable", "Iterator")
        ):
            uses = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and node.id == argument.arg
            ]
            comparisons = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Compare)
                and isinstance(node.ops[0], ast.Is | ast.IsNot)
                and ast.unparse(node.left) == argument.arg
            ]
            if len(uses) - len(comparisons) > 1:
                yield argument.arg
