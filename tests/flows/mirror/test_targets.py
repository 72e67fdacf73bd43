"""The targets of a flow: which of its fields are, and what is kept of them."""

import pytest

from flows.mirror.targets import find_targets

FW, WS, WW, IS = (prefix + "1" * 32 for prefix in ("FW", "WS", "WW", "IS"))
SECRET_URL = "https://me:pass@Hooks.Example.com:8443/in?token=secret"


def values(**fields):
    return {kind: value for kind, value, _ in find_targets(fields)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"integration_type": "studio", "integration_flow_sid": FW}, {"studio-flow": FW}),
        ({"integration_type": "external", "integration_url": SECRET_URL}, {"webhook": "hooks.example.com"}),
        (
            {"integration_type": "task", "integration_workspace_sid": WS, "integration_workflow_sid": WW,
             "integration_channel": "sms"},
            {"workspace": WS, "workflow": WW, "task-channel": "sms"},
        ),
        ({"chat_service_sid": IS, "contact_identity": "+14155550100"}, {"chat-service": IS}),
    ],
    ids=["studio", "webhook", "task", "service"],
)  # fmt: skip
def test_fields_of_a_type_are_targets(fields, expected):
    assert values(**fields) == expected


def test_field_that_the_type_does_not_use_is_no_target():
    assert values(integration_type="task", integration_flow_sid=FW) == {}


@pytest.mark.parametrize("integration_type", [None, "bot"])
def test_without_a_known_type_each_field_is_a_target(integration_type):
    fields = {"integration_url": SECRET_URL, "integration_workflow_sid": WW}

    found = values(integration_type=integration_type, **fields)

    assert found == {"webhook": "hooks.example.com", "workflow": WW}


@pytest.mark.parametrize("value", [None, "", "  ", 7, True, ["x"], {"a": 1}], ids=str)
def test_value_that_is_no_text_is_no_target(value):
    assert values(chat_service_sid=value, integration_url=value) == {}


@pytest.mark.parametrize("url", ["no address", "https://[bad/", "https:///path"])
def test_url_without_a_host_is_no_target(url):
    assert values(integration_type="external", integration_url=url) == {}


def test_target_has_its_normalized_text():
    [target] = find_targets({"integration_type": "task", "integration_channel": "Été"})

    assert target == ["task-channel", "Été", "ete"]


def test_long_value_is_cut_to_what_an_index_takes():
    [(_, value, folded)] = find_targets({"chat_service_sid": "ŋ" * 2000})

    assert len(value) == len(folded) == 500
