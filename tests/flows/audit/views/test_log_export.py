"""The page that exports the log: period, content, format, and the event of the export."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.contrib.auth.models import Group, User

from flexadmin.models import AccountRole
from flows.audit import export
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent
from tests import ACCOUNT
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

EXPORT, VERIFICATION = "/audit/export/", "/audit/verification/"
SID = "FO" + "1" * 32


def text(response):
    return b"".join(response.streaming_content).decode()


def seqs(response):
    return [json.loads(line)["seq"] for line in text(response).splitlines()]


def post(client, **values):
    return client.post(EXPORT, {"format": "ndjson", "what": "events", **values})


def test_export_page_shows_the_filters(client_of, record):
    record(target_sid=SID)

    page = client_of("auditor").get(EXPORT, {"sid": SID, "from": "2026-11-01", "q": "<i>"})

    assert [chip["label"] for chip in page.context["chips"]] == ["Search: <i>", f"Flow: {SID}"]
    assert page.context["clear_url"] == f"{EXPORT}?from=2026-11-01"
    assert page.context["has_every_event"] is False
    form = page.content.decode().split("data-again")[1]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    del hidden["csrfmiddlewaretoken"]
    assert hidden == {"q": "&lt;i&gt;", "sid": SID}
    assert re.search(r'<input type="date"\s+id="from"\s+name="from"\s+value="2026-11-01"', form)
    assert re.search(r'<input type="date"\s+id="to"\s+name="to"\s+value=""', form)


def test_export_page_without_filters_offers_the_whole_log(client_of):
    assert client_of("auditor").get(EXPORT).context["has_every_event"] is True


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
    monkeypatch.setattr("flows.audit.views.log_export.CHUNK_SIZE", 2000)
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
        "format": "ndjson", "content": "changes", "filters": {"result": "succeeded"}, "after": 0,
        "through": 2,
    }  # fmt: skip
    assert seqs(response) == [1, 2]


def test_export_of_the_whole_log_is_logged_without_filters(client_of, record):
    post(client_of("auditor"), q="x")

    event = AuditEvent.objects.get(action="audit.export")
    assert event.payload.requested["filters"] is None
    assert event.payload.requested["content"] == "every event"


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
    first = seqs(post(client))
    post(client_of("admin"))

    page = client.get(EXPORT, {"sid": SID})

    link = re.search(rf'href="({EXPORT}\?[^"]*after=[^"]*)"', page.content.decode())[1]
    context = client.get(link.replace("&amp;", "&")).context
    assert (context["after"], context["has_every_event"], context["format"]) == (
        "2",
        True,
        "ndjson",
    )
    second = seqs(post(client, after=context["after"]))
    assert first + second == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "fields",
    [{"from": "2026-10-01"}, {"to": "2026-10-31"}, {"what": "shown"}, {"what": "shown", "q": "x"}],
    ids=str,
)
def test_export_that_left_out_events_is_not_one_to_continue(client_of, record, fields):
    record()
    client = client_of("auditor")
    post(client, **fields)
    assert client.get(EXPORT).context["last"] is None

    post(client, what="events")
    post(client, **fields)

    assert client.get(EXPORT).context["last"]["through"] == 3


def test_export_of_other_accounts_is_not_one_to_continue(client_of, record, staging):
    client = client_of("auditor", "nina", staging.account_sid)
    post(client)
    assert client.get(EXPORT).context["last"]["through"] == 1
    nina = User.objects.get(username="nina")
    AccountRole.objects.create(
        person=nina, account_sid=ACCOUNT, role=Group.objects.get(name="auditor")
    )

    assert client.get(EXPORT).context["last"] is None


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "9" * 19, "1e3"])
def test_export_after_an_invalid_number_is_an_error(client_of, after):
    response = post(client_of("auditor"), after=after)

    assert response.status_code == 422
    assert "Enter an event number" in response.content.decode()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("form", ["xml", "", "../csv"])
def test_unknown_format_is_csv(client_of, form):
    assert post(client_of("auditor"), format=form)["Content-Type"].startswith("text/csv")


@pytest.fixture
def october(record):
    """Log a change on each of five days around October 2026, the first and the last with stages."""
    for day in (
        datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    ):
        change = uuid.uuid4()
        with mock.patch("django.utils.timezone.now", return_value=day):
            record(change_id=change, stage="attempt", result="pending")
            record(change_id=change)


OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"what": "events", **OCTOBER}, [3, 4, 5, 6]),
        ({"what": "shown", **OCTOBER}, [4, 6]),
        ({"what": "events", **OCTOBER, "sid": SID, "q": "other filters"}, [3, 4, 5, 6]),
        ({"what": "events", "from": "2026-10-31"}, [5, 6, 7, 8, 9]),
        ({"what": "events", "to": "2026-09-30"}, [1, 2]),
        ({"what": "events", "from": "2026-10-02", "to": "2026-10-30"}, []),
        ({"what": "events"}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"what": "events", **OCTOBER, "after": "4"}, [5, 6]),
        ({"what": "all", **OCTOBER}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),  # as it always was
    ],
    ids=str,
)
def test_export_of_a_period(client_of, october, fields, expected):
    assert seqs(post(client_of("auditor"), **fields)) == expected


def test_events_of_a_period_are_logged_with_its_days(client_of, october):
    post(client_of("auditor"), what="events", sid=SID, **OCTOBER)

    requested = AuditEvent.objects.get(action="audit.export").payload.requested
    assert requested["content"] == "every event"
    assert requested["filters"] == {**OCTOBER, "time zone": "UTC"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (OCTOBER, "audit-log-2026-10-01-to-2026-10-31.csv"),
        ({**OCTOBER, "what": "events"}, "audit-log-2026-10-01-to-2026-10-31.csv"),
        ({**OCTOBER, "format": "ndjson"}, "audit-log-2026-10-01-to-2026-10-31.ndjson"),
        ({**OCTOBER, "after": "3"}, "audit-log-2026-10-01-to-2026-10-31-after-3.csv"),
        ({**OCTOBER, "q": "x"}, "audit-log-2026-10-01-to-2026-10-31-filtered.csv"),
        ({**OCTOBER, "q": "x", "what": "events"}, "audit-log-2026-10-01-to-2026-10-31.csv"),
        ({"q": "x"}, "audit-2026-11-26-after-0-through-1-filtered.csv"),
        ({"from": "2026-12-01"}, "audit-log-2026-12-01-to-2026-12-01.csv"),
        ({"from": "2026-10-01"}, "audit-log-2026-10-01-to-2026-11-26.csv"),
        ({"to": "2026-10-31"}, "audit-log-to-2026-10-31.csv"),
        ({}, "audit-2026-11-26-after-0-through-1.csv"),
        ({**OCTOBER, "what": "all"}, "audit-2026-11-26-after-0-through-1.csv"),
    ],
    ids=str,
)
def test_file_is_named_after_its_period(client_of, at, fields, name):
    client = client_of("auditor")

    response = client.post(EXPORT, {"format": "csv", "what": "shown", **fields})

    assert response["Content-Disposition"] == f'attachment; filename="{name}"'


def test_page_offers_last_month(client_of, at):
    page = client_of("auditor").get(EXPORT, {"result": "failed"})

    (last_month,) = (one for one in page.context["presets"] if one.label == "Last month")
    assert last_month.url == "?result=failed&from=2026-10-01&to=2026-10-31"
    assert "Mine" not in [preset.label for preset in page.context["presets"]]


def test_preset_of_days_keeps_content_and_format(client_of):
    client = client_of("auditor")
    for what, format_ in (("events", "ndjson"), ("shown", "csv")):
        page = client.get(EXPORT, {"what": what, "format": format_}).content.decode()

        link = re.search(r'class="chip plain"\s+href="([^"]+)"', page)[1].replace("&amp;", "&")
        context = client.get(EXPORT + link).context
        assert context["has_every_event"] is (what == "events")
        assert context["format"] == format_


@pytest.mark.parametrize("what", ["shown", "events"])
def test_invalid_period_is_refused(client_of, what):
    response = post(client_of("auditor"), what=what, **{"from": "2026-10-31", "to": "2026-10-01"})

    assert response.status_code == 422
    page = response.content.decode()
    assert "“From” (2026-10-31) is after “to” (2026-10-01)" in page
    assert ("Correct the period." in page) == (what == "events")
    assert ("or export every event" in page) == (what == "shown")
    assert not AuditEvent.objects.exists()


def test_row_of_an_export_has_its_reason_and_what_the_file_has(client_of, october):
    client = client_of("auditor")
    post(client, what="shown", format="csv", reason="October, for the auditors", **OCTOBER)
    post(client, what="events", after="5")

    rows = squeezed(client.get("/audit/").content.decode())

    assert "Exported the audit log: changes from 2026-10-01 to 2026-10-31, CSV" in rows
    assert "October, for the auditors" in rows
    assert "Exported the audit log: every event, after event 5, NDJSON" in rows
    last, first = AuditEvent.objects.filter(action="audit.export").order_by("-seq")
    assert last.reason == ""
    page = squeezed(client.get(f"/audit/{first.event_id}/").content.decode())
    assert "from: 2026-10-01," in page
    assert "to: 2026-10-31" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"to": "2026-10-31"}, ": every event until 2026-10-31, NDJSON"),
        ({"from": "2026-10-01"}, ": every event from 2026-10-01, NDJSON"),
        ({"what": "shown", "q": "x"}, ": changes, filtered, NDJSON"),
        ({"what": "events", "q": "x"}, ": every event, NDJSON"),
        ({"after": "1", **OCTOBER}, ": every event from 2026-10-01 to 2026-10-31, after event 1, NDJSON"),
    ],
    ids=str,
)  # fmt: skip
def test_row_of_an_export_says_what_the_file_leaves_out(client_of, fields, sentence):
    client = client_of("auditor")
    post(client, **fields)

    rows = squeezed(client.get("/audit/").content.decode())

    assert f"Exported the audit log{sentence}<" in rows


def test_row_of_an_export_says_that_it_has_some_accounts(client_of, staging):
    post(client_of("auditor", "nina", staging.account_sid))

    rows = squeezed(client_of("auditor").get("/audit/").content.decode())

    assert "Exported the audit log: every event, of 1 account, NDJSON<" in rows


def test_reason_has_something_visible(client_of):
    response = post(client_of("auditor"), reason="\u200b")

    assert response.status_code == 422
    assert "Reason contains only invisible characters." in response.content.decode()
    assert not AuditEvent.objects.exists()


def test_export_of_an_older_version_says_what_the_file_has(client_of, record):
    """It recorded no content, and a sentence of its own as the reason."""
    requested = {"format": "csv", "filters": {"actor": "omar"}, "after": 0, "through": 1}
    record(action="audit.export", stage="access", payload=Payload(requested=requested))
    record(
        action="audit.export",
        stage="access",
        payload=Payload(requested={"format": "csv", "filters": None}),
    )
    record(action="audit.export", stage="access", result="denied")

    rows = squeezed(client_of("auditor").get("/audit/").content.decode())

    assert "Exported the audit log: events, filtered, CSV<" in rows
    assert "Exported the audit log: events, CSV<" in rows
    assert ">Export the audit log<" in rows


def test_too_long_reason_is_refused_at_its_field(client_of):
    response = post(client_of("auditor"), reason="x" * 201)

    assert response.status_code == 422
    assert 'id="id_reason_error"' in response.content.decode()
    assert not AuditEvent.objects.exists()
