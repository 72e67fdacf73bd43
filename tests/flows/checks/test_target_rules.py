"""Warnings about what a flow points to, from the names that were read at Twilio."""

import pytest

from flows.checks.flow_rules import find_warnings
from flows.checks.target_rules import load_target_names
from flows.names.lookup import Name
from tests import ACCOUNT

STUDIO_SID, WORKFLOW_SID, SERVICE_SID = "FW" + "1" * 32, "WW" + "2" * 32, "IS" + "3" * 32
STUDIO = {
    "integration_type": "studio",
    "integration_flow_sid": STUDIO_SID,
    "channel_type": "web",
    "friendly_name": "Web",
    "chat_service_sid": SERVICE_SID,
    "enabled": True,
}
UNPUBLISHED_REVISION = (
    "The latest revision of the Studio Flow “Support IVR” is a draft. "
    "Messages use the last published one, if there is one."
)


def name(sid=STUDIO_SID, text="Support IVR", resource="studio_flow", **fields):
    values = {"status": "", "parent_sid": "", "is_gone": False, **fields}
    return {sid: Name(sid, resource, text, **values)}


def test_target_that_twilio_has_is_no_warning():
    assert find_warnings(STUDIO, name(status="published")) == []


def test_target_without_a_name_is_no_warning():
    assert find_warnings(STUDIO, {}) == []


@pytest.mark.parametrize(
    ("names", "warning"),
    [
        (
            name(is_gone=True),
            "The Studio Flow “Support IVR” was deleted at Twilio. Messages can't be handled.",
        ),
        (
            name(text="", is_gone=True),
            "Twilio has no Studio Flow FW1111…1111 in this account. Messages can't be handled.",
        ),
        (
            name(SERVICE_SID, "Web chat", "chat_service", is_gone=True),
            "The chat service “Web chat” was deleted at Twilio. Messages can't be handled.",
        ),
        (
            name(status="draft", revision=1),
            "The Studio Flow “Support IVR” was never published. Messages can't be handled.",
        ),
        (
            name(status="draft", revision=2),
            UNPUBLISHED_REVISION,
        ),
    ],
)
def test_warning_names_the_target(names, warning):
    assert find_warnings(STUDIO, names) == [warning]


def test_field_of_another_integration_type_is_not_a_target():
    webhook = STUDIO | {"integration_type": "external", "integration_url": "https://h.example/"}

    assert find_warnings(webhook, name(is_gone=True)) == []


def test_deleted_workflow_of_a_task():
    task = {
        "integration_type": "task",
        "integration_workspace_sid": "WS" + "4" * 32,
        "integration_workflow_sid": WORKFLOW_SID,
        "integration_channel": "sms",
        "channel_type": "web",
        "friendly_name": "Web",
    }

    (warning,) = find_warnings(task, name(WORKFLOW_SID, "Claims", "workflow", is_gone=True))
    assert warning.startswith("The workflow “Claims” was deleted at Twilio.")


WORKSPACE_SID, OTHER_WORKSPACE_SID = "WS" + "4" * 32, "WS" + "5" * 32
TASK = {
    "integration_type": "task",
    "integration_workspace_sid": WORKSPACE_SID,
    "integration_workflow_sid": WORKFLOW_SID,
    "integration_channel": "sms",
    "channel_type": "web",
    "friendly_name": "Web",
}


@pytest.mark.parametrize(
    ("parent_sid", "place"),
    [(OTHER_WORKSPACE_SID, "WS5555…5555"), (WORKSPACE_SID, ""), ("", "")],
    ids=["another workspace", "its own", "unknown"],
)
def test_workflow_of_another_workspace(parent_sid, place):
    names = name(WORKFLOW_SID, "Claims", "workflow", parent_sid=parent_sid)

    sentence = f"The workflow “Claims” belongs to the workspace {place}, not to the flow's."
    assert find_warnings(TASK, names) == (
        [f"{sentence} Messages can't be handled."] if place else []
    )


@pytest.mark.django_db
def test_names_of_several_flows_take_one_query(django_assert_num_queries):
    other = "AC" + "0e" * 16
    with django_assert_num_queries(1):
        names = load_target_names([(ACCOUNT, STUDIO), (other, STUDIO), (ACCOUNT, {})])

    assert names == {ACCOUNT: {}, other: {}}
