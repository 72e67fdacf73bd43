"""What the steps page says about what the dashboard can't verify, and about a flow that is gone."""

from html import unescape

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from flows.migration import services
from flows.migration.status import MigrationStatus
from flows.migration.verdict_reasons import Found, Reason
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from tests import ACCOUNT
from tests.flows.checks.test_checking import read_completely
from tests.flows.migration.acting import prepared, reload, run_worker, switched
from tests.flows.migration.adding import add_migration
from tests.flows.migration.world import Kind, World
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)
WHATSAPP = Kind(channel="whatsapp")


def text_of(page):
    return " ".join(unescape(strip_tags(page.content.decode())).split())


def steps_page(client, migration):
    return text_of(client.get(f"/migration/{migration.flow_sid}/steps/"))


def read_sender(identity):
    """Let the names have the sender with the webhook of Flex Proxy."""
    read_completely("whatsapp_sender", "messaging_service")
    add_name("XE" + "1" * 32, "Sender", resource="whatsapp_sender", reference=identity,
             status="ONLINE", details={"host": "webhooks.twilio.com", "is_proxy": True})  # fmt: skip


def test_by_hand_switch_over_claims_no_answer(sandbox, operator_actor, client_of):
    _world, migration = switched(sandbox, operator_actor, WHATSAPP)
    read_sender(migration.contact_identity)
    client = client_of("operator")

    page = steps_page(client, migration)

    assert "The address answers customers" not in page
    assert "which the dashboard couldn't verify" in page
    assert "Steps by hand These were left to you." in page
    assert "right before you switch over" in page
    assert "What you did by hand, such as removing a sender’s webhook, isn’t restored" in page

    services.verify(migration=migration, reason="Ana got it", actor=operator_actor)
    assert "The address answers customers" in steps_page(client, migration)


def test_switch_over_without_steps_by_hand_is_certain(sandbox, operator_actor, client_of):
    _world, migration = switched(sandbox, operator_actor, Kind(number="proxied"))

    page = steps_page(client_of("operator"), migration)

    assert "Steps by hand" not in page
    assert "The address answers customers" in page


def test_deleted_flow_offers_no_rollback(sandbox, operator_actor, client_of):
    _world, migration = switched(sandbox, operator_actor)
    services.verify(migration=migration, reason="seen", actor=operator_actor)
    Flow.objects.filter(sid=migration.flow_sid).update(gone_at=timezone.now())

    page = steps_page(client_of("operator"), migration)

    assert "Flow deleted" in page
    assert "The flow was deleted outside this dashboard, so this can't be rolled back." in page
    assert "kept for a rollback" not in page
    assert "Roll back" not in page


def test_prepared_address_of_a_deleted_flow_can_still_be_removed(
    sandbox, operator_actor, client_of
):
    _world, migration = prepared(sandbox, operator_actor)
    sandbox.remove_flow(migration.flow_sid)
    Flow.objects.filter(sid=migration.flow_sid).update(gone_at=timezone.now())
    client = client_of("operator")

    page = steps_page(client, migration)
    client.post(f"/migration/{migration.flow_sid}/rollback/", {"reason": "gone"})
    run_worker()

    assert "so it answers no one. Roll back to delete its prepared address." in page
    assert "Switch over…" not in page
    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert migration.address_sid not in sandbox.store_of(ADDRESS_CONFIGURATION).snapshot()


def test_step_shows_the_values_that_the_review_promised(sandbox, operator_actor, client_of):
    world = World(sandbox)
    client = client_of("operator")
    sid = world.add(Kind(number="proxied"))
    sandbox.edit_flow(sid, integration_retry_count=0)
    mirror.fetch(sid, account_sid=ACCOUNT)
    review = text_of(client.get("/migration/prepare/", {"sid": sid}))
    client.post("/migration/prepare/", {"sid": [sid], "reason": ""})
    run_worker()
    page = text_of(client.get(f"/migration/{sid}/steps/"))

    assert "Studio retry count 0" in review
    assert "Studio retry count 0" in page
    assert "Auto-creation Off" in page


@pytest.mark.parametrize("reason", [Reason.CHAT_SERVICE, Reason.STUDIO_GONE])
def test_change_of_the_flow_after_preparing_says_to_roll_back(reason):
    found = Found(reason, "X")

    assert "prepare" not in found.to_do
    assert "Roll this migration back first and prepare it again" in found.to_do_after_preparing


def test_other_steps_by_hand_need_no_rollback():
    found = Found(Reason.SENDER_WITH_PROXY)

    assert found.to_do_after_preparing == found.to_do


def test_several_started_flows_are_shown_on_the_board(sandbox, client_of):
    world, client = World(sandbox), client_of("operator")
    sids = [world.add(Kind(number="proxied")) for _ in range(3)]

    started = client.post("/migration/prepare/", {"sid": sids[:2], "reason": ""}, follow=True)

    page = started.content.decode()
    assert started.redirect_chain[0][0].startswith("/migration/?sid=")
    assert "2 flows are being prepared, one by one." in page
    assert all(f"/migration/{sid}/" in page for sid in sids[:2])
    assert f"/migration/{sids[2]}/" not in page
    assert "Clear all" in page


def test_blocked_flow_names_its_blocking_reason_first(sandbox, client_of):
    sid = World(sandbox).add(Kind(integration="task", number="proxied", enabled=False))

    page = text_of(client_of("operator").get("/migration/prepare/", {"sid": sid}))

    assert "become TaskRouter tasks directly" in page
    assert "The flow is off" not in page


def test_reviews_name_the_account_on_a_site_with_several(sandbox, staging, client_of):
    sid = World(sandbox).add(Kind(number="proxied"))
    add_migration(sid, MigrationStatus.READY)
    client = client_of("operator")

    for url in ("/migration/prepare/", "/migration/switch/"):
        page = client.get(url, {"sid": sid}).content.decode()
        assert '<th scope="col">Account</th>' in page, url
        assert 'data-label="Account"' in page, url
