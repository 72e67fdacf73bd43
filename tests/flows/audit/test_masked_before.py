"""A database that an earlier version filled, whose rules left secrets in paths and in values with harmless names: the
upgrade invents no change, the mirror forgets the secrets, and no page or export shows what the log still has."""

import json

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from flows.audit import audit_log, verification
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.plans import drafts, execution
from flows.plans.models import Plan, PlannedChange
from flows.redaction import first_rules
from flows.redaction.fingerprint import Masker
from flows.redaction.masking import replace_unstorable
from tests import ACCOUNT
from tests.armour.markup import read_body
from tests.conftest import form_data
from tests.faults.acting import assert_chain_intact, switch_flow

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "S3CRETc4n4ry"
ADDRESSES = (
    f"https://hooks.slack.example/services/T0A/B0B/{CANARY}",
    f"https://crm.example/hook?label=Sales desk&data={CANARY}&token=abc",
    f"https://crm.example/in;v=1?a=1;token={CANARY}x&access={CANARY}",
    "https://crm.example/plain/in?team=care",
    f"https://u:pw@crm.example/in#{CANARY}",
)


def first_masked(value):
    """The same JSON as the first rules masked it."""
    if isinstance(value, str):
        return first_rules.mask_text(value, Masker())
    if isinstance(value, dict):
        return {key: first_masked(item) for key, item in value.items()}
    return [first_masked(item) for item in value] if isinstance(value, list) else value


def earlier(patched, sandbox):
    """The SIDs of flows that the first rules masked, in the copy and in the log."""
    for module in (audit_log, drift, mirror, drafts):
        patched.setattr(module, "redact", first_masked)
    for module in (audit_log, drafts):
        patched.setattr(module, "masked_note", first_masked)
    for model in (AuditEvent, AuditPayload):
        patched.setattr(model, "masks", {})
    sids = [
        sandbox.add_flow(
            integration_type="external", integration_url=url, unknown={"token": CANARY}
        )
        for url in ADDRESSES
    ]
    mirror.sync(ACCOUNT)
    sandbox.edit_flow(sids[0], integration_url=ADDRESSES[0] + "two")
    mirror.sync(ACCOUNT)
    switch_flow(sids[1], enabled=False, reason=f"see https://hooks.example/services/T0A/{CANARY}")
    mirror.sync(ACCOUNT)
    assert CANARY in stored()
    return sids


def stored():
    """What the tables hold, the log's own aside."""
    kept = [
        Flow.objects.values_list("resource", "friendly_name"),
        PlannedChange.objects.values_list("asked", "before"),
    ]
    return json.dumps([list(rows) for rows in kept], default=str)


def migrate(name):
    executor = MigrationExecutor(connection)
    executor.migrate([("flows", name)])


@pytest.fixture
def upgraded(sandbox):
    """What the first rules left, and today's from now on."""
    with pytest.MonkeyPatch.context() as patched:
        return earlier(patched, sandbox)


@pytest.mark.parametrize("is_migrated", [True, False], ids=["migrated", "synced alone"])
def test_upgrade_is_no_change_of_any_flow(upgraded, is_migrated):
    events, waiting = AuditEvent.objects.count(), OpenDrift.objects.count()
    if is_migrated:
        migrate("0015_decisions")
        migrate("0016_masked_anew")
        assert CANARY not in stored()

    report = mirror.sync(ACCOUNT)

    assert report.gone == 0
    assert (AuditEvent.objects.count(), OpenDrift.objects.count()) == (events, waiting)
    assert is_migrated == (CANARY not in stored())
    assert mirror.sync(ACCOUNT).changed == 0
    assert_chain_intact()


def test_real_change_after_the_upgrade_is_found(upgraded, sandbox):
    mirror.sync(ACCOUNT)
    sandbox.edit_flow(upgraded[0], integration_url=ADDRESSES[0] + "three")

    mirror.sync(ACCOUNT)

    found = AuditEvent.objects.filter(action="flow.drift").order_by("-seq")[:1]
    assert {(event.target_sid, *event.changed_fields) for event in found} == {
        (upgraded[0], "integration_url")
    }


def test_no_page_or_export_shows_what_the_log_still_has(upgraded, client_of):
    raw = json.dumps(list(AuditPayload.objects.values_list("after", "before")))
    assert CANARY in raw
    mirror.sync(ACCOUNT)
    admin = client_of("admin")
    urls = ["/flows/", "/flows/drift/", "/audit/"]
    urls += [f"/audit/{event.event_id}/" for event in AuditEvent.objects.exclude(stage="access")]
    urls += [f"/flows/{sid}/{page}" for sid in upgraded for page in ("", "code/")]

    said = [admin.get(url).content.decode() for url in urls]
    said += [
        read_body(admin.post("/audit/export/", {"what": "all", "format": form})).decode()
        for form in ("csv", "ndjson")
    ]
    said += [
        read_body(admin.post("/flows/copy-out/", {"all": "1", "format": form})).decode()
        for form in ("csv", "json")
    ]

    assert [text[:60] for text in said if CANARY in text] == []
    assert "masked-" in "".join(said)


def test_chain_verifies_and_so_does_a_verification_that_was_recorded(upgraded, actor):
    verdict, _event = verification.verify_and_record(actor=actor)

    assert verdict.bad_seq is None
    assert verification.last_verification().is_intact


def test_draft_of_before_is_still_sent_with_the_secret(upgraded, actor, sandbox, client_of):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(drafts, "redact", first_masked)
        plan = drafts.plan_bulk_action(
            ask=drafts.BulkAction("webhook_host", "new.example"), sids=[upgraded[1]], made_by="omar"
        )
    migrate("0015_decisions")
    migrate("0016_masked_anew")

    execution.start(plan=plan, reason="", actor=actor)
    change = Plan.objects.get(pk=plan.pk).changes.get()
    turn = execution._PlanRun(plan, None)  # one change, as a worker makes it
    assert turn.make_change(change) == ""

    assert sandbox.flows[upgraded[1]]["integration"]["url"] == ADDRESSES[1].replace("crm.", "new.")


def test_edit_form_and_its_review_show_no_more_than_they_must(upgraded, client_of):
    mirror.sync(ACCOUNT)
    admin = client_of("admin")
    page = admin.get(f"/flows/{upgraded[0]}/edit/")
    data = form_data(page) | {"friendly_name": "Renamed", "review": "1"}

    review = admin.post(f"/flows/{upgraded[0]}/edit/", data)

    assert CANARY in page.content.decode()
    assert review.status_code == 200
    assert replace_unstorable(review.context["rows"][0]["new"]) == "Renamed"
