"""The four places that could answer: what is known of each, and who gets messages now."""

import pytest

from flows.migration.places import Answers, find_places
from flows.migration.verdicts import Judge
from tests.flows.migration.parts import moving
from tests.flows.migration.situations import PROXIED
from tests.flows.routing.world import (
    READ_AT,
    WHATSAPP,
    N,
    address,
    build,
    number,
    sender,
    sid_of,
    unread,
)

YES, PERHAPS, NO, UNKNOWN = Answers.YES, Answers.PERHAPS, Answers.NO, Answers.UNKNOWN


def places_of(world, channel="sms", identity=N):
    case = Judge(build(world, channel, identity)).build_case(sid_of("a", "FO"))
    return find_places(case, synced_at=READ_AT)


@pytest.mark.parametrize(
    ("world", "answers"),
    [
        ([PROXIED, moving()], [YES, NO, NO, NO]),
        ([PROXIED, moving(on=False)], [NO, NO, NO, NO]),
        ([PROXIED, moving(), address("x")], [PERHAPS, PERHAPS, NO, NO]),
        ([PROXIED, moving(on=False), address("x")], [NO, YES, NO, NO]),
        ([PROXIED, moving(), address("x", on=False)], [YES, NO, NO, NO]),
        ([number(webhook="bot.example.com"), moving()], [NO, NO, YES, NO]),
        ([number(application="AP1"), moving()], [NO, NO, PERHAPS, NO]),
        ([number(webhook="proxy", service="a.example.com"), moving()], [NO, NO, NO, YES]),
        ([moving()], [NO, NO, NO, NO]),
        ([number(is_read=False), moving()], [PERHAPS, NO, UNKNOWN, NO]),
        ([moving(), unread("phone_number")], [PERHAPS, NO, UNKNOWN, NO]),
        ([PROXIED, moving(), unread("address_configuration")], [PERHAPS, UNKNOWN, NO, NO]),
        ([PROXIED, moving(), unread("messaging_service")], [PERHAPS, NO, NO, UNKNOWN]),
    ],
)
def test_sms(world, answers):
    assert [each.answers for each in places_of(world)] == answers


def test_whatsapp_sender_with_a_service():
    flow, _, own, service = places_of(
        [sender(webhook="proxy", service="a.example.com", uses_number=True), moving()],
        "whatsapp",
        WHATSAPP,
    )

    assert (flow.answers, own.answers, service.answers) == (PERHAPS, NO, PERHAPS)
    assert own.sentence == "Its webhook is that of Flex Proxy, which hands messages to Flex Flows."
    assert service.sentence == (
        "Its webhook is at a.example.com. It is set to leave messages to the number's own."
    )


@pytest.mark.parametrize(
    ("channel", "identity", "own"),
    [("web", "", "Website"), ("facebook", "messenger:1", "Messenger page")],
)
def test_place_that_no_api_shows_is_not_known(channel, identity, own):
    places = places_of([moving()], channel, identity)

    assert [each.kind for each in places] == ["This flow", "Address", own, "Messaging Service"]
    assert places[2].answers == UNKNOWN


def test_channel_that_routing_does_not_know():
    places = places_of([moving(channel="line", identity="store")], "line", "store")

    assert [each.answers for each in places] == [UNKNOWN, NO, UNKNOWN, NO]


def test_each_place_is_as_old_as_its_reading():
    flow, _, own, _ = places_of([PROXIED, moving()])

    assert flow.read_at == own.read_at == READ_AT
