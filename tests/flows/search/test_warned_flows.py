"""Flows with warnings: the list finds and counts the same ones whose rows show a warning."""

import pytest

from flows.checks.flow_rules import find_warnings
from flows.checks.target_rules import load_target_names
from flows.mirror import flow_rows
from flows.mirror.models import Flow
from flows.search import flow_search
from flows.search.flow_search import Query, run_query
from flows.search.warned_flows import count_warned
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC, names

pytestmark = pytest.mark.django_db

GOOD_FW, DRAFT_FW, GONE_FW, WW, IS = (
    prefix + digit * 32 for prefix, digit in (("FW", "1"), ("FW", "2"), ("FW", "3"), ("WW", "4"), ("IS", "5"))
)  # fmt: skip
OTHER_WW = "WW" + "8" * 32
GOOD = {
    "channel_type": "web",
    "enabled": True,
    "integration_type": "studio",
    "integration_flow_sid": GOOD_FW,
    "chat_service_sid": IS,
}
FLOWS = {
    "good": {},
    "good number": {"channel_type": "sms", "contact_identity": "+442071838750"},
    "no number": {"channel_type": "sms"},
    "wrong number": {"channel_type": "sms", "contact_identity": "whatsapp:+442071838750"},
    "no studio flow": {"integration_flow_sid": None},
    "no type": {"integration_type": None},
    "unreadable": {"enabled": "maybe"},
    "invisible": {"friendly_name": "invisible", "contact_identity": "+44\u200b2071838750"},
    "http": {"integration_type": "external", "integration_url": "http://hooks.example.com/"},
    "draft": {"integration_flow_sid": DRAFT_FW},
    "deleted target": {"integration_flow_sid": GONE_FW},
    "deleted workflow": {
        "integration_type": "task",
        "integration_workspace_sid": "WS" + "6" * 32,
        "integration_workflow_sid": WW,
        "integration_channel": "default",
    },
    "workflow of another workspace": {
        "integration_type": "task",
        "integration_workspace_sid": "WS" + "6" * 32,
        "integration_workflow_sid": OTHER_WW,
        "integration_channel": "default",
    },
    "workflow of its workspace": {
        "integration_type": "task",
        "integration_workspace_sid": "WS" + "7" * 32,
        "integration_workflow_sid": OTHER_WW,
        "integration_channel": "default",
    },
    "field of another type": {"integration_workflow_sid": WW},
    "off": {"integration_flow_sid": GONE_FW, "enabled": False},
}


@pytest.fixture
def flows():
    """Store flows of two accounts, and the names of what they point to in the first one."""
    add_name(GOOD_FW, "Support", account_sid=AC, status="published")
    add_name(DRAFT_FW, "Draft", account_sid=AC, status="draft")
    add_name(GONE_FW, "Gone", account_sid=AC, gone_at=DAY)
    add_name(WW, "Night", account_sid=AC, resource="workflow", gone_at=DAY)
    other_workflow = {"resource": "workflow", "parent_sid": "WS" + "7" * 32}
    add_name(OTHER_WW, "Day", account_sid=AC, **other_workflow)
    add_name(IS, "Chat", account_sid=AC, resource="chat_service", status="draft")  # not a flow's
    for account_sid, first_number in ((AC, 1), (OTHER_AC, 100)):
        snapshots = {}
        for number, (name, fields) in enumerate(FLOWS.items(), start=first_number):
            sid = f"FO{number:032}"
            snapshots[sid] = {**GOOD, "sid": sid, "friendly_name": name, **fields}
        flow_rows.save_snapshots(snapshots, account_sid)


def test_filter_finds_the_flows_whose_rows_show_a_warning(flows):
    every_flow = list(Flow.objects.all())
    target_names = load_target_names((flow.account_sid, flow.resource) for flow in every_flow)
    expected = {
        flow.sid
        for flow in every_flow
        if find_warnings(flow.resource, target_names[flow.account_sid])
    }

    found = set(flow_search.list_sids(Query(warnings="true")))

    assert found == expected
    assert names(warnings="true", account=AC) == sorted(
        set(FLOWS) - {"good", "good number", "workflow of its workspace", "field of another type"}
    )
    assert set(FLOWS) - {*names(warnings="true", account=OTHER_AC)} == {
        "good", "good number", "draft", "deleted target", "deleted workflow",
        "workflow of another workspace", "workflow of its workspace", "field of another type", "off",
    }  # fmt: skip


def test_filter_goes_with_the_others(flows):
    answer = run_query(Query(warnings="true", enabled="false", account=AC))

    assert [flow.friendly_name for flow in answer.page.rows] == ["off", "unreadable"]
    assert answer.facets["enabled"]["true"] == 10
    assert names(warnings="true", q="deleted", account=AC) == ["deleted target", "deleted workflow"]
    assert names(warnings="true", target=f"studio-flow:{DRAFT_FW}", account=AC) == ["draft"]


def test_flows_are_counted_by_account_with_one_query(flows, django_assert_num_queries):
    with django_assert_num_queries(1):
        everywhere = count_warned(None)

    assert everywhere == {AC: 12, OTHER_AC: 7}
    assert count_warned(frozenset([OTHER_AC])) == {OTHER_AC: 7}
    assert count_warned(frozenset()) == {}


def test_deleted_flow_needs_no_attention(flows):
    Flow.objects.filter(account_sid=AC).update(gone_at=DAY)

    assert AC not in count_warned(None)
    assert names(warnings="true", account=AC) == []


def test_unknown_value_finds_nothing():
    query = Query.from_query_string("warnings=maybe")

    assert [error.sentence for error in query.errors] == [
        "“maybe” is not a choice of warnings. The only one is true."
    ]
