"""What a plan would change of each flow, what it leaves out and why, and the plans that follow from another."""

import ast
from pathlib import Path

import pytest

from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.plans import access, drafts, import_draft
from flows.plans.drafts import BulkAction
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.faults.acting import SECRET, SECRET_URL, append_attempt, dump_tables

pytestmark = pytest.mark.django_db


def made(kind, value=None, sids=None):
    return drafts.plan_bulk_action(
        ask=BulkAction(kind, value),
        sids=Flow.objects.values_list("sid", flat=True) if sids is None else sids,
        made_by="omar",
    )


def only(plan):
    (change,) = plan.changes.all()
    return change


def differences(plan):
    return {
        change.target_sid: (change.before, change.asked, change.skipped)
        for change in plan.changes.all()
    }


def add(sandbox, **fields):
    sid = sandbox.add_flow(**fields)
    mirror.sync(ACCOUNT)
    return sid


def test_switch_has_old_and_new_by_name(sandbox):
    last = sandbox.add_flow(friendly_name="Zagreb", enabled=False)
    first = sandbox.add_flow(friendly_name="aachen", enabled=False)
    mirror.sync(ACCOUNT)

    plan = made("enable")

    assert [change.target_sid for change in plan.changes.order_by("place")] == [first, last]
    assert differences(plan)[first] == ({"enabled": False}, {"enabled": True}, "")
    assert (plan.title, plan.state, plan.made_by) == ("Turn on 2 flows", "draft", "omar")


def test_flow_that_is_like_that_is_left_out(sandbox):
    add(sandbox, enabled=True)

    assert only(made("enable")).skipped == "Already set."


@pytest.mark.parametrize(("kind", "value", "why"), [
    ("retry_count", 2, "Has no retry count (handled by TaskRouter task)."),
    ("studio_flow", "FW" + "3" * 32, "Has no Studio Flow SID (handled by TaskRouter task)."),
    ("webhook_host", "hooks.example.org", "Has no webhook URL (handled by TaskRouter task)."),
])  # fmt: skip
def test_field_that_the_integration_has_not_is_left_out(sandbox, kind, value, why):
    add(sandbox, integration_type="task")

    assert only(made(kind, value)).skipped == why


def test_gone_held_and_strange_flows_are_left_out(sandbox):
    gone, held = sandbox.add_flow(), sandbox.add_flow()
    mirror.sync(ACCOUNT)
    sandbox.remove_flow(gone)
    mirror.sync(ACCOUNT)
    append_attempt(held)

    plan = made("disable", sids=[gone, held, "FO" + "9" * 32])

    assert {sid: why for sid, (_, _, why) in differences(plan).items()} == {
        gone: "Deleted at Twilio.",
        held: "Has an unresolved change.",
        "FO" + "9" * 32: "No flow with this SID has been synced.",
    }


def test_second_flow_of_an_identity_is_not_switched_on(sandbox):
    first = sandbox.add_flow(friendly_name="First", contact_identity="+15550100", enabled=True)
    second = add(sandbox, friendly_name="Second", contact_identity="+15550100", enabled=False)

    assert only(made("enable", sids=[second])).skipped == (
        f"{first} is enabled for the same channel and identity. "
        "Only one flow can be enabled per channel and contact identity."
    )


@pytest.mark.parametrize(("url", "host", "new"), [
    ("https://old.example.com/in?a=1#b", "new.example.com", "https://new.example.com/in?a=1#b"),
    ("https://old.example.com:8443/in", "new.example.com", "https://new.example.com/in"),
    ("http://old.example.com/in", "new.example.com:81", "http://new.example.com:81/in"),
    ("https://a:b@old.example.com/in", "new.example.com", "https://a:b@new.example.com/in"),
])  # fmt: skip
def test_host_is_changed_and_nothing_else(url, host, new):
    assert drafts.replace_host(url, host) == new


@pytest.mark.parametrize("url", [None, "", "not an address", "https://[broken/"])
def test_address_without_a_host_is_left_out(url):
    with pytest.raises(drafts.SkipFlow, match="no webhook URL"):
        drafts.replace_host(url, "new.example.com")


def test_secret_of_a_webhook_is_not_kept(sandbox):
    add(sandbox, integration_type="external", integration_url=SECRET_URL)

    change = only(made("webhook_host", "new.example.com"))

    assert "new.example.com" in change.asked["integration_url"]
    assert "masked-" in change.asked["integration_url"]
    assert SECRET not in dump_tables()


def test_entry_changes_what_differs(sandbox):
    sid = add(sandbox, friendly_name="Old", janitor_enabled=False)

    plan = import_draft.plan_import(
        entries=[ImportEntry(sid, {"friendly_name": "New", "janitor_enabled": False})],
        made_by="omar",
    )

    assert only(plan).asked == {"friendly_name": "New"}
    assert only(plan).before == {"friendly_name": "Old"}


def test_entries_are_left_out_with_a_reason(sandbox):
    sid = add(sandbox)
    values = {"friendly_name": "New"}

    plan = import_draft.plan_import(
        entries=[
            ImportEntry(sid, values),
            ImportEntry(sid, values),
            ImportEntry("FO" + "9" * 32, values),
            ImportEntry(error="Not a flow."),
        ],
        made_by="omar",
    )

    why = [change.skipped for change in plan.changes.order_by("place")]
    assert why[0] == ""
    assert why[1].startswith("Same SID as an entry above.")
    assert why[2].startswith("No flow with this SID has been synced.")
    assert why[3] == "Not a flow."


def test_entry_without_sid_is_made():
    plan = import_draft.plan_import(
        entries=[
            ImportEntry(values={"friendly_name": "New", "contact_identity": "", "long_lived": None})
        ],
        made_by="omar",
    )

    change = only(plan)
    assert (change.action, change.target_sid, change.asked) == (
        "flow.create",
        "",
        {"friendly_name": "New"},
    )


def test_deletion_asks_for_the_name_that_it_has_now(sandbox):
    add(sandbox, friendly_name="Old")

    change = only(made("delete"))

    assert (change.action, change.before["friendly_name"], change.asked) == (
        "flow.delete",
        "Old",
        {},
    )


def test_secret_that_would_be_kept_is_refused():
    with pytest.raises(ValueError, match="would keep a secret"):
        import_draft.plan_import(
            entries=[ImportEntry(values={"integration_url": SECRET_URL})], made_by="omar"
        )

    assert SECRET not in dump_tables()


def test_text_that_no_database_holds_is_kept_in_signs():
    plan = import_draft.plan_import(
        entries=[ImportEntry(values={"friendly_name": "a\ud800\x00b"})], made_by="omar"
    )

    assert only(plan).asked == {"friendly_name": "a\ufffd\u2400b"}


def test_discarded_plan_is_gone_and_a_started_one_stays(sandbox):
    add(sandbox)
    draft, started = made("disable"), made("disable")
    Plan.objects.filter(pk=started.pk).update(started_at="2026-11-01T00:00:00Z")

    assert drafts.discard_draft(plan=draft)
    assert not drafts.discard_draft(plan=started)

    assert [plan.pk for plan in Plan.objects.all()] == [started.pk]


def test_missing_permission_is_of_what_the_plan_does(sandbox, person):
    add(sandbox)
    viewer, operator = person("viewer"), person("operator")

    plan = made("delete")

    assert access.missing_permission(plan, viewer) == "flows.delete_flow"
    assert access.missing_permission(plan, operator) == ""


def test_flows_of_an_iterator_are_all_in_the_plan(sandbox):
    sid, unknown = add(sandbox, enabled=True), "FO" + "9" * 32

    plan = made("disable", sids=iter([sid, unknown, sid]))

    assert [change.target_sid for change in plan.changes.order_by("place")] == [sid, unknown]


def test_no_function_goes_twice_through_what_can_be_gone_through_once():
    """A parameter that is annotated as an Iterable or Iterator is used once, apart from a look whether it is there."""
    found = []
    for path in [*Path("flows").rglob("*.py"), *Path("flexadmin").rglob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                found += [f"{path}:{function.name}({name})" for name in iterated_twice(function)]

    assert found == []


def iterated_twice(function):
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
            looks = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Compare)
                and isinstance(node.ops[0], ast.Is | ast.IsNot)
                and ast.unparse(node.left) == argument.arg
            ]
            if len(uses) - len(looks) > 1:
                yield argument.arg
