"""The three-way merge of an edit, case by case."""

import pytest

from flows.changes.merge import FieldConflict, merge
from flows.twilio.flex.flex_flow import FLEX_FLOW

FW1, FW2 = "FW" + "1" * 32, "FW" + "2" * 32
STUDIO = {"integration_type": "studio", "integration_flow_sid": FW1, "integration_retry_count": 3}
TASK = {
    "integration_type": "task",
    "integration_workspace_sid": "WS" + "1" * 32,
    "integration_workflow_sid": "WW" + "1" * 32,
    "integration_channel": "default",
    "integration_timeout": 86_400,
}
EXTERNAL = {
    "integration_type": "external",
    "integration_url": "https://a.example/",
    "integration_retry_count": 3,
}
A, B, C = {"friendly_name": "A"}, {"friendly_name": "B"}, {"friendly_name": "C"}
ON, OFF = {"enabled": True}, {"enabled": False}

# base, theirs, mine; what goes on, the fields in conflict, what changed at Twilio
TABLE = {
    "nobody edits": (A, A, A, {}, [], []),
    "I edit": (A, A, B, B, [], []),
    "they edit": (A, B, A, {}, [], ["friendly_name"]),
    "agreed edit": (A, B, B, {}, [], ["friendly_name"]),
    "the same field twice": (A, B, C, {}, ["friendly_name"], ["friendly_name"]),
    "disjoint": ({**A, **ON}, {**B, **ON}, {**A, **OFF}, OFF, [], ["friendly_name"]),
    "disjoint and the same": (
        {**A, **ON, "long_lived": False}, {**B, **ON, "long_lived": True}, {**C, **OFF, "long_lived": True},
        OFF, ["friendly_name"], ["friendly_name", "long_lived"],
    ),
    "both, one agreed": ({**A, **ON}, {**B, **ON}, {**B, **OFF}, OFF, [], ["friendly_name"]),
    "I give back what they changed": (B, A, B, {}, [], ["friendly_name"]),
    "null, empty and missing are one": (
        {"contact_identity": None}, {"contact_identity": ""}, {}, {}, [], []),
    "missing there, empty here": ({"contact_identity": None}, {}, {"contact_identity": ""}, {}, [], []),
    "missing in base, null there": ({}, {"contact_identity": None}, {"contact_identity": "+1"},
        {"contact_identity": "+1"}, [], []),
    "I unset": ({"contact_identity": "+1"}, {"contact_identity": "+1"}, {"contact_identity": ""},
        {"contact_identity": ""}, [], []),
    "both unset": ({"contact_identity": "+1"}, {}, {"contact_identity": ""}, {}, [], ["contact_identity"]),
    "they unset, I edit": ({"contact_identity": "+1"}, {"contact_identity": None}, {"contact_identity": "+2"},
        {}, ["contact_identity"], ["contact_identity"]),
    "they edit, I unset": ({"contact_identity": "+1"}, {"contact_identity": "+2"}, {"contact_identity": ""},
        {}, ["contact_identity"], ["contact_identity"]),
    "an integer as text": ({**STUDIO}, {**STUDIO, "integration_retry_count": "3"}, {"integration_retry_count": 3},
        {}, [], []),
    "zero is a value": ({**STUDIO}, {**STUDIO}, {"integration_retry_count": 0},
        {"integration_retry_count": 0}, [], []),
    "false is not null": ({"enabled": None}, {"enabled": None}, OFF, OFF, [], []),
    "zero means false": ({"enabled": 0}, {"enabled": 0}, OFF, {}, [], []),
    "a text means a boolean": ({"enabled": "true"}, {"enabled": "true"}, OFF, OFF, [], []),
    "they turn null into false": ({"enabled": None}, OFF, ON, {}, ["enabled"], ["enabled"]),
    "letters' case counts": (A, {"friendly_name": "a"}, B, {}, ["friendly_name"], ["friendly_name"]),
    "the dates alone": ({**A, "date_updated": "1"}, {**A, "date_updated": "2"}, B, B, [], []),
    "the address alone": ({**A, "url": "http://a"}, {**A, "url": "http://b"}, B, B, [], []),
    "the same second": ({**A, "date_updated": "1"}, {**B, "date_updated": "1"}, C,
        {}, ["friendly_name"], ["friendly_name"]),
    "an unknown field there": ({**A, "flavour": 1}, {**A, "flavour": 2}, B, B, [], ["flavour"]),
    "an unknown field new there": (A, {**A, "flavour": 2}, B, B, [], []),
    "partial base": (A, {**A, **ON}, B, B, [], []),
    "partial base, edited": (A, {**B, **ON}, C, {}, ["friendly_name"], ["friendly_name"]),
    "a field that I never saw": ({}, A, B, {}, ["friendly_name"], ["friendly_name"]),
    "a field that I never saw, as I want it": ({}, A, A, {}, [], ["friendly_name"]),
    "a deletion's check": (A, A, {}, {}, [], []),
    "a deletion's check after an edit": (A, B, {}, {}, [], ["friendly_name"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "requested", "conflicts", "changed"), TABLE.values(), ids=TABLE
)
def test_merge(base, theirs, mine, requested, conflicts, changed):
    merged = merge(FLEX_FLOW, base=base, theirs=theirs, mine=mine)

    assert merged.requested == requested
    assert [conflict.name for conflict in merged.conflicts] == conflicts
    assert merged.their_fields == changed


def test_conflict_tells_all_three_values():
    merged = merge(FLEX_FLOW, base=A, theirs=B, mine=C)

    assert merged.conflicts == [FieldConflict("friendly_name", "A", "B", "C")]


# base, theirs, mine; the fields in conflict; what would go on
INTEGRATION = {
    "they change the type, I a field of the old one": (
        STUDIO, EXTERNAL, {**STUDIO, "integration_flow_sid": FW2}, ["integration_flow_sid", "integration_type"]),
    "they change the type, I a field that both have": (
        STUDIO, EXTERNAL, {**STUDIO, "integration_retry_count": 0}, ["integration_type"]),
    "they change the type, I another field": (STUDIO, EXTERNAL, {**STUDIO, "friendly_name": "B"}, []),
    "they change the type, I do nothing": (STUDIO, TASK, STUDIO, []),
    "both change to the same type": (STUDIO, EXTERNAL, {**EXTERNAL, "integration_retry_count": 0}, []),
    "both change to the same type with other values": (
        STUDIO, EXTERNAL, {**EXTERNAL, "integration_url": "https://b.example/"}, ["integration_url"]),
    "both change to different types": (
        STUDIO, TASK, EXTERNAL, ["integration_type"]),
    "I change the type, they a field of the old one": (
        STUDIO, {**STUDIO, "integration_flow_sid": FW2}, EXTERNAL, ["integration_flow_sid"]),
    "I change the type, they a field that both have": (
        STUDIO, {**STUDIO, "integration_retry_count": 0}, EXTERNAL, []),
    "I change the type, they another field": (STUDIO, {**STUDIO, "friendly_name": "B"}, EXTERNAL, []),
    "I change the type, they a field of the old one that I emptied": (
        STUDIO, {**STUDIO, "integration_flow_sid": FW2}, {**EXTERNAL, "integration_flow_sid": ""},
        ["integration_flow_sid"]),
    "I change the type, they emptied a field of the old one": (
        STUDIO, {**STUDIO, "integration_flow_sid": None}, EXTERNAL, ["integration_flow_sid"]),
    "they unset the type, I edit a field of it": (
        STUDIO, {"integration_type": None}, {**STUDIO, "integration_retry_count": 1},
        ["integration_retry_count", "integration_type"]),
    "I set the first type": ({}, {}, STUDIO, []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "conflicts"), INTEGRATION.values(), ids=INTEGRATION
)
def test_integration_type_and_its_fields_collide(base, theirs, mine, conflicts):
    merged = merge(FLEX_FLOW, base=base, theirs=theirs, mine=mine)

    assert sorted(conflict.name for conflict in merged.conflicts) == conflicts


def test_type_changed_there_while_only_a_partial_form_edits_a_field_of_it():
    merged = merge(FLEX_FLOW, base=STUDIO, theirs=EXTERNAL, mine={"integration_retry_count": 0})

    assert merged.conflicts == [FieldConflict("integration_type", "studio", "external", "studio")]


@pytest.mark.parametrize("entry", FLEX_FLOW.writable_fields, ids=lambda entry: entry.name)
def test_every_field_that_can_be_written_can_conflict(entry):
    one, other, third = (True, False, None) if entry.kind == "boolean" else ("1", "2", "3")

    merged = merge(
        FLEX_FLOW, base={entry.name: one}, theirs={entry.name: other}, mine={entry.name: third}
    )

    assert entry.name in [conflict.name for conflict in merged.conflicts]
    assert entry.name not in merged.requested


@pytest.mark.parametrize(
    "entry", [entry for entry in FLEX_FLOW.fields if entry.wire is None], ids=lambda e: e.name
)
def test_what_twilio_keeps_itself_never_conflicts(entry):
    merged = merge(FLEX_FLOW, base={entry.name: "1", **A}, theirs={entry.name: "2", **A}, mine=B)

    assert (merged.conflicts, merged.their_fields, merged.requested) == ([], [], B)


def test_merge_changes_nothing_that_it_was_given():
    base, theirs, mine = dict(STUDIO), dict(EXTERNAL), {**STUDIO, "integration_retry_count": 0}

    merge(FLEX_FLOW, base=base, theirs=theirs, mine=mine)

    assert (base, theirs, mine) == (STUDIO, EXTERNAL, {**STUDIO, "integration_retry_count": 0})
