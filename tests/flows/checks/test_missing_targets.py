"""Targets that an account doesn't have: what a complete list proves, and what isn't judged."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.checks.checking import find_all
from flows.checks.finding_preview import preview_findings
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.stored_state import load_state
from flows.mirror.models import Flow
from flows.names.models import NameReading
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import (
    STUDIO_FLOWS,
    WORKFLOWS,
    WORKSPACES,
    read_completely,
    store,
)
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db
SID, MISSING = f"FO{0:032}", "FW" + "f" * 32
SENTENCE = "Twilio has no Studio Flow FWffff…ffff in this account. Messages can't be handled."


def point_to(studio_sid):
    store(flow("studio", "web", integration_flow_sid=studio_sid, enabled=True))


def gone_targets():
    findings = find_all(ACCOUNT, load_state(ACCOUNT))
    return [each.message for each in findings if each.rule.rule_id == "target-gone"]


def test_target_that_a_complete_list_lacks_is_an_error():
    point_to(MISSING)
    read_completely("studio_flow")

    assert gone_targets() == [SENTENCE]
    alone = check_with_surroundings(ACCOUNT, SID, Flow.objects.get(sid=SID).resource)
    assert SENTENCE in [each.message for each in alone]


def test_target_that_the_list_has_is_none():
    add_name(STUDIO_FLOWS[0], "Support", status="published")
    point_to(STUDIO_FLOWS[0])
    read_completely("studio_flow")

    assert gone_targets() == []


@pytest.mark.parametrize("case", ["unread", "another list", "failed", "older", "other account"])
def test_target_is_not_judged_without_a_list_since_the_flows_change(case):
    point_to(MISSING)
    changed_at = timezone.now()
    Flow.objects.update(mirrored_at=changed_at)
    resource = Flow.objects.get(sid=SID).resource
    Flow.objects.update(resource=resource | {"date_updated": changed_at.isoformat()})
    if case == "another list":
        read_completely("workflow")
    elif case == "failed":
        read_completely("studio_flow")
        NameReading.objects.update(failed_at=timezone.now())
    elif case == "older":
        read_completely("studio_flow", read_at=changed_at - timedelta(minutes=1))
    elif case == "other account":
        read_completely("studio_flow")
        NameReading.objects.update(account_sid="AC" + "0e" * 16)

    assert gone_targets() == []


def test_workspace_and_workflow_are_judged_each_by_its_own_list():
    add_name(WORKSPACES[0], "Day", resource="workspace")
    store(
        flow(
            "task",
            "web",
            integration_workspace_sid=WORKSPACES[0],
            integration_workflow_sid=WORKFLOWS[0],
        )
    )
    read_completely("workspace")
    assert gone_targets() == []

    read_completely("workflow")

    assert gone_targets() == [
        "Twilio has no workflow WW0000…0000 in this account. Messages can't be handled."
    ]


def test_preview_of_a_change_says_that_the_account_lacks_the_new_target():
    add_name(STUDIO_FLOWS[0], "Support", status="published", revision=1)
    point_to(STUDIO_FLOWS[0])
    read_completely("studio_flow")

    changes = preview_findings(ACCOUNT, {SID: {"integration_flow_sid": MISSING}})

    assert [each.message for each in changes.worse] == [SENTENCE]
    assert changes.worse[0].severity.value == "error"
