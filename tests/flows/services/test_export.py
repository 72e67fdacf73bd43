"""Exports are whole, on record before they begin, and harmless to a spreadsheet."""

import csv
import io
import json

import pytest
from django.db import DatabaseError

from flows.models import AuditEvent, AuditPayload
from flows.services import audit, erasure, export
from flows.services.audit import NotRecorded, Payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(actor):
    """Nine events on record."""
    for number in range(9):
        audit.append(
            action="flow.update", stage="outcome", result="succeeded", actor=actor, target_sid=f"FO{number}",
            payload=Payload(friendly_name=f"Ünï {number}", before={"enabled": True}, after={"enabled": None}),
        )  # fmt: skip


def begun(actor, **values):
    return export.begin(**{"form": "ndjson", "actor": actor, **values})


def seqs(one):
    return [row["seq"] for row in one.rows()]


def cells(one):
    return list(csv.DictReader(io.StringIO("".join(one.lines()).removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("batch", [1, 2, 5, 10, 500])
def test_export_is_whole_and_ends_with_its_own_record(log, actor, monkeypatch, batch):
    monkeypatch.setattr(export, "BATCH", batch)

    rows = list(begun(actor).rows())

    assert [row["seq"] for row in rows] == list(range(1, 11))
    assert (rows[0]["friendly_name"], rows[0]["after"]) == ("Ünï 0", {"enabled": None})
    assert rows[9]["action"] == "audit.export"


def test_export_is_resumed_without_a_gap_or_a_duplicate(log, actor):
    first = begun(actor)
    audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    second = begun(actor, after=first.through)

    assert seqs(first) + seqs(second) == list(range(1, 13))


def test_export_ends_where_the_log_did_at_its_start(log, actor, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    seen = []

    for row in begun(actor).rows():
        audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)
        seen.append(row["seq"])

    assert seen == list(range(1, 11))


def test_export_after_the_end_is_its_own_record_alone(log, actor):
    assert seqs(begun(actor, after=9)) == [10]
    assert seqs(begun(actor, after=1000)) == []


def test_export_of_a_part(log, actor):
    part = begun(actor, filters={"sid": "FO3"}, events=lambda: AuditEvent.objects.filter(target_sid="FO3"))

    assert seqs(part) == [4]


def test_export_asks_for_its_events_under_the_logs_lock(log, actor):
    """So that what counts as open is told as of the export's own event."""
    seen = []

    def events():
        seen.append(audit.last_seq())
        return AuditEvent.objects.all()

    one = begun(actor, events=events)

    assert seen == [one.through - 1]


def test_export_is_on_record_with_what_was_asked(log, actor):
    begun(actor, form="csv", after=3, filters={"q": "+33199000123"})

    event = AuditEvent.objects.get(action="audit.export")
    assert (event.stage, event.result, event.actor_label) == ("access", "succeeded", actor.label)
    assert event.reason == "csv, filtered events after 3"  # what was searched for can be erased
    assert event.payload.requested == {
        "format": "csv", "filters": {"q": "+33199000123"}, "after": 3, "through": event.seq,
    }  # fmt: skip


def test_export_that_cannot_be_recorded_is_none(log, actor, monkeypatch):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditPayload, "save", broken)

    with pytest.raises(NotRecorded):
        begun(actor)


def test_ndjson_has_one_event_a_line(log, actor):
    lines = [json.loads(line) for line in begun(actor).lines()]

    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert set(lines[0]) == set(export.EXPORTED)
    assert {"before", "requested", "after", "refers_to", "hash"} <= set(lines[0])


def test_csv_begins_with_a_byte_order_mark_for_spreadsheets_and_ndjson_does_not(log, actor):
    csv_text, ndjson = ("".join(begun(actor, form=form).lines()) for form in ("csv", "ndjson"))

    assert csv_text.startswith("\ufeffseq,")
    assert csv_text.count("\ufeff") == 1
    assert ndjson.startswith("{")


def test_csv_has_a_header_and_one_event_a_row(log, actor):
    rows = cells(begun(actor, form="csv"))

    assert [row["seq"] for row in rows] == [str(seq) for seq in range(1, 11)]
    assert list(rows[0]) == list(export.EXPORTED)
    assert (rows[0]["after"], rows[0]["requested"]) == ('{"enabled": null}', "")


def test_export_says_what_was_erased(log, actor):
    erasure.erase(identity="Ünï 4", actor=actor)

    rows = list(begun(actor).rows())

    assert [row["seq"] for row in rows if row["erased_at"]] == [5]
    assert rows[4]["friendly_name"] == ""


@pytest.mark.parametrize("name", [
    "=1+1", "+14155550100", "-2", "@x", "\tx", "\rx", "\nx", " =1", "\u00a0=1", '"=1', "'=1", "\ufeff=1",
    "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", ' "\uff1d1',
], ids=ascii)  # fmt: skip
def test_csv_cells_are_no_formulas(actor, name):
    audit.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        payload=Payload(friendly_name=name),
    )

    assert cells(begun(actor, form="csv"))[0]["friendly_name"] == "'" + name


@pytest.mark.parametrize("name", ["Sommer", " a=b", "1-2", "'", "", "a@b.example", "{=}"], ids=ascii)
def test_csv_cells_that_are_harmless_stay(actor, name):
    audit.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        payload=Payload(friendly_name=name),
    )

    assert cells(begun(actor, form="csv"))[0]["friendly_name"] == name
