"""Upgrade of a database whose older masking rules left secrets in paths and unusual values.

The upgrade invents no change, and the mirror loses the secrets. The log still has them, but no page
or export shows them.
"""

import json
from dataclasses import replace

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from flows.audit import audit_log, verification
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts, start_and_stop
from flows.plans.models import Plan, PlannedChange
from flows.plans.one_change import make_change
from flows.redaction import first_rules, redacted
from flows.redaction.fingerprint import Masker
from flows.redaction.masking import replace_unstorable
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import assert_chain_intact, switch_flow
from tests.security.markup import read_body

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "S3CRETc4n4ry"
ADDRESSES = (
    f"https://hooks.slack.example/services/T0A/B0B/{CANARY}",
    f"https://crm.example/hook?label=Sales desk&data={CANARY}&token=abc",
    f"https://crm.example/in;v=1?a=1;token={CANARY}x&access={CANARY}",
    "https://crm.example/plain/in?team=care",
    f"https://u:pw@crm.example/in#{CANARY}",
)


def mask_by_first_rules(value):
    """Mask a JSON value by the first rules."""
    if isinstance(value, str):
        return first_rules.mask_text(value, Masker())
    if isinstance(value, dict):
        return {key: mask_by_first_rules(item) for key, item in value.items()}
    return [mask_by_first_rules(item) for item in value] if isinstance(value, list) else value


def fill_old_database(patched, sandbox):
    """Fill mirror and log with flows masked by the first rules, and return their SIDs."""
    for module in (redacted, audit_log, drafts):
        patched.setattr(module, "redact", mask_by_first_rules)
    for module in (audit_log, drafts):
        patched.setattr(module, "redact_note", mask_by_first_rules)
    for model in (AuditEvent, AuditPayload):
        patched.setattr(model, "masks", {})
    sids = [
        sandbox.add_flow(
            integration_type="external", integration_url=url, unknown={"token": CANARY}
        )
        for url in ADDRESSES
    ]
    sync_account(ACCOUNT)
    sandbox.edit_flow(sids[0], integration_url=ADDRESSES[0] + "two")
    sync_account(ACCOUNT)
    switch_flow(sids[1], enabled=False, reason=f"see https://hooks.example/services/T0A/{CANARY}")
    sync_account(ACCOUNT)
    assert CANARY in stored_values()
    return sids


def stored_values():
    """Return the stored flows and planned changes as JSON."""
    tables = [
        Flow.objects.values_list("resource", "friendly_name"),
        PlannedChange.objects.values_list("requested", "before"),
    ]
    return json.dumps([list(rows) for rows in tables], default=str)


def migrate(name):
    """Migrate to this migration, or to the newest if it is None."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("flows")
    executor.migrate([("flows", name)] if name else newest)


@pytest.fixture
def upgraded(sandbox):
    """Fill the database by the first rules. Today's rules apply afterwards."""
    with pytest.MonkeyPatch.context() as patched:
        return fill_old_database(patched, sandbox)


@pytest.mark.parametrize("is_migrated", [True, False], ids=["migrated", "synced alone"])
def test_upgrade_changes_no_flow(upgraded, is_migrated):
    events, waiting = AuditEvent.objects.count(), OpenDrift.objects.count()
    if is_migrated:
        migrate("0015_decisions")
        migrate(None)
        assert CANARY not in stored_values()

    report = sync_account(ACCOUNT)

    assert report.deleted == 0
    assert (AuditEvent.objects.count(), OpenDrift.objects.count()) == (events, waiting)
    assert is_migrated == (CANARY not in stored_values())
    assert sync_account(ACCOUNT).changed == 0
    assert_chain_intact()


def test_real_change_after_the_upgrade_is_found(upgraded, sandbox):
    sync_account(ACCOUNT)
    sandbox.edit_flow(upgraded[0], integration_url=ADDRESSES[0] + "three")

    sync_account(ACCOUNT)

    drift_events = AuditEvent.objects.filter(action="flow.drift").order_by("-seq")[:1]
    assert {(event.target_sid, *event.changed_fields) for event in drift_events} == {
        (upgraded[0], "integration_url")
    }


def test_no_page_or_export_shows_secrets_of_the_log(upgraded, client_of):
    raw = json.dumps(list(AuditPayload.objects.values_list("after", "before")))
    assert CANARY in raw
    sync_account(ACCOUNT)
    admin = client_of("admin")
    urls = ["/", "/flows/", "/flows/drift/", "/audit/"]
    urls += [f"/audit/{event.event_id}/" for event in AuditEvent.objects.exclude(stage="access")]
    urls += [f"/flows/{sid}/{page}" for sid in upgraded for page in ("", "code/")]

    texts = [admin.get(url).content.decode() for url in urls]
    texts += [
        read_body(admin.post("/audit/export/", {"what": "all", "format": form})).decode()
        for form in ("csv", "ndjson")
    ]
    texts += [
        read_body(admin.post("/flows/copy-out/", {"all": "1", "format": form})).decode()
        for form in ("csv", "json")
    ]

    assert [text[:60] for text in texts if CANARY in text] == []
    assert "masked-" in "".join(texts)


def test_chain_and_logged_verification_are_intact(upgraded, actor):
    verdict, _event = verification.verify_and_record(actor=actor)

    assert verdict.bad_seq is None
    assert verification.last_verification().is_intact


def test_older_draft_is_sent_with_the_secret(upgraded, actor, sandbox, client_of):
    with pytest.MonkeyPatch.context() as patched:
        for module in (redacted, drafts):
            patched.setattr(module, "redact", mask_by_first_rules)
        plan = drafts.plan_bulk_action(
            action=drafts.BulkAction("webhook_host", "new.example"),
            sids=[upgraded[1]],
            created_by="omar",
        )
    migrate("0015_decisions")
    migrate(None)

    start_and_stop.start(plan=plan, reason="", actor=actor)
    change = Plan.objects.get(pk=plan.pk).changes.get()
    actor_of_plan = replace(actor, request_id=str(plan.pk))
    assert make_change(change, reason="", actor=actor_of_plan).skip_reason == ""

    assert sandbox.flows[upgraded[1]]["integration"]["url"] == ADDRESSES[1].replace("crm.", "new.")


def test_edit_form_shows_the_secret_and_its_review_works(upgraded, client_of):
    sync_account(ACCOUNT)
    admin = client_of("admin")
    page = admin.get(f"/flows/{upgraded[0]}/edit/")
    data = form_data(page) | {"friendly_name": "Renamed", "review": "1"}

    review = admin.post(f"/flows/{upgraded[0]}/edit/", data)

    assert CANARY in page.content.decode()
    assert review.status_code == 200
    assert replace_unstorable(review.context["rows"][0]["new"]) == "Renamed"
