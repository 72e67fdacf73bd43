"""The pages of migrations: preparation, switch-over, steps and what users do on them."""

import re
import uuid
from datetime import timedelta
from html import unescape

import pytest

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.migration import services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from tests.faults.acting import received_writes
from tests.flows.migration.acting import PLAIN, prepared, reload, run_worker, switched
from tests.flows.migration.world import SECRET, Kind, World

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(page):
    return " ".join(unescape(page.content.decode()).split())


def steps_url(migration):
    return f"/migration/{migration.flow_sid}/steps/"


def test_user_prepares_switches_verifies_and_rolls_back(sandbox, client_of):
    world, client = World(sandbox), client_of("operator")
    sid = world.add(PLAIN)
    before = world.state(sid)

    review = client.get("/migration/prepare/", {"sid": sid})
    assert "Prepare 1 flow" in text_of(review)
    started = client.post("/migration/prepare/", {"sid": [sid], "reason": "it ends"})
    assert started["Location"] == f"/migration/{sid}/steps/"
    run_worker()
    assert "Ready to switch over" in text_of(client.get(f"/migration/{sid}/steps/"))

    review = client.get("/migration/switch/", {"sid": sid})
    assert "1 minute 45 seconds" in text_of(review)
    untested = client.post("/migration/switch/", {"sid": [sid], "reason": "now"})
    assert (untested.status_code, len(received_writes(sandbox))) == (422, 1)
    client.post("/migration/switch/", {"sid": [sid], "reason": "now", "handlers_checked": "on"})
    run_worker()
    assert world.handlers(sid, before) == ["address"]

    unsaid = client.post(f"/migration/{sid}/verify/", {"reason": ""})
    assert unsaid.status_code == 422
    client.post(f"/migration/{sid}/verify/", {"reason": "Ana got it"})
    page = text_of(client.get(f"/migration/{sid}/steps/"))
    assert "You can delete it from" in page
    assert re.search(r"Requested by</dt>.*?\bnow\b.*?</dd>", page)  # of the switch-over
    assert re.search(r"Verified by</dt>.*?operator.*?Ana got it", page)
    assert "Roll back now, although customers get no answer for a moment" in page
    assert (
        "Customers get no answer, usually for a few seconds, and for 1 minute 45 seconds if" in page
    )

    unconfirmed = client.post(f"/migration/{sid}/rollback/", {"reason": "no"})
    assert unconfirmed.status_code == 422
    assert world.handlers(sid, before) == ["address"]
    client.post(f"/migration/{sid}/rollback/", {"reason": "no", "unserved_accepted": "on"})
    run_worker()
    assert world.state(sid) == before
    page = text_of(client.get(f"/migration/{sid}/steps/"))
    assert "Rolled back" in page
    assert "Deleted by the rollback." in page
    recorded = AuditEvent.objects.filter(action__startswith="migration.", actor_label="operator")
    assert set(recorded.values_list("action", flat=True)) == {
        "migration.prepare",
        "migration.switch",
        "migration.verify",
        "migration.roll_back",
        "migration.progress",
    }


def test_flow_is_deleted_days_after_the_verification(sandbox, operator_actor, client_of):
    _world, migration = switched(sandbox, operator_actor)
    services.verify(migration=migration, reason="seen", actor=operator_actor)
    client, url = client_of("operator"), f"/migration/{migration.flow_sid}/delete/"

    early = client.post(url, {"confirm_name": migration.flow_sid})
    assert (early.status_code, reload(migration).status) == (409, "verified")
    FlowMigration.objects.update(verified_at=migration.verified_at - timedelta(days=8))
    misspelt = client.post(url, {"confirm_name": "Another"})
    assert misspelt.status_code == 422
    client.post(url, {"confirm_name": migration.flow_sid, "reason": "done"})
    run_worker()

    assert reload(migration).status == MigrationStatus.DONE
    assert migration.flow_sid not in sandbox.flows
    assert "The address answers. The flow is deleted." in text_of(client.get(steps_url(migration)))


@pytest.mark.parametrize("action", ["verify", "rollback", "resume", "stop", "delete"])
def test_viewer_sees_the_steps_and_can_do_nothing(sandbox, operator_actor, client_of, action):
    _world, migration = switched(sandbox, operator_actor)
    viewer = client_of("viewer")

    page = viewer.get(steps_url(migration))
    refused = viewer.post(f"/migration/{migration.flow_sid}/{action}/", {"reason": "x"})

    assert page.status_code == 200
    assert 'action="/migration/' not in page.content.decode()
    assert (refused.status_code, reload(migration).status) == (403, "switched")


def test_read_only_account_takes_the_actions_away(sandbox, operator_actor, client_of):
    _world, migration = prepared(sandbox, operator_actor)
    restrictions.set_read_only(account_sid="", reason="audit", actor=operator_actor)
    client = client_of("operator")

    page = text_of(client.get(steps_url(migration)))
    refused = client.post(f"/migration/{migration.flow_sid}/rollback/", {"reason": ""})

    assert "Switch over…" not in page
    assert (refused.status_code, reload(migration).status) == (403, "ready")


def test_web_chat_needs_its_deployment_key(sandbox, client_of):
    world, client = World(sandbox), client_of("operator")
    sid = world.add(Kind(channel="web"))

    keyless = client.post("/migration/prepare/", {"sid": [sid], "deployment_key": ""})
    assert keyless.status_code == 422
    client.post("/migration/prepare/", {"sid": [sid], "deployment_key": "DK" + "7" * 32})
    run_worker()

    migration = services.latest_migration(sid)
    assert migration.status == MigrationStatus.READY
    assert f"DK{'7' * 32}" in text_of(client.get(f"/migration/{sid}/steps/"))


def test_secret_of_a_webhook_is_on_no_page(sandbox, operator_actor, client_of):
    _world, migration = prepared(
        sandbox, operator_actor, Kind(integration="secret webhook", number="proxied")
    )
    client = client_of("operator")

    for url in (steps_url(migration), f"/migration/switch/?sid={migration.flow_sid}"):
        assert SECRET not in text_of(client.get(url))


def test_flow_without_a_migration_has_no_steps(sandbox, client_of):
    sid = World(sandbox).add(PLAIN)

    assert client_of("operator").get(f"/migration/{sid}/steps/").status_code == 404


def test_selection_leaves_out_unknown_flows(sandbox, client_of):
    page = client_of("operator").get("/migration/switch/", {"sid": f"FO{uuid.uuid4().hex}"})

    assert "No flows selected" in text_of(page)
