"""Pages for auditors: exports, verifications and signed checkpoints."""

import csv
import io
import json
import re
import uuid

import pytest
from django.db import DatabaseError, connection

from flows.audit import append_only, checkpoints, export
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent, AuditPayload
from tests.faults.acting import append_stage, failing_inserts

pytestmark = pytest.mark.django_db

EXPORT, VERIFICATION = "/audit/export/", "/audit/verification/"
SID = "FO" + "1" * 32


@pytest.fixture
def record(actor):
    def make(**values):
        event_values = {
            "action": "flow.update",
            "stage": "outcome",
            "result": "succeeded",
            "actor": actor,
            **values,
        }
        return append_stage(**event_values)

    return make


@pytest.fixture
def break_recording(monkeypatch):
    """Return a function that makes recording fail."""

    def broken(*_args, **_kwargs):
        raise DatabaseError

    return lambda: monkeypatch.setattr(AuditPayload, "save", broken)


def tamper(statement):
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    append_only.install(connection)


def text(response):
    return b"".join(response.streaming_content).decode()


def seqs(response):
    return [json.loads(line)["seq"] for line in text(response).splitlines()]


def post(client, **values):
    return client.post(EXPORT, {"format": "ndjson", "what": "all", **values})


def test_export_page_shows_the_filters(client_of, record):
    record(target_sid=SID)

    page = client_of("auditor").get(EXPORT, {"sid": SID, "from": "2026-11-01", "q": "<i>"})

    assert [chip["label"] for chip in page.context["chips"]] == [
        "Search: <i>", f"Flow: {SID}", "From: 2026-11-01",
    ]  # fmt: skip
    assert page.context["is_whole"] is False
    form = page.content.decode().split("data-again")[1]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    del hidden["csrfmiddlewaretoken"]
    assert hidden == {"q": "&lt;i&gt;", "sid": SID, "from": "2026-11-01"}


def test_export_page_without_filters_offers_the_whole_log(client_of):
    assert client_of("auditor").get(EXPORT).context["is_whole"] is True


def test_export_of_the_whole_log_has_every_stage(client_of, record):
    change = uuid.uuid4()
    record(change_id=change, stage="attempt", result="pending")
    record(change_id=change)
    record(action="flow.baseline", stage="observed", result="applied")

    response = post(client_of("auditor"), q="ignored", sid=SID)

    assert seqs(response) == [1, 2, 3, 4]


def test_export_of_the_list_has_its_events(client_of, record):
    finished, pending = uuid.uuid4(), uuid.uuid4()
    record(change_id=finished, stage="attempt", result="pending")
    record(change_id=finished)
    record(change_id=pending, stage="attempt", result="pending")
    record(action="flow.baseline", stage="observed", result="applied")

    response = post(client_of("auditor"), what="shown")

    assert seqs(response) == [2, 3, 5]


@pytest.mark.parametrize(("filters", "expected"), [
    ({"sid": SID}, [2]),
    ({"result": "failed"}, [3]),
    ({"actor": "omar", "action": "flow.delete"}, [4]),
    ({"q": "sommer"}, [5]),
    ({"from": "2100-01-01"}, []),
    ({"to": "2000-01-01"}, []),
    ({"before": "3", "result": "succeeded", "actor": "omar"}, [1, 2, 4, 5]),
], ids=["sid", "result", "two", "q", "from", "to", "page"])  # fmt: skip
def test_export_applies_the_filters_of_the_log(client_of, record, filters, expected):
    record()
    record(target_sid=SID)
    record(result="failed")
    record(action="flow.delete")
    record(payload=Payload(friendly_name="Sommerfest"))

    assert seqs(post(client_of("auditor"), what="shown", **filters)) == expected


def test_link_on_the_log_carries_the_filters(client_of, record):
    record(target_sid=SID, result="failed")
    client = client_of("auditor")

    for headers in ({}, {"HX-Request": "true"}):
        page = client.get(
            "/audit/", {"sid": SID, "result": "failed"}, headers=headers
        ).content.decode()
        link = re.search(rf'href="({EXPORT}\?[^"]+)"', page)[1].replace("&amp;", "&")
        assert [chip["label"] for chip in client.get(link).context["chips"]] == [
            "Result: Failed", f"Flow: {SID}",
        ]  # fmt: skip


@pytest.mark.parametrize("path", ["/audit/", "/audit/?q=x"])
def test_links_are_shown_to_permitted_users(client_of, role, path):
    page = client_of(role).get(path).content.decode()

    assert (EXPORT in page) == (VERIFICATION in page) == (role in ("auditor", "admin"))


def test_export_is_a_file_that_is_not_cached(client_of, record, settings):
    record()

    response = post(client_of("auditor"), format="csv")

    assert re.fullmatch(
        r'attachment; filename="audit-\d{4}-\d\d-\d\d-after-0-through-2\.csv"',
        response["Content-Disposition"],
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert [
        row["seq"]
        for row in csv.DictReader(io.StringIO(text(response).removeprefix("\ufeff"), newline=""))
    ] == ["1", "2"]


def test_export_is_streamed_in_chunks(client_of, record, monkeypatch):
    monkeypatch.setattr("flows.audit.views.verification.CHUNK_SIZE", 2000)
    monkeypatch.setattr(export, "BATCH_SIZE", 2)
    for _ in range(9):
        record(payload=Payload(friendly_name="x" * 900))

    response = post(client_of("auditor"))

    assert response.streaming
    pieces = list(response.streaming_content)
    assert len(pieces) > 3
    assert len(b"".join(pieces).splitlines()) == 10


def test_export_is_logged_before_its_first_line(client_of, record, person):
    record()

    response = post(client_of("auditor"), what="shown", result="succeeded", after="0")

    event = AuditEvent.objects.get(action="audit.export")
    assert (event.result, event.actor_label, event.actor_role) == (
        "succeeded",
        "auditor",
        "auditor",
    )
    assert event.payload.requested == {
        "format": "ndjson", "filters": {"result": "succeeded"}, "after": 0, "through": 2,
    }  # fmt: skip
    assert seqs(response) == [1, 2]


def test_export_of_the_whole_log_is_logged_without_filters(client_of, record):
    post(client_of("auditor"), q="x")

    event = AuditEvent.objects.get(action="audit.export")
    assert event.payload.requested["filters"] is None
    assert event.reason == "ndjson, all events after 0"


def test_export_that_cannot_be_recorded_sends_no_file(client_of, record, break_recording):
    record()
    client = client_of("auditor")
    break_recording()

    response = post(client, after="1")

    assert response.status_code == 503
    assert not response.streaming
    assert "Nothing was exported" in response.content.decode()
    assert response.context["after"] == "1"


def test_events_during_an_export_are_left_to_the_next_one(client_of, record, monkeypatch):
    monkeypatch.setattr(export, "BATCH_SIZE", 2)
    change = uuid.uuid4()
    record(change_id=change, stage="attempt", result="pending")
    for _ in range(4):
        record()
    client = client_of("auditor")

    first = post(client, what="shown")
    record(change_id=change)
    record()
    file = seqs(first)
    second = post(client, what="shown", after=str(file[-1]))

    assert file == [1, 2, 3, 4, 5, 6]  # the change was open when the export began
    assert seqs(second) == [7, 8, 9]


def test_page_offers_to_continue_after_the_users_last_export(client_of, record):
    record()
    client = client_of("auditor")
    assert client.get(EXPORT).context["last"] is None
    post(client)
    post(client_of("admin"))

    page = client.get(EXPORT, {"sid": SID})

    assert page.context["last"]["through"] == 2
    assert f"{EXPORT}?sid={SID}&amp;after=2" in page.content.decode()
    assert client.get(EXPORT, {"after": "2"}).context["after"] == "2"


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "9" * 19, "1e3"])
def test_export_after_an_invalid_number_is_an_error(client_of, after):
    response = post(client_of("auditor"), after=after)

    assert response.status_code == 422
    assert "Enter an event number" in response.content.decode()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("form", ["xml", "", "../csv"])
def test_unknown_format_is_csv(client_of, form):
    assert post(client_of("auditor"), format=form)["Content-Type"].startswith("text/csv")


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
