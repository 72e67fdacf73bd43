"""The table of fields against Twilio's reference and hand-written facts, and its functions."""

import json
import re
import subprocess
import sys

import pytest

from flows.twilio.flex.flex_flow import CHANNEL_TYPES, FLEX_FLOW
from tests.data import FACTS, INTEGRATION_TYPES, PARAMETERS, REFERENCE

HEX = "0123456789abcdefABCDEF0123456789"
FO = f"FO{HEX}"
RESPONSE = {
    "sid": FO,
    "account_sid": f"AC{HEX}",
    "friendly_name": None,
    "enabled": True,
    "integration_type": "task",
    "integration": {"timeout": 0, "channel": "sms", "weight_nobody_knows": [1]},
    "mood_nobody_knows": {"integration": {"of": "another"}},
}

parameters = pytest.mark.parametrize(("wire", "fact"), PARAMETERS.items(), ids=list(PARAMETERS))


def test_facts_agree_with_the_reference():
    described = REFERENCE["create"]["parameters"]

    assert REFERENCE["update"]["parameters"].keys() == described.keys() == PARAMETERS.keys()
    assert sorted(REFERENCE["create"]["required"]) == FACTS["required_on_create"]
    assert REFERENCE["update"]["required"] == []
    assert {wire for wire, one in described.items() if one.get("pii")} <= set(FACTS["personal"])
    for wire, fact in PARAMETERS.items():
        http_response = described[wire]["description"]
        for kind in fact.get("requires", ()):
            assert re.search(rf"[Rr]equired when `integrationType` is `{kind}`", http_response), (
                wire
            )
        if "default" in fact:
            in_words = (
                f"{fact['default']:,}"
                if fact["kind"] == "integer"
                else str(fact["default"]).lower()
            )
            assert re.search(rf"[Dd]efault.* `?{in_words}`?( seconds|\.)", http_response), wire


def test_parameters_are_those_of_the_reference():
    assert len(FLEX_FLOW.writable_fields) == 17
    assert FLEX_FLOW.by_wire_name.keys() == REFERENCE["create"]["parameters"].keys()
    assert set(CHANNEL_TYPES) == set(FACTS["channel_types"])
    assert set(INTEGRATION_TYPES) == set(FACTS["integration_types"])


@parameters
def test_parameter_is_as_the_reference_describes_it(wire, fact):
    field, described = FLEX_FLOW.by_wire_name[wire], REFERENCE["create"]["parameters"][wire]

    assert (field.name, field.kind, field.wire) == (fact["name"], fact["kind"], wire)
    assert field.label
    assert field.help
    assert f"^{field.pattern}$" == described.get("pattern", "^$")
    assert field.sid_prefix == fact.get("prefix", "")
    booleans = {"true", "false"} if field.kind == "boolean" else set()  # they have only labels
    assert set(field.choices) - booleans == set(described.get("enum", ()))
    assert (field.minimum, field.maximum) == (fact.get("minimum"), fact.get("maximum"))
    assert field.default == fact.get("default")
    assert type(field.default) is type(fact.get("default"))
    assert field.max_length == FACTS["our_own_limits"].get(wire)
    assert field.required_on_create is (wire in FACTS["required_on_create"])
    assert field.pii is (wire in FACTS["personal"])
    assert field.is_nested is wire.startswith("Integration.")
    json_type = {"integer": "integer", "boolean": "boolean"}.get(field.kind, "string")
    assert described["type"] == json_type
    assert (described.get("format") == "uri") is (field.kind == "url")


@parameters
@pytest.mark.parametrize("kind", [*INTEGRATION_TYPES, None, "", "bot"])
def test_parameter_has_the_right_integration_types(wire, fact, kind):
    field = FLEX_FLOW.by_wire_name[wire]

    assert sorted(field.takes) == fact.get("takes", [])
    assert field.is_applicable(kind) is (kind in fact["takes"] if "takes" in fact else True)
    assert field.is_required(kind) is (kind in fact.get("requires", ()))


def test_table_has_every_field_of_a_response():
    own = [field.name for field in FLEX_FLOW.fields if not field.is_nested]
    integration = [field.name.removeprefix("integration_") for field in FLEX_FLOW.nested_fields]

    assert sorted([*own, "integration"]) == sorted(REFERENCE["resource"])
    assert set(own) == FACTS["response"].keys()
    assert sorted(integration) == FACTS["response_of_integration"]
    assert len({field.name for field in FLEX_FLOW.fields}) == len(FLEX_FLOW.fields)


@pytest.mark.parametrize(("name", "kind"), FACTS["response"].items())
def test_response_field_has_its_kind(name, kind):
    field = FLEX_FLOW.by_name[name]

    assert f"{field.kind} {field.sid_prefix}".strip() == kind
    assert f"^{field.pattern}$" == REFERENCE["resource"][name].get("pattern", "^$")
    assert (field.wire is None) is (
        name in {"sid", "account_sid", "date_created", "date_updated", "url"}
    )


@pytest.mark.parametrize(
    "value", [FO, "FO" + "0" * 32, "FO" + "F" * 32], ids=["mixed case", "digits", "capitals"]
)
def test_is_sid_accepts_prefix_and_32_hexadecimal_digits(value):
    assert FLEX_FLOW.is_sid(value)


@pytest.mark.parametrize(
    "value",
    [
        FO + "\n", "\n" + FO, FO + " ", FO[:-1], FO + "0", "", "FO", None, 34, FO.encode(), [FO],
        "fo" + HEX, "FW" + HEX, "FO" + "g" * 32, "FO" + "１" * 32, "FO" + "٣" * 32, "FO" + "0" * 31 + "\x00",
        "FO/../" + "0" * 28,
    ],
    ids=ascii,
)  # fmt: skip
def test_is_sid_rejects_anything_else(value):
    assert not FLEX_FLOW.is_sid(value)


def test_response_becomes_a_flat_snapshot_with_unknown_fields():
    assert FLEX_FLOW.decode(RESPONSE) == {
        "sid": FO,
        "account_sid": f"AC{HEX}",
        "friendly_name": None,
        "enabled": True,
        "integration_type": "task",
        "integration_timeout": 0,
        "integration_channel": "sms",
        "integration_weight_nobody_knows": [1],
        "mood_nobody_knows": {"integration": {"of": "another"}},
    }


def test_to_response_is_the_inverse_of_from_response():
    assert FLEX_FLOW.encode(FLEX_FLOW.decode(RESPONSE)) == RESPONSE


@pytest.mark.parametrize("integration", [None, {}, [], "", "{}"], ids=repr)
def test_response_without_an_integration_object(integration):
    snapshot = FLEX_FLOW.decode({"sid": FO, "integration": integration})

    assert snapshot == {"sid": FO}
    assert FLEX_FLOW.encode(snapshot) == {"sid": FO, "integration": {}}


@pytest.mark.parametrize("integration", ["task", 7, ["studio"], "[1]", True], ids=repr)
def test_unreadable_integration_stays_unchanged(integration):
    snapshot = FLEX_FLOW.decode({"sid": FO, "integration": integration})

    assert snapshot == {"sid": FO, "integration": integration}
    assert FLEX_FLOW.encode(snapshot) == {"sid": FO, "integration": integration}


def test_integration_as_json_text_is_read():
    snapshot = FLEX_FLOW.decode({"sid": FO, "integration": '{"flow_sid": "FW1", "retry_count": 2}'})

    assert snapshot == {"sid": FO, "integration_flow_sid": "FW1", "integration_retry_count": 2}


@pytest.mark.parametrize(
    ("flow", "kind"),
    [
        ({"integration_type": "task"}, "task"), ({"integration_type": "External "}, "external"), ({"integration_type": "bot"}, "bot"),
        ({"integration_flow_sid": "FW1"}, "studio"), ({"integration_type": "", "integration_flow_sid": "FW1"}, "studio"),
        ({"integration_url": "https://h.example/"}, ""), ({}, ""), ({"integration_type": None, "integration_flow_sid": ""}, ""),
        ({"integration_type": ["studio"], "integration_flow_sid": "FW1"}, ""),
    ],
)  # fmt: skip
def test_handler_type(flow, kind):
    assert FLEX_FLOW.variant_of(flow) == kind


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("enabled", "true", True), ("enabled", " TRUE ", True), ("enabled", "yes", True), ("enabled", 1, True), ("enabled", "1", True),
        ("enabled", "false", False), ("enabled", "off", False), ("enabled", 0, False), ("enabled", 0.0, False),
        ("integration_timeout", "86400", 86_400), ("integration_timeout", 5.0, 5), ("integration_timeout", " +5 ", 5),
        ("channel_type", "SMS", "sms"), ("channel_type", "telepathy", "telepathy"), ("friendly_name", 3, "3"),
        ("enabled", None, None), ("enabled", "", None), ("of_tomorrow", {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_value_in_another_form_is_normalized(name, value, expected):
    assert FLEX_FLOW.normalize_value(name, value) == expected
    assert type(FLEX_FLOW.normalize_value(name, value)) is type(expected)
    assert FLEX_FLOW.is_readable(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", "maybe"), ("enabled", 2), ("enabled", -1), ("enabled", 0.5), ("enabled", []), ("enabled", {"a": True}), ("enabled", "truefalse"),
        ("integration_timeout", "5 s"), ("integration_timeout", 5.5), ("integration_timeout", True), ("integration_timeout", "٥"), ("integration_timeout", "1e3"),
        ("integration_timeout", [5]), ("channel_type", 5), ("channel_type", ["sms"]), ("friendly_name", {"a": 1}), ("friendly_name", True),
        ("date_created", "yesterday"), ("date_created", ["2026"]), ("integration_url", {}), ("chat_service_sid", []),
    ],
)  # fmt: skip
def test_unreadable_value_stays_unchanged(name, value):
    assert FLEX_FLOW.normalize_value(name, value) == value
    assert not FLEX_FLOW.is_readable(name, value)
    for other in (True, False, 0, 1, None, "sms", ""):
        assert not FLEX_FLOW.is_same_value(name, value, other) or value is other


def test_integrations_type_does_not_replace_the_flows():
    response = {"integration": {"type": "of tomorrow"}, "integration_type": "studio"}

    assert FLEX_FLOW.decode(response)["integration_type"] == "studio"


@parameters
def test_parameter_has_the_wire_name(wire, fact):
    assert FLEX_FLOW.to_parameters({fact["name"]: fact["example"]}) == {wire: fact["example"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (86_400, "86400"),
        (None, ""),
        ("", ""),
        (" a=b&c ", " a=b&c "),
    ],
)
def test_parameter_value(value, expected):
    assert FLEX_FLOW.to_parameters({"integration_timeout": value}) == {
        "Integration.Timeout": expected
    }


@pytest.mark.parametrize("name", ["sid", "date_updated", "url", "weight_nobody_knows", ""])
def test_read_only_field_is_no_parameter(name):
    with pytest.raises(KeyError):
        FLEX_FLOW.to_parameters({name: "x"})


def test_no_fields_give_no_parameters():
    assert FLEX_FLOW.to_parameters({}) == {}


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("friendly_name", None, ""),
        ("friendly_name", "Lyon", "Lyon"),
        ("integration_timeout", 0, "0"),
        ("integration_timeout", "-5", -5),
        ("integration_timeout", "086400", 86_400),
        ("integration_timeout", 5, "5.0"),
        ("integration_timeout", 5, "5\n"),
        ("enabled", True, "true"),
        ("enabled", False, 0),
        ("friendly_name", "3", 3),
        ("date_updated", "2026-03-01T12:00:00Z", "Sun, 01 Mar 2026 13:00:00 +0100"),
        ("enabled", False, False),
        ("mood_nobody_knows", {"a": [1]}, {"a": [1]}),
    ],
)
def test_same_values(name, first, second):
    assert FLEX_FLOW.is_same_value(name, first, second)
    assert FLEX_FLOW.is_same_value(name, second, first)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("friendly_name", "Lyon", "lyon"),
        ("friendly_name", "Lyon", "Lyon "),
        ("integration_timeout", 0, None),
        ("integration_timeout", 0, ""),
        ("integration_timeout", 0, False),
        ("integration_timeout", 1, True),
        ("integration_timeout", 5, "٥"),
        ("integration_timeout", 5, "5.5"),
        ("enabled", False, None),
        ("enabled", True, "false"),
        ("enabled", False, "maybe"),
        ("mood_nobody_knows", "3", 3),
    ],
)
def test_different_values(name, first, second):
    assert not FLEX_FLOW.is_same_value(name, first, second)
    assert not FLEX_FLOW.is_same_value(name, second, first)


def test_differing_fields_are_in_the_tables_order_unknown_ones_last():
    first = {"zebra": 1, "long_lived": True, "friendly_name": "a", "enabled": True, "aardvark": 1}
    second = {"sid": FO, "enabled": True, "integration_timeout": 5, "friendly_name": ""}

    names = ["sid", "friendly_name", "integration_timeout", "long_lived", "aardvark", "zebra"]
    assert FLEX_FLOW.differing_fields(first, second) == names
    assert FLEX_FLOW.differing_fields(second, first) == names


def test_differing_fields_can_be_limited_to_names():
    first, second = (
        {"friendly_name": "a", "enabled": True},
        {"friendly_name": "b", "enabled": False},
    )

    assert FLEX_FLOW.differing_fields(first, second, ["enabled", "enabled", "long_lived"]) == [
        "enabled"
    ]
    assert FLEX_FLOW.differing_fields(first, second, []) == []


def test_missing_and_unset_fields_do_not_differ():
    assert FLEX_FLOW.differing_fields({"contact_identity": None}, {"integration_url": ""}) == []


def test_package_imports_neither_django_nor_flows_but_text_normalisation():
    script = "import sys, json, flows.twilio.client, flows.twilio.sandbox; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    )

    assert not [name for name in modules if name.split(".")[0] == "django"]
    assert {name for name in modules if name.startswith("flows.")} == {
        *(name for name in modules if name.startswith("flows.twilio")),
        "flows.core",
        "flows.core.invisible",
    }
