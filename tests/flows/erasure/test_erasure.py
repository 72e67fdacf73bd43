"""An erasure removes the data of a flow or an identity and nothing else.

It is one transaction with the event that records it, and the hash chain stays intact.
"""

import uuid

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from flows.audit import verification
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift
from flows.core import database
from flows.erasure import erasure
from flows.erasure.erasure_search import ErasureSearch
from flows.mirror import drift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.search.models import SavedView
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import NEW_FLOW, create_flow, delete_flow, rename_flow
from tests.flows.erasure.recorded_data import NUMBER, SID, erased_seqs, record

pytestmark = pytest.mark.django_db


def test_flow_is_erased_from_its_first_event_to_its_last(sandbox, actor):
    sid = create_flow(
        values={"friendly_name": "Kanari", "contact_identity": "+4923055501"}
    ).event.target_sid
    rename_flow(sid)
    other_sid = create_flow(
        values={"friendly_name": "Other", "contact_identity": "+4923055599"}
    ).event.target_sid

    erased = erasure.erase(sid=sid, actor=actor)

    flow_events = AuditEvent.objects.filter(target_sid__in=["", sid]).exclude(action="audit.erase")
    assert erased.erased_seqs == erased_seqs() == [1, 2, 3, 4]
    # The attempt to create the other flow has no SID either.
    assert set(erased.erased_seqs) < set(flow_events.values_list("seq", flat=True))
    assert (erased.removed_sids, erased.sids_at_twilio) == ([sid], [sid])
    assert list(Flow.objects.values_list("sid", flat=True)) == [other_sid]
    assert verification.verify().bad_seq is None


def test_erased_payload_is_empty(actor):
    payload = {
        "friendly_name": "a", "contact_identity": "b", "before": {"c": "d"}, "requested": {"e": "f"},
        "after": {"g": "h"}, "message": "i",
    }  # fmt: skip
    event = record(actor, **payload)

    erasure.erase(sid=SID, actor=actor)

    stored = AuditPayload.objects.get(pk=event.pk)
    assert {name: getattr(stored, name) for name in ("salt", *payload)} == {
        "salt": "",
        "friendly_name": "",
        "contact_identity": "",
        "before": None,
        "requested": None,
        "after": None,
        "message": "",
    }
    assert stored.erased_at is not None


def test_event_of_an_erasure_names_the_erased_events_but_not_the_value(actor):
    for identity in (NUMBER, "+1", NUMBER, NUMBER):
        record(actor, target_sid="", contact_identity=identity)

    erased = erasure.erase(identity=NUMBER, reason="asked to", actor=actor)

    event = AuditEvent.objects.select_related("payload").get(action="audit.erase")
    assert event == erased.event
    assert (event.stage, event.result, event.reason) == ("access", "succeeded", "asked to")
    assert event.payload.requested == {"events": [[1, 1], [3, 4]], "copies": 0}
    columns = [getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields]
    assert "99000123" not in str([*columns, event.payload.requested, event.payload.message])


def test_erasure_by_flow_is_part_of_the_flows_history(actor):
    record(actor)

    assert erasure.erase(sid=SID, actor=actor).event.target_sid == SID


@pytest.mark.parametrize("values", [
    {"friendly_name": f"Call {NUMBER}"},
    {"contact_identity": f"whatsapp:{NUMBER}"},
    {"before": {"contact_identity": NUMBER}},
    {"requested": {"note": "to=%2B33199000123"}},
    {"after": {"new": {"deep": ["+33 199 000 123"]}}},
    {"message": f"'{NUMBER}' is taken"},
], ids=lambda values: next(iter(values)))  # fmt: skip
def test_identity_is_erased_from_each_part_of_a_payload(actor, values):
    record(actor, target_sid="", contact_identity="+3319900012")
    record(actor, target_sid="", **values)
    record(actor, target_sid="", contact_identity="+331990001234")

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert erased.erased_seqs == erased_seqs() == [2]
    assert erased.possible_seqs == [3]  # a longer number, which belongs to another contact


def test_note_with_the_trunk_zero_of_the_identity_is_erased(actor):
    record(actor, target_sid="", requested={"note": "Call +44 (0)20 7946 0000 first"})

    erased = erasure.erase(identity="+442079460000", actor=actor)

    assert erased.erased_seqs == erased_seqs() == [1]


@pytest.mark.parametrize("values", [
    {"contact_identity": NUMBER},
    {"before": {"contact_identity": NUMBER}},
    {"requested": {"contact_identity": NUMBER}},
    {"after": {"contact_identity": f"whatsapp:{NUMBER}"}},
], ids=lambda values: next(iter(values)))  # fmt: skip
def test_flow_that_ever_had_the_identity_is_erased_completely(actor, values):
    record(actor, friendly_name="Before it had the number")
    record(actor, **values)
    record(actor, friendly_name="After it had the number")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2, 3]


def test_flow_that_only_mentions_the_identity_keeps_its_other_events(actor):
    record(actor, friendly_name="Something else")
    record(actor, friendly_name=f"Instead of {NUMBER}")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [2]


def test_flow_with_the_identity_only_in_the_mirror_is_erased_completely(flow_sid, actor):
    AuditPayload.objects.update(contact_identity="", after=None)
    record(actor, target_sid=flow_sid, friendly_name="Of that flow")

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert erased.erased_seqs == [1, 2]
    assert not Flow.objects.exists()


def test_mirrored_flow_that_only_mentions_the_identity_is_removed(sandbox, actor):
    sandbox.add_flow(friendly_name=f"Instead of {NUMBER}", contact_identity="+331")
    sandbox.add_flow(friendly_name="Other", contact_identity="+332")
    sync_account(ACCOUNT)

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert len(erased.removed_sids) == 1
    assert Flow.objects.get().friendly_name == "Other"


def test_both_events_of_a_failed_creation_are_erased(sandbox, actor):
    sandbox.inject(Fault(FaultKind.REFUSE, status=400, code=20001, method="POST"))
    create_flow(values={"contact_identity": NUMBER})

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


def test_all_events_of_a_creation_with_the_identity_are_erased(actor):
    change = {"action": "flow.create", "target_sid": "", "change_id": uuid.uuid4()}
    record(
        actor, **change, stage="attempt", result="pending", requested={"contact_identity": NUMBER}
    )
    record(actor, **change, friendly_name="Kanari", result="failed")
    record(actor, target_sid="", friendly_name="Other")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


def test_search_text_of_an_export_is_erased(actor):
    requested = {"format": "csv", "filters": {"q": NUMBER}, "after": 0, "through": 1}
    record(actor, action="audit.export", stage="access", target_sid="", requested=requested)

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1]


def test_flow_deleted_at_twilio_is_not_restored_by_a_sync(sandbox, flow_sid, actor):
    delete_flow(flow_sid)

    erased = erasure.erase(sid=flow_sid, actor=actor)
    sync_account(ACCOUNT)

    assert (erased.removed_sids, erased.sids_at_twilio) == ([flow_sid], [])
    assert not Flow.objects.exists()


def test_flow_that_twilio_still_has_gets_a_new_baseline(sandbox, flow_sid, actor):
    erased = erasure.erase(sid=flow_sid, actor=actor)
    assert not drift.last_recorded_states([flow_sid])[flow_sid].is_known

    sync_account(ACCOUNT)

    assert erased.sids_at_twilio == [flow_sid]
    assert Flow.objects.get().sid == flow_sid
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == [
        "flow.baseline", "audit.erase", "flow.baseline",
    ]  # fmt: skip
    assert not OpenDrift.objects.exists()


def test_erased_external_change_is_removed_from_the_inbox(sandbox, flow_sid, actor):
    other_sid = sandbox.add_flow(friendly_name="Created outside")
    sandbox.edit_flow(flow_sid, friendly_name="Kanari")
    sync_account(ACCOUNT)

    erasure.erase(sid=flow_sid, actor=actor)

    assert list(OpenDrift.objects.values_list("target_sid", flat=True)) == [other_sid]


def test_event_of_an_erasure_is_never_erased(actor):
    record(actor)
    erasure.erase(sid=SID, actor=actor)
    record(actor)

    erased = erasure.erase(sid=SID, actor=actor)

    assert erased.erased_seqs == [3]
    assert verification.verify().bad_seq is None


def test_event_appended_during_the_search_is_erased(actor, monkeypatch):
    record(actor, contact_identity=NUMBER)
    scan_events = ErasureSearch.scan_events
    late_events = []

    def scan_then_record(self, through):
        scan_events(self, through)
        if not late_events:
            late_events.append(record(actor, target_sid="", message=f"about {NUMBER}"))

    monkeypatch.setattr(ErasureSearch, "scan_events", scan_then_record)

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_many_events_are_erased_in_batches(actor, monkeypatch, batch_size):
    monkeypatch.setattr(database, "BATCH_SIZE", batch_size)
    for _ in range(6):
        record(actor, contact_identity=NUMBER, change_id=uuid.uuid4())

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert erased.erased_seqs == erased_seqs() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("step", ["event", "payload", "mirror"])
def test_failed_erasure_changes_nothing(flow_sid, actor, monkeypatch, step):
    def fail(*_args, **_kwargs):
        raise DatabaseError

    if step == "event":
        monkeypatch.setattr(AuditEvent, "save", fail)
    elif step == "payload":
        monkeypatch.setattr(AuditPayload, "save", fail)
    else:
        monkeypatch.setattr(OpenDrift.objects, "filter", fail)

    with pytest.raises(NotRecorded):
        erasure.erase(sid=flow_sid, actor=actor)

    monkeypatch.undo()
    assert erased_seqs() == []
    assert Flow.objects.count() == AuditEvent.objects.count() == 1
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize("events", [0, 1])
def test_pending_messages_are_removed_from_sessions(actor, events):
    for _ in range(events):
        record(actor, friendly_name="Kanari")
    session = SessionStore()
    session.update(
        {"_messages": '[["__json_message",0,25,"“Kanari” is off"]]', "_auth_user_id": "7"}
    )
    session.save()
    other_session = SessionStore()
    other_session.update({"_auth_user_id": "8"})
    other_session.save()
    before = Session.objects.get(pk=other_session.session_key).session_data

    erasure.erase(identity="Kanari", actor=actor)

    assert Session.objects.get(pk=session.session_key).get_decoded() == {"_auth_user_id": "7"}
    assert Session.objects.get(pk=other_session.session_key).session_data == before


@pytest.mark.parametrize(("seqs", "expected"), [
    ([], []), ([1], [[1, 1]]), ([1, 2, 3], [[1, 3]]), ([1, 3, 4, 9], [[1, 1], [3, 4], [9, 9]]),
])  # fmt: skip
def test_seqs_are_grouped_into_ranges(seqs, expected):
    assert erasure.seq_ranges(seqs) == expected


def test_flow_with_the_name_of_an_erased_flow_can_be_created(sandbox, actor):
    sid = create_flow().event.target_sid
    delete_flow(sid, base={"friendly_name": NEW_FLOW["friendly_name"]})
    erasure.erase(sid=sid, actor=actor)

    assert create_flow().event.result == "succeeded"
    assert verification.verify().bad_seq is None


def test_saved_views_with_the_identity_are_deleted(person, sandbox, flow_sid, actor):
    omar = person("operator")
    for name, query in (
        ("Mrs +33 199 000 123", "q=x"),
        ("B", "q=%2B33199000123&channel=sms"),
        ("C", "q=other"),
    ):
        SavedView.objects.create(person=omar, name=name, query=query)

    erasure.erase(identity=NUMBER, actor=actor)

    assert [view.name for view in SavedView.objects.all()] == ["C"]
