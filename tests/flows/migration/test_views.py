"""The pages of the migration: the board, and how one flow can be moved."""

import re
from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.mirror import flow_rows
from flows.mirror.models import Flow, SyncState
from flows.names.models import ObjectReading
from flows.redaction.redacted import redact_fields
from tests import ACCOUNT
from tests.data import EXAMPLES
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import READ, add_reading, read_completely, store
from tests.flows.migration.adding import add_migration, add_sample_migrations
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
NUMBER, STUDIO_SID = "+14155550123", EXAMPLES["integration_flow_sid"]
OTHER_ACCOUNT = "AC" + "9" * 32
FIRST, SECOND = "FO" + "0" * 32, "FO" + "0" * 31 + "1"
PLAIN = {"long_lived": False, "janitor_enabled": False, "enabled": True}


def text(page):
    return " ".join(strip_tags(page.content.decode()).split()).replace("&#x27;", "'")


def row_of(page, name):
    """Return the text of the board's row about a flow."""
    rows = re.findall(r"<tr>.*?</tr>", page.content.decode(), re.DOTALL)
    [found] = [row for row in rows if name in row]
    return " ".join(strip_tags(found).split()).replace("&#x27;", "'")


@pytest.fixture(autouse=True)
def readings():
    """An account of which everything was read, with a number and a Studio Flow that is ready."""
    read_completely(*READ, "address_configuration")
    SyncState.objects.create(account_sid=ACCOUNT, synced_at=DAY)
    add_name(STUDIO_SID, "Support IVR", status="published", revision=2)
    add_reading(
        STUDIO_SID,
        "studio_definition",
        revision=2,
        trigger_events=["incomingConversationMessage", "incomingMessage"],
    )
    for resource in ("configuration", "conversation_configuration"):
        add_reading(ACCOUNT, resource, chat_service_sid=EXAMPLES["chat_service_sid"])
    details = {"host": "webhooks.twilio.com", "is_proxy": True, "can_receive_sms": True}
    add_name("PN" + "1" * 32, "Main", resource="phone_number", reference=NUMBER, details=details)


def texting(name, kind="studio", **fields):
    return flow(kind, "sms", friendly_name=name, **{**PLAIN, **fields})


def test_board_without_flows_says_what_it_is_for(client_of):
    page = text(client_of("viewer").get("/migration/"))

    assert "No flows to move" in page
    assert "whether an address can take its place" in page
    assert "Messages can stop arriving while the API still works." in page


def test_board_has_each_flow_with_its_verdict(client_of):
    store(texting("Lyon <SMS>"), texting("Tasks", "task", contact_identity="+14155550999"))

    page = client_of("viewer").get("/migration/")

    assert row_of(page, "Lyon") == f"{NUMBER} Lyon &lt;SMS&gt; SMS Automatic Not started"
    assert row_of(page, "Tasks").startswith("+14155550999 Tasks SMS Blocked Its messages become")
    assert "1 blocked 1 automatic of those not started" in text(page)
    assert "Flows still to move" not in text(page)


def test_what_was_not_read_is_never_automatic(client_of):
    store(texting("Lyon"))
    ObjectReading.objects.filter(resource="studio_definition").delete()

    page = client_of("viewer").get("/migration/")

    assert "Not known yet" in row_of(page, "Lyon")
    assert "1 automatic" not in text(page)


def test_board_shows_how_far_a_flow_is(client_of):
    store(texting("Lyon"), texting("Paris", contact_identity="+14155550999"))
    add_migration(FIRST, MigrationStatus.STUCK, problem="Twilio refused <it>.")
    add_migration(SECOND, MigrationStatus.ROLLED_BACK, at=DAY)
    add_migration(SECOND, MigrationStatus.SWITCHED)

    page = client_of("viewer").get("/migration/")

    assert "Twilio refused &lt;it&gt;. Needs you" in row_of(page, "Lyon")
    assert row_of(page, "Paris").endswith("Switched over")
    assert "0 0 1 1 0 0 2" in text(page)
    assert "Flows still to move as a table" in text(page)


def test_flow_that_is_done_stays_on_the_board(client_of):
    store(texting("Lyon"))
    Flow.objects.update(gone_at=DAY)
    add_migration(FIRST, MigrationStatus.DONE, friendly_name="Lyon", contact_identity=NUMBER)

    page = client_of("viewer").get("/migration/")

    assert row_of(page, "Lyon") == f"{NUMBER} Lyon SMS None Done"


@pytest.mark.parametrize(
    ("status", "group"),
    [
        (MigrationStatus.READY, "0 0 1 0 0 0 1"),
        (MigrationStatus.SWITCHED, "0 0 0 0 0 1 1"),
        (MigrationStatus.VERIFIED, "0 0 0 0 0 1 1"),
    ],
)
def test_flow_that_was_deleted_outside_stays_on_the_board(client_of, status, group):
    store(texting("Lyon"))
    Flow.objects.update(gone_at=DAY)
    add_migration(FIRST, status, friendly_name="Lyon", contact_identity=NUMBER)

    page = client_of("operator").get("/migration/")

    assert row_of(page, "Lyon") == f"{NUMBER} Lyon SMS None Flow deleted"
    assert group in text(page)


def test_deleted_flow_that_was_rolled_back_is_not_on_the_board(client_of):
    store(texting("Lyon"), texting("Paris", contact_identity="+14155550999"))
    Flow.objects.filter(sid=FIRST).update(gone_at=DAY)
    add_migration(FIRST, MigrationStatus.ROLLED_BACK, friendly_name="Lyon")

    assert "Lyon" not in text(client_of("operator").get("/migration/"))


def test_address_that_the_migration_created_is_not_in_its_way(client_of):
    store(texting("Lyon"))
    address_sid = "IG" + "1" * 32
    details = {"kind": "sms", "integration": "studio", "studio_flow_sid": STUDIO_SID, "host": ""}
    add_name(address_sid, "New", resource="address_configuration", reference=NUMBER, status="on",
             details=details)  # fmt: skip
    client = client_of("viewer")
    assert "By hand" in row_of(client.get("/migration/"), "Lyon")

    add_migration(FIRST, MigrationStatus.SWITCHED, address_sid=address_sid)

    assert "Automatic" in row_of(client.get("/migration/"), "Lyon")
    assert "Automatic" in text(client.get(f"/migration/{FIRST}/"))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("verdict=automatic", ["Lyon"]),
        ("verdict=blocked", ["Tasks"]),
        ("status=ready", ["Tasks"]),
        ("status=not-started", ["Lyon"]),
        ("verdict=automatic&status=ready", []),
    ],
)
def test_filters(client_of, query, shown):
    store(texting("Lyon"), texting("Tasks", "task", contact_identity="+14155550999"))
    add_migration(SECOND, MigrationStatus.READY)

    page = client_of("viewer").get(f"/migration/?{query}")

    assert [row["row"].name for row in page.context["rows"]] == shown
    assert ("No flows have this verdict and status." in text(page)) == (not shown)


@pytest.mark.parametrize("query", ["verdict=maybe", "status=lost", "account=AC1", "verdict=%00"])
def test_unknown_filter_is_not_found(client_of, query):
    assert client_of("viewer").get(f"/migration/?{query}").status_code == 404


@pytest.mark.parametrize("page", ["0", "x", "999", ""])
def test_odd_page(client_of, page):
    store(*(texting(f"Flow {number}") for number in range(51)))

    assert client_of("viewer").get(f"/migration/?page={page}").status_code == 200


def test_pages_keep_the_filters(client_of):
    store(*(texting(f"Flow {number}") for number in range(51)))

    first = client_of("viewer").get("/migration/?verdict=by-hand")
    second = client_of("viewer").get(f"/migration/{first.context['next_url']}")

    assert first.context["next_url"] == "?verdict=by-hand&page=2"
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 1)


@pytest.fixture
def two_accounts(settings):
    first = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = (
        replace(first, name="production"),
        replace(first, sid=OTHER_ACCOUNT, name="staging"),
    )
    other = texting("Trial", "task")
    flow_rows.save_snapshots({"FO" + "9" * 32: other | {"sid": "FO" + "9" * 32}}, OTHER_ACCOUNT)
    store(texting("Lyon"))


def test_accounts_are_counted_by_themselves_and_together(client_of, two_accounts):
    client = client_of("viewer")

    page = text(client.get("/migration/"))
    assert "production 1 0 0 0 0 0 1 staging 1 0 0 0 0 0 1 All 2 0 0 0 0 0 2" in page.replace(
        "Production ", ""
    )
    one = text(client.get(f"/migration/?account={OTHER_ACCOUNT}"))
    assert "Trial" in one
    assert "Lyon" not in one


def test_user_of_one_account_sees_only_its_flows(client_of, two_accounts):
    client = client_of("viewer", name="staging-only", account_sid=OTHER_ACCOUNT)

    assert "Lyon" not in text(client.get("/migration/"))
    assert client.get(f"/migration/?account={ACCOUNT}").status_code == 404
    assert client.get(f"/migration/{FIRST}/").status_code == 403


def test_ticked_flows_are_sent_to_the_pages_that_run_a_migration(client_of):
    store(texting("Lyon"))

    page = client_of("operator").get("/migration/").content.decode()

    assert f'name="sid" value="{FIRST}"' in page
    assert 'formaction="/migration/prepare/"' in page
    assert 'formaction="/migration/switch/"' in page


def test_viewer_can_tick_nothing(client_of):
    store(texting("Lyon"))

    page = client_of("viewer").get("/migration/").content.decode()

    assert 'name="sid"' not in page
    assert "formaction" not in page


def test_operator_of_one_account_ticks_only_its_flows(client_of, two_accounts):
    page = client_of("operator").get("/migration/")

    assert [row["can_move"] for row in page.context["rows"]] == [True, True]
    one = client_of("operator", name="staging-only", account_sid=OTHER_ACCOUNT)
    assert [row["can_move"] for row in one.get("/migration/").context["rows"]] == [True]


def test_page_of_a_flow(client_of):
    store(texting("Lyon", long_lived=True))

    page = text(client_of("viewer").get(f"/migration/{FIRST}/"))

    assert "Needs a step by hand · Not started" in page
    assert "By hand It is long-lived. Addresses have no such setting. Decide what" in page
    assert "Lyon This flow Gets messages It is on for this channel and identity." in page
    assert f"{NUMBER} Phone number Gets none Its webhook is that of Flex Proxy" in page
    assert "Something else? A question to you Not known No API shows everything" in page
    assert "--data-urlencode AutoCreation.Enabled=false" in page
    assert "What your webhook gets" not in page


def test_page_of_a_flow_with_a_webhook_shows_the_payload_and_no_secret(client_of):
    url = "https://a.example.com/?key=s3cr3t-98765432"
    store(redact_fields(texting("Lyon", "external", integration_url=url)))

    page = text(client_of("viewer").get(f"/migration/{FIRST}/"))

    assert "ChannelSid ConversationSid Renamed" in page
    assert "s3cr3t" not in page
    assert "AUTO_CREATION_WEBHOOK_URL" in page


def test_page_of_a_flow_that_is_blocked_has_no_request(client_of):
    store(texting("Lyon", "task"))

    page = text(client_of("viewer").get(f"/migration/{FIRST}/"))

    assert "Blocked · Not started" in page
    assert "There is none, because no address can do what this flow does." in page
    assert "curl" not in page


@pytest.mark.parametrize("channel", ["web", "facebook", "line", "custom"])
def test_page_of_a_flow_of_any_channel(client_of, channel):
    store(flow("studio", channel, friendly_name="Lyon", **PLAIN))

    page = client_of("viewer").get(f"/migration/{FIRST}/")

    assert page.status_code == 200
    assert "What could answer its messages" in text(page)


def test_page_of_a_flow_that_is_stuck_says_why(client_of):
    store(texting("Lyon"))
    add_migration(FIRST, MigrationStatus.STUCK, problem="Twilio refused the address.")

    page = text(client_of("viewer").get(f"/migration/{FIRST}/"))

    assert "It needs you Twilio refused the address." in page


def test_page_of_a_deleted_flow(client_of):
    store(texting("Lyon"))
    Flow.objects.update(gone_at=DAY)
    add_migration(FIRST, MigrationStatus.DONE)

    page = text(client_of("viewer").get(f"/migration/{FIRST}/"))

    assert "Done" in page
    assert "This flow was deleted at Twilio, so there is nothing to move." in page


def test_flow_under_way_has_a_link_to_its_steps(client_of):
    store(texting("Lyon"), texting("Paris", contact_identity="+14155550999"))
    add_migration(FIRST, MigrationStatus.READY)
    client = client_of("viewer")

    assert (
        f'href="/migration/{FIRST}/steps/"' in client.get(f"/migration/{FIRST}/").content.decode()
    )
    assert "/steps/" not in client.get(f"/migration/{SECOND}/").content.decode()


@pytest.mark.parametrize(
    ("role", "status", "offered"),
    [
        ("viewer", None, False),
        ("operator", None, True),
        ("operator", MigrationStatus.READY, False),
        ("operator", MigrationStatus.STUCK, False),
        ("operator", MigrationStatus.ROLLED_BACK, True),
        ("operator", MigrationStatus.DONE, True),
    ],
)
def test_flow_that_can_be_moved_can_be_prepared(client_of, role, status, offered):
    store(texting("Lyon"))
    if status:
        add_migration(FIRST, status)

    page = client_of(role).get(f"/migration/{FIRST}/").content.decode()

    assert (f'href="/migration/prepare/?sid={FIRST}"' in page) is offered


def test_blocked_flow_can_not_be_prepared(client_of):
    store(texting("Tasks", "task"))
    client = client_of("operator")

    assert "/migration/prepare/" not in client.get(f"/migration/{FIRST}/").content.decode()
    review = text(client.get(f"/migration/prepare/?sid={FIRST}"))
    assert "Not possible Its messages become TaskRouter tasks directly, which" in review
    assert "Prepare 1 flow" not in review


def test_review_has_what_is_left_to_do_by_hand(client_of):
    store(texting("Lyon", long_lived=True, janitor_enabled=True))

    review = text(client_of("operator").get(f"/migration/prepare/?sid={FIRST}"))

    assert "By hand It is long-lived. Addresses have no such setting. Decide what" in review
    assert "janitor" not in review  # no step, only information
    assert "Prepare 1 flow" in review


@pytest.mark.parametrize("long_lived", [True, False])
def test_switch_over_waits_for_the_steps_by_hand(client_of, long_lived):
    store(texting("Lyon", long_lived=long_lived))
    add_migration(FIRST, MigrationStatus.READY)
    client = client_of("operator")

    review = client.get(f"/migration/switch/?sid={FIRST}")
    answers = {"sid": [FIRST], "handlers_checked": "on"}
    early = client.post("/migration/switch/", answers)
    started = FlowMigration.objects.filter(status=MigrationStatus.SWITCHING)
    started_count = started.update(status=MigrationStatus.READY)
    client.post("/migration/switch/", {**answers, "by_hand_done": "on"})

    assert ("By hand It is long-lived." in text(review)) is long_lived
    assert ("by_hand_done" in review.content.decode()) is long_lived
    assert (early.status_code == 422) is long_lived
    assert started_count == (not long_lived)
    assert FlowMigration.objects.get().status == MigrationStatus.SWITCHING


def test_unknown_flow_is_not_found(client_of, sandbox):
    assert client_of("viewer").get(f"/migration/FO{'7' * 32}/").status_code == 404


def test_board_and_flows_page_agree_about_every_flow(client_of):
    store(
        texting("Lyon"), texting("Old", enabled=False), texting("Tasks", "task"),
        texting("Bot", "external", integration_url="https://a.example.com/"),
        flow("studio", "web", friendly_name="Site", **PLAIN),
        flow("studio", "whatsapp", friendly_name="Wa", **PLAIN),
        flow("studio", "sms", friendly_name="Nameless", **{**PLAIN, "contact_identity": ""}),
    )  # fmt: skip
    client = client_of("viewer")

    rows = [row["row"] for row in client.get("/migration/").context["rows"]]

    assert len(rows) == 7
    for row in rows:
        page = client.get(f"/migration/{row.sid}/")
        assert page.context["move"].judgement == row.judgement


def test_number_of_queries_does_not_grow_with_the_flows(client_of, django_assert_max_num_queries):
    client = client_of("viewer")
    store(*(texting(f"Flow {number}", contact_identity=f"+1415555{number:04}")
            for number in range(120)))  # fmt: skip
    add_sample_migrations()
    client.get("/migration/")

    with django_assert_max_num_queries(40):
        client.get("/migration/")


def test_flow_has_a_link_to_its_migration(client_of, sandbox, flow_sid):
    page = client_of("viewer").get(f"/flows/{flow_sid}/").content.decode()

    assert f'href="/migration/{flow_sid}/"' in page
    assert 'href="/migration/"' in page
