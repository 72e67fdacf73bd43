"""The routing page: questions and their answers, the coverage, and input that makes no sense."""

import uuid

import pytest
from django.utils.html import strip_tags

from flows.accounts import clients, twilio_accounts
from flows.audit.audit_log import Payload
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.names.models import NameReading
from flows.names.refresh import refresh_names
from flows.routing.coverage import find_coverage
from flows.routing.explain import Router
from flows.routing.load_routing import load_coverage, load_for_question
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.acting import append_stage
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import OMAR, READ, read_completely, store
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
NUMBER, NUMBER_SID = "+14155550123", "PN" + "1" * 32
EVERYTHING = sorted({*READ, "messaging_service", "address_configuration"})
ADDRESS_SID, STUDIO_SID = "IG" + "1" * 32, "FW" + "8" * 32
PROXIED = {"host": "webhooks.twilio.com", "is_proxy": True, "can_receive_sms": True}


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


@pytest.fixture(autouse=True)
def readings():
    read_completely(*EVERYTHING)
    SyncState.objects.create(account_sid=ACCOUNT, synced_at=DAY)


def texting(name, **fields):
    return flow("studio", "sms", friendly_name=name, integration_flow_sid=STUDIO_SID, **fields)


def add_number(**details):
    add_name(
        NUMBER_SID, "Main", resource="phone_number", reference=NUMBER, details=PROXIED | details
    )


def add_address(status="on"):
    details = {"kind": "sms", "integration": "studio", "studio_flow_sid": STUDIO_SID, "host": ""}
    add_name(ADDRESS_SID, "New", resource="address_configuration", reference=NUMBER,
             status=status, details=details)  # fmt: skip


def ask(client, **question):
    return client.get("/checks/routing/", {"channel": "sms", "identity": NUMBER, **question})


def test_flow_that_gets_it_is_named_with_what_stands_behind_it(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    store(texting("Lyon <SMS>", enabled=True), texting("Old", enabled=False))

    page = ask(client_of("viewer"), identity="+1 (415) 555-0123")

    assert "The flow “Lyon &lt;SMS&gt;” is the only one that gets it." in text(page)
    assert "Support IVR · FW8888…8888" in text(page)
    assert "Old Flow No It is off." in text(page)
    assert f'href="/flows/targets/studio-flow/{STUDIO_SID}/"' in page.content.decode()
    assert "What is uncertain" not in text(page)


def test_flow_that_points_to_a_deleted_studio_flow_can_do_nothing(client_of):
    add_name(STUDIO_SID, "Night", gone_at=DAY)
    add_number()
    store(texting("Lyon", enabled=True))

    page = ask(client_of("viewer"))

    assert "is the only one that gets it, but it can't handle it." in strip_entities(page)
    assert "The Studio Flow “Night” was deleted at Twilio." in text(page)


def strip_entities(page):
    return text(page).replace("&#x27;", "'")


def test_address_and_flow_are_both_shown(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    add_address()
    store(texting("Lyon", enabled=True))

    page = ask(client_of("viewer"))

    assert "2 handlers. Both can get it." in text(page)
    assert f'href="/flex/addresses/{ADDRESS_SID}/"' in page.content.decode()
    assert "Twilio customers report that both answer." in text(page)


def test_number_that_nobody_knows(client_of):
    page = ask(client_of("viewer"), identity="+33199000123")

    assert "No one gets it." in text(page)
    assert "No flow and no address of this account is set up for it." in text(page)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"identity": ""}, "Enter the number or address that you ask about."),
        ({"identity": " \u200b "}, "Enter the number or address that you ask about."),
        ({"identity": "1" * 201}, "at most 200 characters"),
        ({"channel": "fax"}, "Select a valid choice."),
        ({"channel": ""}, "This field is required."),
        ({"direction": "sideways"}, "Select a valid choice."),
        ({"account": "AC" + "9" * 32}, "Select a valid choice."),
        ({"channel": "web", "direction": "outbound"}, "A web chat is always started by the customer."),
    ],
)  # fmt: skip
def test_question_that_makes_no_sense_is_told_at_its_field(client_of, question, sentence):
    page = ask(client_of("viewer"), **question)

    assert page.status_code == 200
    assert sentence in text(page)
    assert "No one gets it" not in text(page)


@pytest.mark.parametrize("identity", ["\x00", "' OR 1=1", "%00", "whatsapp:", "🤖", "+1" * 90])
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "facebook", "web"])
def test_odd_identities_are_answered(client_of, channel, identity):
    assert ask(client_of("viewer"), channel=channel, identity=identity).status_code == 200


def test_page_without_a_question_has_every_number_with_its_handlers(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    add_name("PN" + "2" * 32, "Idle", resource="phone_number", reference="+33199000123",
             details={"host": "", "is_proxy": False, "can_receive_sms": True})  # fmt: skip
    store(texting("Lyon", enabled=True))

    page = text(client_of("viewer").get("/checks/routing/"))

    assert "+33199000123 SMS No handler No flow and no address is set up for it." in page
    assert "+14155550123 SMS One handler Lyon" in page
    assert page.index("+33199000123") < page.index("+14155550123")


def test_open_change_of_a_considered_flow_is_a_doubt(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    store(texting("Lyon", enabled=True))
    append_stage(
        action="flow.disable",
        stage="attempt",
        result="pending",
        account_sid=ACCOUNT,
        target_sid="FO" + "0" * 32,
        change_id=uuid.uuid4(),
        actor=OMAR,
        payload=Payload(),
    )

    page = ask(client_of("viewer"))

    assert "A change to one of these flows has an unknown outcome." in text(page)


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=999"])
def test_odd_pages_of_the_coverage(client_of, query):
    assert client_of("viewer").get(f"/checks/routing/?{query}").status_code == 200


@pytest.fixture
def twilio(settings):
    """A Twilio with all that surrounds its flows."""
    with Sandbox(flows=60, seed=7) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        yield server
        clients.close_clients()


def test_question_and_coverage_agree_about_everything_at_twilio(twilio):
    NameReading.objects.all().delete()
    SyncState.objects.all().delete()
    sync_account(ACCOUNT)
    refresh_names(ACCOUNT, {})
    account = twilio_accounts.get_account(ACCOUNT)

    covered = find_coverage(load_coverage(account))

    assert len(covered) > 20
    assert {len(each.answer.handlers) for each in covered} >= {0, 1, 2}
    for each in covered:
        alone = Router(load_for_question(account, each.question)).explain(each.question)
        assert alone.verdict == each.answer.verdict
        assert [handler.key for handler in alone.handlers] == [
            handler.key for handler in each.answer.handlers
        ]
        assert set(alone.doubts) == set(each.answer.doubts)


@pytest.mark.parametrize("identity", ["(415) 555-0123", "4155550123", "555-0123", "5550123"])
def test_part_of_a_number_offers_the_whole_ones(client_of, identity):
    add_number()
    store(texting("Lyon", enabled=True, contact_identity="+1 415 555 0123"))

    page = ask(client_of("viewer"), identity=identity)

    assert "This isn’t a whole number with its country code." in text(page)
    assert "identity=%2B14155550123" in page.content.decode()
    assert [each["identity"] for each in page.context["similar"]] == [NUMBER]


@pytest.mark.parametrize("identity", ["14155550123", "0014155550123", NUMBER, "+1 415 555-0123"])
def test_whole_number_is_shown_in_international_form(client_of, identity):
    add_number()
    store(texting("Lyon", enabled=True))

    page = ask(client_of("viewer"), identity=identity)

    assert page.context["question"].identity == NUMBER
    assert page.context["similar"] == []
    assert "is the only one that gets it" in text(page)


@pytest.mark.parametrize(
    "identity", ["+33199000124", "123", "Acme", "(0)", "whatsapp:+14155550123"]
)
def test_whole_numbers_and_words_offer_nothing(client_of, identity):
    add_number()

    page = ask(client_of("viewer"), identity=identity)

    assert page.context["similar"] == []


def test_coverage_counts_by_handlers_and_filters(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    for digit in "23":
        number = f"+1415555013{digit}"
        add_name("PN" + digit * 32, "N", resource="phone_number", reference=number, details=PROXIED)
    add_name("FW" + "7" * 32, "Gone", gone_at=DAY)
    store(
        texting("A", enabled=True),
        texting("B", enabled=True) | {"integration_flow_sid": "FW" + "7" * 32},
        texting("C", enabled=True, contact_identity="+14155550133"),
    )
    client = client_of("viewer")

    page = client.get("/checks/routing/")

    assert [(each["count"], each["words"].split()[-2]) for each in page.context["totals"]] == [
        (1, "a"),
        (1, "several"),
        (1, "one"),
        (1, "broken"),
    ]
    for total, numbers in zip(
        page.context["totals"],
        [["+14155550132"], [NUMBER], ["+14155550133"], [NUMBER]],
        strict=True,
    ):
        filtered = client.get(f"/checks/routing/{total['url']}")
        assert [row["identity"] for row in filtered.context["rows"]] == numbers
        assert [each["count"] for each in filtered.context["totals"]] == [1, 1, 1, 1]


def test_columns_say_what_a_candidate_can_do(client_of):
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_number()
    web = flow("studio", "web", friendly_name="Chat", integration_flow_sid=STUDIO_SID, enabled=True)
    store(texting("Lyon", enabled=True), web)
    client = client_of("viewer")

    assert "Can send it" in text(ask(client, direction="outbound"))
    assert "Gets it" not in text(ask(client, direction="outbound"))
    assert "If the website names it" in text(ask(client, channel="web", identity=""))


def test_age_is_that_of_the_account_with_the_answer(client_of, settings, staging):
    add_number()
    SyncState.objects.create(account_sid=staging.account_sid, synced_at=DAY)

    both = client_of("viewer").get("/checks/routing/").context["freshness"]
    asked = ask(client_of("viewer"), account=staging.account_sid).context["freshness"]

    assert both is not None
    assert asked.sync.account_sid == staging.account_sid
