"""Exports are complete, logged before they start, and safe to open in a spreadsheet."""

import csv
import io
import json

import pytest
from django.db import DatabaseError

from flows.audit import audit_log, export
from flows.audit.audit_log import NotRecorded, Payload
from flows.audit.models import AuditEvent, AuditPayload
from flows.erasure import erasure

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(actor):
    """Log nine events."""
    for number in range(9):
        audit_log.append(
            action="flow.update", stage="outcome", result="succeeded", actor=actor, target_sid=f"FO{number}",
            payload=Payload(friendly_name=f"Ünï {number}", before={"enabled": True}, after={"enabled": None}),
        )  # fmt: skip


def start_export(actor, **values):
    return export.start_export(**{"form": "ndjson", "actor": actor, **values})


def seqs(one):
    return [row["seq"] for row in one.rows()]


def cells(one):
    return list(
        csv.DictReader(io.StringIO("".join(one.lines()).removeprefix("\ufeff"), newline=""))
    )


@pytest.mark.parametrize("batch", [1, 2, 5, 10, 500])
def test_export_is_complete_and_ends_with_its_own_event(log, actor, monkeypatch, batch):
    monkeypatch.setattr(export, "BATCH_SIZE", batch)

    rows = list(start_export(actor).rows())

    assert [row["seq"] for row in rows] == list(range(1, 11))
    assert (rows[0]["friendly_name"], rows[0]["after"]) == ("Ünï 0", {"enabled": None})
    assert rows[9]["action"] == "audit.export"


def test_export_is_resumed_without_a_gap_or_a_duplicate(log, actor):
    first = start_export(actor)
    audit_log.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    second = start_export(actor, after=first.through)

    assert seqs(first) + seqs(second) == list(range(1, 13))


def test_export_ends_at_the_end_of_the_log_at_its_start(log, actor, monkeypatch):
    monkeypatch.setattr(export, "BATCH_SIZE", 2)
    seqs_read = []

    for row in start_export(actor).rows():
        audit_log.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)
        seqs_read.append(row["seq"])

    assert seqs_read == list(range(1, 11))


def test_export_after_the_end_has_only_its_own_event(log, actor):
    assert seqs(start_export(actor, after=9)) == [10]
    assert seqs(start_export(actor, after=1000)) == []


def test_filtered_export(log, actor):
    part = start_export(
        actor, filters={"sid": "FO3"}, events=lambda: AuditEvent.objects.filter(target_sid="FO3")
    )

    assert seqs(part) == [4]


def test_export_selects_its_events_while_the_log_is_locked(log, actor):
    """Filters by open changes must hold at the export's own event."""
    seqs_read = []

    def events():
        seqs_read.append(audit_log.last_seq())
        return AuditEvent.objects.all()

    one = start_export(actor, events=events)

    assert seqs_read == [one.through - 1]


def test_export_is_logged_with_its_filters(log, actor):
    start_export(actor, form="csv", after=3, filters={"q": "+33199000123"})

    event = AuditEvent.objects.get(action="audit.export")
    assert (event.stage, event.result, event.actor_label) == ("access", "succeeded", actor.label)
    # The search text is only in the payload, where it can be erased.
    assert event.reason == ""
    assert event.payload.requested == {
        "format": "csv", "content": "every event", "filters": {"q": "+33199000123"}, "after": 3,
        "through": event.seq,
    }  # fmt: skip


def test_export_that_cannot_be_recorded_fails(log, actor, monkeypatch):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditPayload, "save", broken)

    with pytest.raises(NotRecorded):
        start_export(actor)


def test_ndjson_has_one_event_a_line(log, actor):
    lines = [json.loads(line) for line in start_export(actor).lines()]

    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert set(lines[0]) == set(export.EXPORT_FIELDS)
    assert {"before", "requested", "after", "refers_to", "hash"} <= set(lines[0])


def test_csv_begins_with_a_byte_order_mark_for_spreadsheets_and_ndjson_does_not(log, actor):
    csv_text, ndjson = (
        "".join(start_export(actor, form=form).lines()) for form in ("csv", "ndjson")
    )

    assert csv_text.startswith("\ufeffseq,")
    assert csv_text.count("\ufeff") == 1
    assert ndjson.startswith("{")


def test_csv_has_a_header_and_one_event_a_row(log, actor):
    rows = cells(start_export(actor, form="csv"))

    assert [row["seq"] for row in rows] == [str(seq) for seq in range(1, 11)]
    assert list(rows[0]) == list(export.EXPORT_FIELDS)
    assert (rows[0]["after"], rows[0]["requested"]) == ('{"enabled": null}', "")


def test_export_marks_erased_payloads(log, actor):
    erasure.erase(identity="Ünï 4", actor=actor)

    rows = list(start_export(actor).rows())

    assert [row["seq"] for row in rows if row["erased_at"]] == [5]
    assert rows[4]["friendly_name"] == ""


@pytest.mark.parametrize("name", [
    "=1+1", "+14155550100", "-2", "@x", "\tx", "\rx", "\nx", " =1", "\u00a0=1", '"=1', "'=1", "\ufeff=1",
    "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", ' "\uff1d1',
], ids=ascii)  # fmt: skip
def test_csv_cells_are_not_formulas(actor, name):
    audit_log.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        payload=Payload(friendly_name=name),
    )

    assert cells(start_export(actor, form="csv"))[0]["friendly_name"] == "'" + name


@pytest.mark.parametrize(
    "name", ["Sommer", " a=b", "1-2", "'", "", "a@b.example", "{=}"], ids=ascii
)
def test_harmless_csv_cells_are_unchanged(actor, name):
    audit_log.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        payload=Payload(friendly_name=name),
    )

    assert cells(start_export(actor, form="csv"))[0]["friendly_name"] == name
