"""Rules about all flows of an account: each with flows that break it, a sibling, and what is allowed."""

import pytest

from flows.checks.account_rules import AccountState, check_account
from flows.names.lookup import Name
from tests.data import EXAMPLES
from tests.flows.checks.complete_flows import flow

NUMBER, OTHER_NUMBER = "+14155550123", "+14155550199"
WORKSPACE, OTHER_WORKSPACE = "WS" + "1" * 32, "WS" + "2" * 32
ALL = ("phone_number", "whatsapp_sender", "task_channel")


def sid(number):
    return f"FO{number:032}"


def named(resource, reference, prefix, *, status="", parent_sid="", is_gone=False):
    """Return an object at Twilio with what flows have in place of its SID."""
    object_sid = prefix + "9" * 32
    return Name(object_sid, resource, "A name", status, parent_sid, is_gone), reference


def find(*flows, objects=(), complete=ALL):
    """Return what the rules find, as pairs of a flow's position and a rule's id, and the sentences."""
    snapshots = {}
    for number, each in enumerate(flows):
        is_usual = each.get("friendly_name") == EXAMPLES["friendly_name"]
        name = {"friendly_name": f"Flow {number}"} if is_usual else {}
        snapshots[sid(number)] = {"enabled": True, **each, **name}
    state = AccountState(
        snapshots,
        {name.sid: name for name, _ in objects},
        {name.sid: reference for name, reference in objects},
        complete,
    )
    positions = {each: position for position, each in enumerate(snapshots)}
    found = sorted(check_account(state), key=lambda each: (each[0], each[1].rule_id))
    return [(positions[at], rule.rule_id) for at, rule, _ in found], [text for *_, text in found]


def texting(identity=NUMBER, **fields):
    return flow("studio", "sms", contact_identity=identity, **fields)


def chatting(number=NUMBER, **fields):
    return flow("studio", "whatsapp", contact_identity=f"whatsapp:{number}", **fields)


OWNED = named("phone_number", NUMBER, "PN")
SENDER = named("whatsapp_sender", f"whatsapp:{NUMBER}", "XE", status="ONLINE")


@pytest.mark.parametrize("spelling", [NUMBER, "+1 (415) 555-0123", "14155550123", "0014155550123"])
def test_two_flows_on_for_one_identity_however_it_is_spelled(spelling):
    found, sentences = find(texting(), texting(spelling), objects=[OWNED], complete=())

    assert found == [
        (0, "two-flows-on-for-one-identity"),
        (1, "two-flows-on-for-one-identity"),
    ]
    assert sentences[0] == "“Flow 1” is also on for this SMS identity."


@pytest.mark.parametrize(
    "other",
    [
        texting(enabled=False),  # documented for outbound messages
        texting(enabled="false"),
        texting(OTHER_NUMBER),
        texting(channel_type="web"),
        chatting(),
        texting(None),
        flow("studio", "web"),
    ],
    ids=["off", "off as text", "other number", "web", "other channel", "no identity", "web chat"],
)
def test_flows_that_share_no_identity_are_fine(other):
    assert find(texting(), other, complete=())[0] == []


def test_channel_in_capitals_is_the_same():
    found, _ = find(texting(), texting(channel_type="SMS"), complete=())

    assert [rule_id for _, rule_id in found] == ["two-flows-on-for-one-identity"] * 2


@pytest.mark.parametrize(("one", "other"), [("Sales-DE", "sales-de"), ("1234-5678", "12-345678")])
def test_identity_that_is_no_number_is_compared_letter_by_letter(one, other):
    def custom(identity):
        return flow("studio", "custom", contact_identity=identity)

    assert find(custom(one), custom(other), complete=())[0] == []
    assert len(find(custom(one), custom(one), complete=())[0]) == 2


def test_several_others_are_named_and_the_rest_counted():
    _, sentences = find(*(texting() for _ in range(6)), complete=())

    assert sentences[0] == (
        "“Flow 1”, “Flow 2”, “Flow 3” and 2 more are also on for this SMS identity."
    )


@pytest.mark.parametrize("name", ["Réclamations", "RECLAMATIONS", "réclamations "])
def test_flows_of_one_name_are_found(name):
    found, sentences = find(
        flow("studio", "web", friendly_name="réclamations"),
        flow("studio", "web", friendly_name=name, enabled=False),
        flow("studio", "web", friendly_name="Réclamations 2"),
    )

    assert found == [(0, "same-name"), (1, "same-name")]
    assert sentences[0] == "One other flow has this name."


def test_flows_without_a_name_have_no_same_name():
    unnamed = flow("studio", "web", friendly_name=None)

    assert find(unnamed, unnamed, flow("studio", "web", friendly_name=""))[0] == []


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ([OWNED], []),
        ([], [(0, "number-not-owned")]),
        ([named("phone_number", OTHER_NUMBER, "PN")], [(0, "number-not-owned")]),
        ([named("phone_number", NUMBER, "PN", is_gone=True)], [(0, "number-not-owned")]),
        ([SENDER], [(0, "number-not-owned")]),
    ],
    ids=["owned", "no number", "other number", "released", "only a sender"],
)
def test_number_of_an_sms_flow(objects, found):
    assert find(texting(), objects=objects)[0] == found


@pytest.mark.parametrize(
    "fine",
    [
        texting(enabled=False),
        texting("12345"),
        texting("ACME"),
        flow("studio", "custom", contact_identity=NUMBER),
        flow("studio", "line", contact_identity=NUMBER),
    ],
    ids=["off", "short code", "sender name", "custom", "line"],
)
def test_other_identities_need_no_number(fine):
    assert find(fine)[0] == []


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ([SENDER], []),
        ([named("whatsapp_sender", f"whatsapp:{NUMBER}", "XE", status="ONLINE:UPDATING")], []),
        ([named("whatsapp_sender", f"whatsapp:{NUMBER}", "XE")], []),
        (
            [named("whatsapp_sender", f"whatsapp:{NUMBER}", "XE", status="OFFLINE")],
            [(0, "whatsapp-sender-offline")],
        ),
        ([OWNED], [(0, "whatsapp-sender-missing")]),
    ],
    ids=["online", "being updated", "unknown status", "offline", "only a number"],
)
def test_sender_of_a_whatsapp_flow(objects, found):
    assert find(chatting(), objects=objects)[0] == found


def test_status_of_a_sender_is_in_words():
    offline = named("whatsapp_sender", f"whatsapp:{NUMBER}", "XE", status="TWILIO_REVIEW")

    assert find(chatting(), objects=[offline])[1] == [
        "The WhatsApp sender isn't online: in review by Twilio."
    ]


CHANNEL = named("task_channel", "chat", "TC", parent_sid=WORKSPACE)


def task(channel="chat", workspace_sid=WORKSPACE):
    return flow("task", "web", integration_channel=channel, integration_workspace_sid=workspace_sid)


@pytest.mark.parametrize("channel", ["chat", "TC" + "9" * 32])
def test_task_channel_is_known_by_name_and_by_sid(channel):
    assert find(task(channel), objects=[CHANNEL])[0] == []


@pytest.mark.parametrize(
    ("snapshot", "found"),
    [
        (task("fax"), [(0, "task-channel-unknown")]),
        (task(None), []),  # has a rule of its own
        (task("fax", OTHER_WORKSPACE), []),  # no channel of it is known
        (flow("studio", "web", integration_channel="fax"), []),
    ],
    ids=["unknown", "missing", "workspace without channels", "another type"],
)
def test_unknown_task_channel(snapshot, found):
    assert find(snapshot, objects=[CHANNEL])[0] == found


@pytest.mark.parametrize("missing", ALL)
def test_rule_is_skipped_while_what_it_needs_is_not_known(missing):
    everything = find(texting(), chatting(OTHER_NUMBER), task("fax"), objects=[CHANNEL])[0]
    complete = [each for each in ALL if each != missing]

    found = find(
        texting(), chatting(OTHER_NUMBER), task("fax"), objects=[CHANNEL], complete=complete
    )[0]

    assert len(everything) == 3
    assert len(found) == 2


@pytest.mark.parametrize("value", [None, "", ["sms"], {"a": 1}, 7, True])
def test_values_of_another_type_are_no_error(value):
    for name in ("channel_type", "contact_identity", "enabled", "integration_channel"):
        odd = texting() | {name: value}
        assert isinstance(find(odd, odd, task() | {name: value})[0], list)
