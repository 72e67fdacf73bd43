"""Erasure takes what it should and nothing else, in one step with its event, and the chain still verifies."""

import uuid

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from flows.audit import audit_log, verification
from flows.audit.audit_log import NotRecorded, Payload
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, OpenDrift
from flows.changes import reconcile
from flows.core import database
from flows.erasure import erasure
from flows.erasure.erasure_search import ErasureSearch
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.search.models import SavedView
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import NEW_FLOW, create_flow, delete_flow, rename_flow

pytestmark = pytest.mark.django_db

NUMBER = "+33199000123"  # of the fixture's flow
SID = "FO" + "1" * 32


def record(actor, **values):
    said = {
        "action": "flow.update",
        "stage": "outcome",
        "result": "succeeded",
        "target_sid": SID,
        **values,
    }
    about = {name: said.pop(name) for name in list(said) if name in Payload.__dataclass_fields__}
    return audit_log.append(actor=actor, payload=Payload(**about), **said)


def erased_seqs():
    return list(
        AuditPayload.objects.exclude(erased_at=None).order_by("pk").values_list("pk", flat=True)
    )


def test_flow_is_erased_from_its_first_event_to_its_last(sandbox, actor):
    made = create_flow(
        values={"friendly_name": "Kanari", "contact_identity": "+4923055501"}
    ).event.target_sid
    rename_flow(made)
    other = create_flow(
        values={"friendly_name": "Other", "contact_identity": "+4923055599"}
    ).event.target_sid

    erased = erasure.erase(sid=made, actor=actor)

    ours = list(
        AuditEvent.objects.filter(target_sid__in=["", made])
        .exclude(action="audit.erase")
        .values_list("seq", flat=True)
    )
    assert erased.erased_seqs == erased_seqs() == [1, 2, 3, 4]
    assert set(erased.erased_seqs) < set(ours)  # the attempt to make the other has no SID either
    assert (erased.removed_sids, erased.sids_at_twilio) == ([made], [made])
    assert list(Flow.objects.values_list("sid", flat=True)) == [other]
    assert verification.verify().bad_seq is None


def test_erased_payload_is_empty(actor):
    everything = {
        "friendly_name": "a", "contact_identity": "b", "before": {"c": "d"}, "requested": {"e": "f"},
        "after": {"g": "h"}, "message": "i",
    }  # fmt: skip
    event = record(actor, **everything)

    erasure.erase(sid=SID, actor=actor)

    body = AuditPayload.objects.get(pk=event.pk)
    assert [getattr(body, name) for name in ("salt", *everything)] == [
        "",
        "",
        "",
        None,
        None,
        None,
        "",
    ]
    assert body.erased_at is not None


def test_erasure_is_an_event_that_names_the_events_and_not_the_value(actor):
    for identity in (NUMBER, "+1", NUMBER, NUMBER):
        record(actor, target_sid="", contact_identity=identity)

    erased = erasure.erase(identity=NUMBER, reason="asked to", actor=actor)

    event = AuditEvent.objects.select_related("payload").get(action="audit.erase")
    assert event == erased.event
    assert (event.stage, event.result, event.reason) == ("access", "succeeded", "asked to")
    assert event.payload.requested == {"events": [[1, 1], [3, 4]], "copies": 0}
    said = [getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields]
    assert "99000123" not in str([*said, event.payload.requested, event.payload.message])


def test_erasure_by_flow_stands_in_the_flows_history(actor):
    record(actor)

    assert erasure.erase(sid=SID, actor=actor).event.target_sid == SID


@pytest.mark.parametrize("where", [
    {"friendly_name": f"Call {NUMBER}"},
    {"contact_identity": f"whatsapp:{NUMBER}"},
    {"before": {"contact_identity": NUMBER}},
    {"requested": {"note": "to=%2B33199000123"}},
    {"after": {"new": {"deep": ["+33 199 000 123"]}}},
    {"message": f"'{NUMBER}' is taken"},
], ids=lambda where: next(iter(where)))  # fmt: skip
def test_identity_is_erased_wherever_it_is_mentioned(actor, where):
    record(actor, target_sid="", contact_identity="+3319900012")
    record(actor, target_sid="", **where)
    record(actor, target_sid="", contact_identity="+331990001234")

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert erased.erased_seqs == erased_seqs() == [2]
    assert erased.possible_seqs == [3]  # a longer number, which is somebody else's


@pytest.mark.parametrize("where", [
    {"contact_identity": NUMBER},
    {"before": {"contact_identity": NUMBER}},
    {"requested": {"contact_identity": NUMBER}},
    {"after": {"contact_identity": f"whatsapp:{NUMBER}"}},
], ids=lambda where: next(iter(where)))  # fmt: skip
def test_flow_that_ever_had_the_identity_is_erased_whole(actor, where):
    record(actor, friendly_name="Before it had the number")
    record(actor, **where)
    record(actor, friendly_name="After it had the number")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2, 3]


def test_flow_that_only_mentions_the_identity_keeps_its_other_events(actor):
    record(actor, friendly_name="Something else")
    record(actor, friendly_name=f"Instead of {NUMBER}")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [2]


def test_flow_that_has_the_identity_in_the_copy_alone_is_erased_whole(flow_sid, actor):
    AuditPayload.objects.update(contact_identity="", after=None)
    record(actor, target_sid=flow_sid, friendly_name="Of that flow")

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert erased.erased_seqs == [1, 2]
    assert not Flow.objects.exists()


def test_copy_that_only_mentions_the_identity_goes_too(sandbox, actor):
    sandbox.add_flow(friendly_name=f"Instead of {NUMBER}", contact_identity="+331")
    sandbox.add_flow(friendly_name="Other", contact_identity="+332")
    mirror.sync(ACCOUNT)

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert len(erased.removed_sids) == 1
    assert Flow.objects.get().friendly_name == "Other"


def test_both_events_of_a_creation_that_failed_are_erased(sandbox, actor):
    sandbox.inject(Fault(FaultKind.REFUSE, status=400, code=20001, method="POST"))
    create_flow(values={"contact_identity": NUMBER})

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


def test_all_events_of_a_creation_that_would_have_had_it_are_erased(actor):
    change = {"action": "flow.create", "target_sid": "", "change_id": uuid.uuid4()}
    record(
        actor, **change, stage="attempt", result="pending", requested={"contact_identity": NUMBER}
    )
    record(actor, **change, friendly_name="Kanari", result="failed")
    record(actor, target_sid="", friendly_name="Other")

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


def test_what_was_searched_for_in_an_export_is_erased(actor):
    requested = {"format": "csv", "filters": {"q": NUMBER}, "after": 0, "through": 1}
    record(actor, action="audit.export", stage="access", target_sid="", requested=requested)

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1]


def test_flow_that_is_gone_from_twilio_does_not_come_back(sandbox, flow_sid, actor):
    delete_flow(flow_sid)

    erased = erasure.erase(sid=flow_sid, actor=actor)
    mirror.sync(ACCOUNT)

    assert (erased.removed_sids, erased.sids_at_twilio) == ([flow_sid], [])
    assert not Flow.objects.exists()


def test_flow_that_twilio_still_has_comes_back_as_a_new_baseline(sandbox, flow_sid, actor):
    erased = erasure.erase(sid=flow_sid, actor=actor)
    assert not drift.last_recorded_states([flow_sid])[flow_sid].is_known

    mirror.sync(ACCOUNT)

    assert erased.sids_at_twilio == [flow_sid]
    assert Flow.objects.get().sid == flow_sid
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == [
        "flow.baseline", "audit.erase", "flow.baseline",
    ]  # fmt: skip
    assert not OpenDrift.objects.exists()


def test_drift_that_was_erased_leaves_the_inbox(sandbox, flow_sid, actor):
    other = sandbox.add_flow(friendly_name="Made elsewhere")
    sandbox.edit_flow(flow_sid, friendly_name="Kanari")
    mirror.sync(ACCOUNT)

    erasure.erase(sid=flow_sid, actor=actor)

    assert list(OpenDrift.objects.values_list("target_sid", flat=True)) == [other]


@pytest.mark.parametrize("kind", ["flow", "identity"])
def test_nothing_is_erased_while_a_change_is_open(sandbox, flow_sid, actor, kind):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    lost = rename_flow(flow_sid).event
    which = {"sid": flow_sid} if kind == "flow" else {"identity": NUMBER}

    with pytest.raises(erasure.BlockedByOpenChange) as raised:
        erasure.erase(**which, actor=actor)

    assert raised.value.event == lost
    assert (erased_seqs(), Flow.objects.count()) == ([], 1)

    reconcile.reconcile()

    assert erasure.erase(**which, actor=actor).erased_seqs
    assert verification.verify().bad_seq is None


def test_open_change_of_another_flow_is_not_in_the_way(sandbox, flow_sid, actor):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)
    record(actor)

    assert erasure.erase(sid=SID, actor=actor).erased_seqs == [4]
    assert OpenChange.objects.count() == 1


@pytest.mark.parametrize("reason", [f"{NUMBER} asked", "+33 199 000 123", "whatsapp:+33199000123"])
def test_reason_must_not_tell_what_is_erased(actor, reason):
    record(actor, contact_identity=NUMBER)

    with pytest.raises(erasure.ReasonMentionsData):
        erasure.erase(identity=NUMBER, reason=reason, actor=actor)

    assert erased_seqs() == []


def test_reason_must_not_tell_the_flows_name(actor):
    record(actor, friendly_name="Kanari")

    with pytest.raises(erasure.ReasonMentionsData):
        erasure.erase(sid=SID, reason="Kanari is leaving", actor=actor)


def test_sealed_columns_that_mention_it_are_told(actor):
    record(actor, target_sid="", reason=f"{NUMBER} wants it")
    record(actor, target_sid="", reason="else")
    audit_log.append(
        action="flow.update",
        stage="access",
        result="denied",
        actor=audit_log.Actor(id="1", label=f"tel {NUMBER}"),
    )

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert (erased.unerasable_seqs, erased.event) == ([1, 3], None)


def test_reason_of_an_earlier_erasure_that_mentions_it_is_told(actor):
    record(actor, friendly_name="Kanari")
    record(actor, target_sid="", contact_identity=NUMBER)
    erasure.erase(sid=SID, reason=f"moves to {NUMBER}", actor=actor)

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert (erased.erased_seqs, erased.unerasable_seqs) == ([2], [3])


def test_record_of_an_earlier_erasure_stays_whatever_is_looked_for(actor):
    record(actor, friendly_name="Kanari")
    erasure.erase(sid=SID, actor=actor)

    assert erasure.erase(identity="contents", actor=actor).event is None


def test_erasure_by_flow_tells_where_else_its_name_and_identity_are(actor):
    record(actor, friendly_name="Kanari", after={"contact_identity": NUMBER})
    record(actor, target_sid="", requested={"friendly_name": "Kanari"})
    record(actor, target_sid="FO2", contact_identity=NUMBER)
    record(actor, target_sid="FO3", reason="like Kanari")
    record(actor, target_sid="FO3", friendly_name="Kanarien")

    erased = erasure.erase(sid=SID, actor=actor)

    assert (erased.erased_seqs, erased.possible_seqs, erased.unerasable_seqs) == ([1], [2, 3], [4])


def test_second_erasure_finds_nothing_and_leaves_no_event(actor):
    record(actor, contact_identity=NUMBER)
    first = erasure.erase(identity=NUMBER, actor=actor)

    second = erasure.erase(identity=NUMBER, actor=actor)

    assert (first.erased_seqs, second.event, second.erased_seqs) == ([1], None, [])
    assert AuditEvent.objects.count() == 2


def test_erasures_themselves_are_never_erased(actor):
    record(actor)
    erasure.erase(sid=SID, actor=actor)
    record(actor)

    erased = erasure.erase(sid=SID, actor=actor)

    assert erased.erased_seqs == [3]
    assert verification.verify().bad_seq is None


def test_what_is_appended_during_the_search_is_erased_too(actor, monkeypatch):
    record(actor, contact_identity=NUMBER)
    scan_events, calls = ErasureSearch.scan_events, []

    def slow(self, through):
        scan_events(self, through)
        if not calls:
            calls.append(record(actor, target_sid="", message=f"about {NUMBER}"))

    monkeypatch.setattr(ErasureSearch, "scan_events", slow)

    assert erasure.erase(identity=NUMBER, actor=actor).erased_seqs == [1, 2]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_many_events_are_erased_in_batches(actor, monkeypatch, batch):
    monkeypatch.setattr(database, "BATCH_SIZE", batch)
    for _ in range(6):
        record(actor, contact_identity=NUMBER, change_id=uuid.uuid4())

    assert (
        erasure.erase(identity=NUMBER, actor=actor).erased_seqs
        == erased_seqs()
        == [1, 2, 3, 4, 5, 6]
    )


@pytest.mark.parametrize("step", ["event", "payload", "copy"])
def test_erasure_that_breaks_off_leaves_everything_as_it_was(flow_sid, actor, monkeypatch, step):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    if step == "event":
        monkeypatch.setattr(AuditEvent, "save", broken)
    elif step == "payload":
        monkeypatch.setattr(AuditPayload, "save", broken)
    else:
        monkeypatch.setattr(OpenDrift.objects, "filter", broken)

    with pytest.raises(NotRecorded):
        erasure.erase(sid=flow_sid, actor=actor)

    monkeypatch.undo()
    assert erased_seqs() == []
    assert Flow.objects.count() == AuditEvent.objects.count() == 1
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize("events", [0, 1])
def test_messages_that_wait_in_sessions_are_forgotten(actor, events):
    for _ in range(events):
        record(actor, friendly_name="Kanari")
    waiting = SessionStore()
    waiting.update(
        {"_messages": '[["__json_message",0,25,"“Kanari” is off"]]', "_auth_user_id": "7"}
    )
    waiting.save()
    other = SessionStore()
    other.update({"_auth_user_id": "8"})
    other.save()
    before = Session.objects.get(pk=other.session_key).session_data

    erasure.erase(identity="Kanari", actor=actor)

    assert Session.objects.get(pk=waiting.session_key).get_decoded() == {"_auth_user_id": "7"}
    assert Session.objects.get(pk=other.session_key).session_data == before


@pytest.mark.parametrize(("seqs", "expected"), [
    ([], []), ([1], [[1, 1]]), ([1, 2, 3], [[1, 3]]), ([1, 3, 4, 9], [[1, 1], [3, 4], [9, 9]]),
])  # fmt: skip
def test_ranges(seqs, expected):
    assert erasure.seq_ranges(seqs) == expected


def test_new_flow_with_the_name_of_an_erased_one_can_be_made(sandbox, actor):
    sid = create_flow().event.target_sid
    delete_flow(sid, base={"friendly_name": NEW_FLOW["friendly_name"]})
    erasure.erase(sid=sid, actor=actor)

    assert create_flow().event.result == "succeeded"
    assert verification.verify().bad_seq is None


def test_searches_that_people_keep_are_erased_too(person, sandbox, flow_sid, actor):
    omar = person("operator")
    for name, query in (
        ("Mrs +33 199 000 123", "q=x"),
        ("B", "q=%2B33199000123&channel=sms"),
        ("C", "q=other"),
    ):
        SavedView.objects.create(person=omar, name=name, query=query)

    erasure.erase(identity=NUMBER, actor=actor)

    assert [view.name for view in SavedView.objects.all()] == ["C"]
