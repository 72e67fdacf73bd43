"""The errors that keep a handler from doing something with a message."""

import pytest

from flows.checks import account_rules, flow_rules, target_rules
from flows.checks.account_rules import AccountState, check_account, check_handover
from flows.checks.findings import Severity
from flows.checks.flow_rules import check_flow
from flows.names.handling import StudioFacts, Surroundings
from flows.names.lookup import Name
from tests.flows.checks.complete_flows import flow
from tests.flows.search.mirrored_flows import DAY

# Errors that the way to Flex explains, so that they aren't told of a handler.
OF_THE_WAY = {"two-flows-on-for-one-identity", "whatsapp-sender-offline"}
STUDIO, WORKSPACE, WORKFLOW = "FW" + "1" * 32, "WS" + "1" * 32, "WW" + "1" * 32
COMPLETE = ("studio_flow", "workspace", "workflow", "task_channel")


def name(sid, resource, **values):
    return Name(
        sid, resource, "A name", **{"status": "", "parent_sid": "", "is_gone": False} | values
    )


BROKEN = {
    "required-value-missing": (flow("external", integration_url=None), {}),
    "target-gone": (
        flow("studio", integration_flow_sid=STUDIO),
        {STUDIO: name(STUDIO, "studio_flow", is_gone=True)},
    ),
    "studio-flow-never-published": (
        flow("studio", integration_flow_sid=STUDIO),
        {STUDIO: name(STUDIO, "studio_flow", status="draft", revision=1)},
    ),
    "workflow-in-another-workspace": (
        flow("task", integration_workspace_sid=WORKSPACE, integration_workflow_sid=WORKFLOW),
        {WORKFLOW: name(WORKFLOW, "workflow", parent_sid="WS" + "2" * 32)},
    ),
    "task-channel-unknown": (
        flow("task", integration_workspace_sid=WORKSPACE, integration_channel="fax"),
        {"TC" + "1" * 32: name("TC" + "1" * 32, "task_channel", parent_sid=WORKSPACE)},
    ),
    "studio-flow-takes-no-message": (
        flow("studio", integration_flow_sid=STUDIO),
        {STUDIO: name(STUDIO, "studio_flow", status="published")},
    ),
    "send-to-flex-target-gone": None,  # needs widgets: see test_studio_rules
}  # fmt: skip


def test_every_error_is_of_the_way_or_of_a_handler():
    rules = (*target_rules.RULES, *account_rules.RULES, *flow_rules.RULES)
    errors = {rule.rule_id for rule in rules if rule.severity == Severity.ERROR}

    assert errors == OF_THE_WAY | {*BROKEN}


@pytest.mark.parametrize("rule_id", [each for each, case in BROKEN.items() if case])
@pytest.mark.parametrize("enabled", [True, False])
def test_handler_has_the_errors_that_the_checks_find(rule_id, enabled):
    snapshot, names = BROKEN[rule_id]
    silent = StudioFacts(STUDIO, "published", 3, 3, frozenset(), listed_at=DAY)
    is_about_definition = rule_id == "studio-flow-takes-no-message"
    state = AccountState(
        {"FO1": snapshot | {"enabled": enabled, "channel_type": "web"}},
        names,
        complete=COMPLETE,
        surroundings=Surroundings(studio_flows={STUDIO: silent} if is_about_definition else {}),
    )
    (stored,) = state.flows.values()
    found = [(each.rule, each.message) for each in check_flow(stored, names)]
    found += [(rule, message) for _, rule, message in check_account(state)]

    handover = [(each.rule, each.message) for each in flow_rules.check_handover(stored, names)]
    handover += [(rule, message) for _, rule, message in check_handover(state)]

    assert rule_id in {rule.rule_id for rule, _ in handover}
    assert {rule.severity for rule, _ in handover} == {Severity.ERROR}
    assert sorted(handover, key=str) == sorted(
        (pair for pair in found if pair[0].severity == Severity.ERROR), key=str
    )
