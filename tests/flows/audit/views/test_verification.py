"""Pages for auditors: verifications and signed checkpoints."""

import re

import pytest
from django.db import connection

from flows.audit import append_only, checkpoints
from flows.audit.models import AuditEvent, AuditPayload
from tests.faults.acting import failing_inserts

pytestmark = pytest.mark.django_db

EXPORT, VERIFICATION = "/audit/export/", "/audit/verification/"
SID = "FO" + "1" * 32


def tamper(statement):
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    append_only.install(connection)


@pytest.mark.parametrize(
    ("path", "action"), [(EXPORT, "audit.export"), (VERIFICATION, "audit.verify")]
)
def test_pages_are_for_auditors_and_admins(client_of, role, path, action):
    client = client_of(role)
    is_allowed = role in ("auditor", "admin")

    assert client.get(path).status_code == (200 if is_allowed else 403)
    response = client.post(path)

    if not is_allowed:
        assert response.status_code == 403
        event = AuditEvent.objects.get()
        assert (event.action, event.result) == (action, "denied")


def test_page_says_that_the_log_was_never_verified(client_of):
    assert "Never verified" in client_of("auditor").get(VERIFICATION).content.decode()


def test_verification_is_logged_and_shown(client_of, record):
    for _ in range(3):
        record()
    client = client_of("auditor")

    page = client.post(VERIFICATION, follow=True)
    record()

    event = AuditEvent.objects.get(action="audit.verify")
    assert (event.actor_label, event.actor_role, event.result) == (
        "auditor",
        "auditor",
        "succeeded",
    )
    assert page.redirect_chain == [(VERIFICATION, 302)]
    assert "Intact: events 1–3 verified" in page.content.decode()
    assert "No new events since" in page.content.decode()
    assert "1 new event since" in client.get(VERIFICATION).content.decode()


def test_fault_is_shown_with_a_link_to_the_event(client_of, record):
    for _ in range(3):
        record()
    tamper("UPDATE flows_auditevent SET reason = 'other' WHERE seq = 2")

    page = client_of("auditor").post(VERIFICATION, follow=True).content.decode()

    assert "Event 2 does not match its hash" in page
    assert f"/audit/{AuditEvent.objects.get(seq=2).event_id}/" in page
    assert AuditEvent.objects.get(action="audit.verify").result == "failed"


def test_missing_event_is_shown_without_a_link(client_of, record):
    for _ in range(3):
        record()
    AuditPayload.objects.filter(pk=2).delete()
    tamper("DELETE FROM flows_auditevent WHERE seq = 2")

    page = client_of("auditor").post(VERIFICATION, follow=True)

    assert page.context["bad_event"] is None
    assert "Event 2 is missing" in page.content.decode()


def test_altered_record_of_a_verification_is_reported(client_of, record):
    client = client_of("auditor")
    client.post(VERIFICATION)
    tamper("UPDATE flows_auditevent SET actor_label = 'ada' WHERE seq = 1")

    assert "record was altered" in client.get(VERIFICATION).content.decode()


def test_verification_that_cannot_be_recorded_is_shown(client_of, record, break_recording):
    record()
    client = client_of("auditor")
    break_recording()

    page = client.post(VERIFICATION)

    assert page.status_code == 503
    assert "1 event verified" in page.content.decode()
    assert "this verification was not recorded" in page.content.decode()


def test_checkpoint_is_downloaded_and_matches(client_of, record):
    record()
    client = client_of("auditor")

    response = client.post(VERIFICATION, {"act": "head"})

    assert re.fullmatch(
        r'attachment; filename="audit-head-\d{4}-\d\d-\d\d-1\.json"',
        response["Content-Disposition"],
    )
    assert "no-store" in response["Cache-Control"]
    checkpoint = response.content.decode()
    assert checkpoints.parse_checkpoint(checkpoint)["seq"] == 1
    page = client.post(VERIFICATION, {"head": f"\n {checkpoint}\n"}, follow=True).content.decode()
    assert "with an external checkpoint" in page


def test_export_of_a_checkpoint_is_logged(client_of, record):
    record()

    client_of("auditor").post(VERIFICATION, {"act": "head"})

    event = AuditEvent.objects.select_related("payload").get(action="audit.checkpoint")
    assert (event.seq, event.result, event.actor_label) == (2, "succeeded", "auditor")
    assert event.payload.after == {"through": 1}


def test_checkpoint_is_not_sent_if_its_export_can_not_be_logged(client_of, record):
    record()
    client = client_of("auditor")

    with failing_inserts("flows_auditevent"):
        page = client.post(VERIFICATION, {"act": "head"})

    assert page.status_code == 503
    assert "signature" not in page.content.decode()


def test_cut_off_tail_is_found_with_a_checkpoint(client_of, record):
    for _ in range(3):
        record()
    client = client_of("auditor")
    checkpoint = client.post(VERIFICATION, {"act": "head"}).content.decode()
    AuditPayload.objects.filter(pk__gte=3).delete()  # the export of the checkpoint is event 4
    tamper("DELETE FROM flows_auditevent WHERE seq >= 3")
    tamper("DELETE FROM flows_auditentry WHERE seq >= 3")
    last = AuditEvent.objects.get(seq=2).hash
    tamper(f"UPDATE flows_chainhead SET seq = 2, hash = '{last}'")
    tamper("UPDATE flows_auditday SET last = 2")

    without_checkpoint = client.post(VERIFICATION, follow=True).content.decode()
    with_checkpoint = client.post(VERIFICATION, {"head": checkpoint}, follow=True).content.decode()

    assert "Intact" in without_checkpoint
    assert "Event 3 does not match the signed checkpoint" in with_checkpoint


@pytest.mark.parametrize("head", ["x", "{}", "[" * 1999, '{"seq": NaN}', "9" * 3000], ids=range(5))
def test_invalid_checkpoint_is_an_error_of_its_field(client_of, head):
    page = client_of("auditor").post(VERIFICATION, {"head": head})

    assert page.status_code == 422
    assert "Invalid checkpoint" in page.content.decode()
    assert page.context["text"] == head
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("path", [EXPORT, VERIFICATION])
def test_post_needs_the_forms_token(client_of, path):
    client = client_of("auditor")
    client.handler.enforce_csrf_checks = True

    assert client.post(path).status_code == 403
    assert not AuditEvent.objects.exists()
