"""The handler of a flow's messages in words, as the list and the flow's page show it."""

import pytest

from flows.flex_flows.handlers import describe_handler, set_handler_name
from flows.mirror.models import Flow
from flows.names.lookup import Name

STUDIO_SID = "FW" + "2b" * 16
WORKFLOW_SID = "WW" + "3c" * 16


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"integration_type": "studio", "integration_flow_sid": STUDIO_SID}, "Studio Flow FW2b2b…2b2b"),
        ({"integration_type": "studio"}, "Studio Flow not set"),
        ({"integration_type": "external", "integration_url": "https://u:p@hooks.example.com/x?token=1"}, "Webhook hooks.example.com"),
        ({"integration_type": "external", "integration_url": "https://[bad"}, "Webhook not set"),
        ({"integration_type": "task", "integration_workflow_sid": "WW" + "3c" * 16}, "Workflow WW3c3c…3c3c"),
        ({"integration_type": "carrier-pigeon"}, "carrier-pigeon"),
        ({"integration_type": None}, "No handler"),
        ({}, "No handler"),
    ],
)  # fmt: skip
def test_handler_is_described(resource, words):
    assert describe_handler(Flow(sid="FO" + "1a" * 16, resource=resource)) == words


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (
            {"integration_type": "studio", "integration_flow_sid": STUDIO_SID},
            "Support IVR · FW2b2b…2b2b",
        ),
        (
            {"integration_workflow_sid": WORKFLOW_SID},
            "No type set, workflow Support IVR · WW3c3c…3c3c",
        ),
        (
            {"integration_type": "external", "integration_url": "https://hooks.example.com/"},
            "Webhook hooks.example.com",
        ),
    ],
)
def test_handler_with_a_name(resource, words):
    flow = Flow(sid="FO" + "1a" * 16, resource=resource)
    sids = (STUDIO_SID, WORKFLOW_SID)
    names = {sid: Name(sid, "", "Support IVR", "", "", is_gone=False) for sid in sids}

    set_handler_name(flow, names)

    assert describe_handler(flow) == words
