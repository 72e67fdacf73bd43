"""The changes of a webhook's payload name every field of before, and the renames that are known."""

from flows.migration.payloads import NEW, PAYLOAD_CHANGES, RENAMED, UNKNOWN
from tests.flows.webhook_tests.test_payload import DOCUMENTED


def names(text):
    return text.partition(":")[0]


def test_every_documented_field_has_its_change():
    assert {names(each.old) for each in PAYLOAD_CHANGES if each.old} == set(DOCUMENTED)


def test_renamed_fields():
    assert {each.old: each.new for each in PAYLOAD_CHANGES if each.kind == RENAMED} == {
        "EventType: onMessageSent": "EventType: onMessageAdded",
        "ChannelSid": "ConversationSid",
        "InstanceSid": "ChatServiceSid",
        "From": "Author",
    }


def test_fields_of_one_side_only():
    assert [each.new for each in PAYLOAD_CHANGES if each.kind == NEW] == [
        "ParticipantSid",
        "MessagingServiceSid",
    ]
    assert [each.old for each in PAYLOAD_CHANGES if each.kind == UNKNOWN] == ["WebhookType"]
