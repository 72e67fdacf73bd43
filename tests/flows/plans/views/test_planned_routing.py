"""Who would get messages after a bulk change: on its review, on the routing page, and in dialogs."""

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.plans import import_draft
from flows.plans.import_draft import ImportEntry
from tests import ACCOUNT
from tests.flows.checks.test_checking import read_completely
from tests.flows.names.adding import add_name
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.pages import create_draft, get_page, post_action, text_of

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+14155550123"
UNKNOWN = "12345678-1234-4234-8234-123456789012"
STUDIO = "FW" + "8" * 32
PROXIED = {"host": "webhooks.twilio.com", "is_proxy": True, "can_receive_sms": True}


def words_of(page):
    return " ".join(strip_tags(text_of(page)).split())


def ask(client, plan="", **question):
    return client.get("/checks/routing/", {"plan": getattr(plan, "pk", plan), **question})


@pytest.fixture
def lyon(sandbox, db):
    """The only flow of a number that the account owns."""
    read_completely("phone_number", "messaging_service", "address_configuration", "studio_flow")
    add_name("PN" + "1" * 32, "Main", resource="phone_number", reference=NUMBER, details=PROXIED)
    add_name(STUDIO, "Support IVR", status="published", revision=2)
    sid = sandbox.add_flow(
        friendly_name="Lyon", channel_type="sms", contact_identity=NUMBER, enabled=True,
        integration_type="studio", integration_flow_sid=STUDIO,
    )  # fmt: skip
    sync_account(ACCOUNT)
    return sid


def test_review_says_who_would_no_longer_be_answered(operator, lyon):
    page = get_page(operator, create_draft(operator, [lyon]))

    words = words_of(page)
    assert "Who gets messages: 1 change No longer answered SMS +14155550123" in words
    assert "Now: The flow “Lyon” is the only one that gets it." in words
    assert "After the change: No one gets it. Lyon: It is off." in words
    assert "Support IVR · FW8888…8888" in words
    assert "Not certain" not in words


def test_review_says_what_is_uncertain(operator, sandbox):
    sid = sandbox.add_flow(channel_type="facebook", contact_identity="messenger:1234567",
                           enabled=True)  # fmt: skip
    sync_account(ACCOUNT)

    words = words_of(get_page(operator, create_draft(operator, [sid])))

    assert "No longer answered Facebook Messenger messenger:1234567 Not certain" in words
    assert "After the change: As far as is known, no one gets it." in words
    assert "Uncertain: No API shows whether a Messenger page is connected to Twilio." in words


def test_review_says_that_nothing_changes(operator, lyon):
    entry = ImportEntry(sid=lyon, account_sid="", values={"friendly_name": "Paris"})
    plan = import_draft.plan_import(entries=[entry], created_by="operator")

    assert (
        "messages to your numbers, senders, pages and web chats would take the same paths"
        in words_of(get_page(operator, plan))
    )


def test_new_flow_has_no_page_yet(operator, lyon):
    values = {"friendly_name": "Neu", "channel_type": "sms", "contact_identity": NUMBER,
              "enabled": True, "integration_type": "studio", "integration_flow_sid": STUDIO,
              "chat_service_sid": "IS" + "2" * 32}  # fmt: skip
    entries = [
        ImportEntry(sid=lyon, account_sid="", values={"enabled": False}),
        ImportEntry(account_sid=ACCOUNT, values=values),
    ]
    plan = import_draft.plan_import(entries=entries, created_by="operator")

    page = get_page(operator, plan)

    assert "Another path SMS +14155550123" in words_of(page)
    assert "After the change: The flow “Neu” is the only one that gets it." in words_of(page)
    assert "/flows/planned" not in text_of(page)


def test_first_twenty_are_shown(operator, sandbox):
    sids = [
        sandbox.add_flow(channel_type="facebook", contact_identity=f"messenger:{number}",
                         enabled=True)
        for number in range(100000, 100023)
    ]  # fmt: skip
    sync_account(ACCOUNT)

    page = get_page(operator, create_draft(operator, sids))

    assert "Who gets messages: 23 changes" in words_of(page)
    assert len(page.context["path_changes"]) == 20
    assert "and 3 more" in words_of(page)


def test_plan_links_to_the_routing_page_which_answers_twice(operator, lyon):
    plan = create_draft(operator, [lyon])

    assert f'href="/checks/routing/?plan={plan.pk}"' in text_of(get_page(operator, plan))
    page = ask(operator, plan, channel="sms", identity="+1 415 555 0123")

    words = words_of(page)
    assert words.index("Now One handler.") < words.index("After this bulk change No handler.")
    assert "The same" not in words
    assert f'name="plan" value="{plan.pk}"' in text_of(page)
    assert f'href="/flows/plans/{plan.pk}/"' in text_of(page)


def test_question_that_a_plan_does_not_concern_has_the_same_answer(operator, lyon):
    words = words_of(ask(operator, create_draft(operator, [lyon]), channel="web"))

    assert "The same: this bulk change doesn’t change who gets it." in words


def test_coverage_shows_what_changes_first(operator, lyon):
    add_name("PN" + "2" * 32, "Idle", resource="phone_number", reference="+10155550000",
             details=PROXIED)  # fmt: skip
    plan = create_draft(operator, [lyon])

    page = ask(operator, plan)

    words = words_of(page)
    assert "This bulk change changes who gets the messages of 1 of them." in words
    assert "+14155550123 SMS One handler Lyon No longer answered Lyon: It is off." in words
    assert words.index("+14155550123") < words.index("+10155550000")
    assert f"identity=%2B14155550123&plan={plan.pk}" in text_of(page)
    assert "The same" in words


def test_coverage_without_a_plan_has_no_column_for_it(operator, lyon):
    words = words_of(ask(operator))

    assert "After the bulk change" not in words
    assert "This bulk change" not in words


@pytest.mark.parametrize("text", [UNKNOWN, "x", "\x00", "1" * 500])
def test_unknown_plan_is_said_and_answered_without_it(operator, lyon, text):
    page = ask(operator, text, channel="sms", identity=NUMBER)

    assert page.status_code == 200
    assert "There is no such bulk change, or you may not see it." in words_of(page)
    assert "After this bulk change" not in words_of(page)
    assert "The flow “Lyon” is the only one that gets it." in words_of(page)


def test_finished_plan_is_said(operator, lyon):
    plan = create_draft(operator, [lyon])
    post_action(operator, plan, "start")
    run_worker()

    page = ask(operator, plan, channel="sms", identity=NUMBER)

    assert "This bulk change is finished. You see who gets messages now, after it." in words_of(
        page
    )
    assert "After this bulk change" not in words_of(page)
    assert "No one gets it." in words_of(page)


def test_started_plan_is_answered_for_the_changes_that_remain(operator, lyon):
    plan = create_draft(operator, [lyon])
    post_action(operator, plan, "start")  # no worker runs

    words = words_of(ask(operator, plan, channel="sms", identity=NUMBER))

    assert "After this bulk change No handler." in words


def test_plan_of_an_account_that_a_user_may_not_see_is_unknown(
    operator, client_of, sids_of_both, staging
):
    plan = create_draft(operator, sids_of_both)
    viewer = client_of("viewer", name="vera", account_sid=ACCOUNT)

    words = words_of(ask(viewer, plan))

    assert "There is no such bulk change, or you may not see it." in words
    assert plan.title not in words
    assert AuditEvent.objects.filter(result="denied").count() == 0


@pytest.mark.parametrize("page", ["enabled", "delete"])
def test_change_of_one_flow_says_who_would_get_its_messages(operator, lyon, page):
    words = words_of(operator.get(f"/flows/{lyon}/{page}/"))

    assert "Who gets messages: 1 change No longer answered SMS +14155550123" in words


def test_flow_page_links_to_who_gets_its_messages(operator, lyon, sandbox):
    custom = sandbox.add_flow(channel_type="custom", contact_identity="shop", enabled=True)
    sync_account(ACCOUNT)

    page = operator.get(reverse("flows:detail", args=[lyon]))

    url = f"/checks/routing/?account={ACCOUNT}&channel=sms&identity=%2B14155550123"
    assert f'href="{url}"' in text_of(page)
    assert "The flow “Lyon” is the only one that gets it." in words_of(operator.get(url))
    other = operator.get(reverse("flows:detail", args=[custom]))
    assert "/checks/routing/?account" not in text_of(other)
