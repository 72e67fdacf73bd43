"""Warnings about a flow: each rule with flows that break it and flows that don't."""

import re

import pytest

from flows.checks.checking import RULES, RULES_BY_ID
from flows.checks.flow_rules import check_flow, find_warnings
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.data import EXAMPLES, FACTS, INTEGRATION_TYPES, required_by, taken_by
from tests.flows.checks.complete_flows import flow

UNTYPED = "No integration type is set, so messages may go nowhere."


def required_without_default(kind):
    return [name for name in required_by(kind) if FLEX_FLOW.by_name[name].default is None]


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
@pytest.mark.parametrize("channel", FACTS["channel_types"])
def test_complete_flow_has_no_warnings(kind, channel):
    assert find_warnings(flow(kind, channel)) == []


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
@pytest.mark.parametrize("empty", [None, ""])
def test_each_missing_field_of_the_type_has_a_warning(kind, empty):
    for name in required_without_default(kind):
        assert find_warnings(flow(kind, **{name: empty})) == [
            f"{FLEX_FLOW.by_name[name].label} is missing. Messages can't be handled without it."
        ]


@pytest.mark.parametrize("empty", [None, ""])
def test_field_with_a_default_at_twilio_is_for_information(empty):
    [finding] = check_flow(flow("task", "web", integration_channel=empty, enabled=True))

    assert finding.rule.rule_id == "required-value-by-default"
    assert finding.severity.value == "information"
    assert finding.message == "Task channel is not set. Twilio's default is “default”."


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_all_warnings_are_given_the_most_serious_first(kind):
    bare = {"integration_type": kind, "channel_type": "sms"}

    warnings = find_warnings(bare)

    assert len(warnings) == len(required_without_default(kind)) + 1
    assert all("is missing" in warning for warning in warnings[:-1])
    assert warnings[-1].startswith("No contact identity is set")


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_field_of_another_type_has_no_warning(kind):
    foreign = {name: None for name in EXAMPLES if name not in taken_by(kind)}

    assert find_warnings(flow(kind) | foreign) == []


@pytest.mark.parametrize("unset", [None, ""])
def test_unset_integration_type_has_a_warning(unset):
    bare = flow("external", integration_type=unset)

    assert find_warnings(bare | {"integration_url": None}) == [UNTYPED]
    assert find_warnings(bare) == [
        f"{UNTYPED} Twilio's default is Studio, so the webhook may not be called."
    ]


@pytest.mark.parametrize("unset", [None, ""])
def test_unset_integration_type_with_a_studio_flow_has_a_warning(unset):
    assert find_warnings(flow("studio", integration_type=unset)) == [
        "No integration type is set. Twilio uses Studio by default."
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("enabled", "maybe", "maybe"),
        ("integration_retry_count", [3], "[3]"),
        ("integration_type", {"a": 1}, '{"a": 1}'),
    ],
)
def test_unreadable_value_has_a_warning(name, value, text):
    warnings = find_warnings(flow("studio") | {name: value})

    assert warnings[0] == f"{FLEX_FLOW.by_name[name].label} has an unexpected value: “{text}”."


@pytest.mark.parametrize("name", ["friendly_name", "contact_identity"])
def test_invisible_characters_are_named(name):
    warnings = find_warnings(flow("studio", "web") | {name: "a\u200bb\ufeff"})

    assert warnings == [
        f"{FLEX_FLOW.by_name[name].label} contains invisible characters: U+200B, U+FEFF."
    ]


def test_fragment_of_a_webhook_has_a_warning():
    assert find_warnings(flow("external", integration_url="https://h.example/in#top")) == [
        "The part of the webhook URL after # is never sent."
    ]


@pytest.mark.parametrize(
    "snapshot",
    [flow(integration_type="bot"), flow(channel_type="telepathy", contact_identity=None)],
)
def test_unknown_type_and_channel_have_no_warning(snapshot):
    assert find_warnings(snapshot) == []


def test_empty_snapshot_has_one_warning():
    assert len(find_warnings({})) == 1


@pytest.mark.parametrize("value", [["sms"], {"sms": 1}, 7, True])
def test_value_of_another_type_is_no_error(value):
    for name in ("channel_type", "integration_type", "contact_identity", "integration_url"):
        assert isinstance(find_warnings(flow("external") | {name: value}), list)


@pytest.mark.parametrize("url", ["http://h.example/", "HTTP://h.example/", "http:h.example"])
def test_unencrypted_webhook_has_a_warning(url):
    assert find_warnings(flow("external", integration_url=url)) == [
        "The webhook is not encrypted. Use https:// instead of http://."
    ]


def rules_of(snapshot):
    return [each.rule.rule_id for each in check_flow(snapshot)]


@pytest.mark.parametrize(
    ("snapshot", "message"),
    [
        (
            flow("studio", "web", integration_url="https://h.example/"),
            "Webhook URL is set. The integration type “Studio Flow” doesn't use it.",
        ),
        (
            flow("external", "web", integration_workflow_sid="WW" + "1" * 32, integration_flow_sid="FW" + "1" * 32),
            "Studio Flow SID, Workflow SID are set. The integration type “External webhook” doesn't use them.",
        ),
    ],
)  # fmt: skip
def test_targets_of_another_type_are_for_information(snapshot, message):
    [finding] = check_flow(snapshot)

    assert finding.rule.rule_id == "parameters-of-another-type"
    assert finding.message == message
    assert find_warnings(snapshot) == []


@pytest.mark.parametrize(
    "snapshot",
    [
        flow("studio", "web", integration_timeout=60, integration_url=""),
        flow("studio", "web", integration_type=None, integration_url="https://h.example/"),
        flow("studio", "web", integration_type="bot", integration_url="https://h.example/"),
    ],
    ids=["number and empty", "no type", "unknown type"],
)
def test_other_parameters_are_fine(snapshot):
    assert "parameters-of-another-type" not in rules_of(snapshot)


def test_long_lived_flow_with_the_janitor_is_for_information():
    both = flow("studio", "web", long_lived=True, janitor_enabled=True)

    assert rules_of(both) == ["long-lived-with-janitor"]
    assert find_warnings(both) == []
    assert rules_of(both | {"janitor_enabled": False}) == []
    assert rules_of(both | {"long_lived": False}) == []


@pytest.mark.parametrize(
    ("enabled", "severity"), [(True, "error"), (False, "warning"), (None, "warning")]
)
def test_flow_that_is_off_has_no_error(enabled, severity):
    [finding] = check_flow(flow("external", "web", integration_url=None, enabled=enabled))

    assert finding.rule.severity.value == "error"
    assert finding.severity.value == severity


def test_every_rule_says_why_and_what_to_do():
    assert len(RULES_BY_ID) == len(RULES) >= 19
    for rule in RULES:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", rule.rule_id)
        assert rule.rule_id != "routing"  # has a page of its own
        assert rule.title[-1] != "."
        assert all(text.endswith(".") for text in (rule.explanation, rule.advice))


def test_webhook_of_another_type_is_not_checked():
    assert find_warnings(flow("studio", integration_url="http://h.example/")) == []


@pytest.mark.parametrize("url", ["https://h.example/?next=http://a", "https:h.example", "httpx:"])
def test_other_urls_have_no_warning(url):
    assert find_warnings(flow("external", integration_url=url)) == []
