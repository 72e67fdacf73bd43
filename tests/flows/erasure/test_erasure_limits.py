"""Erasures that are refused, and events that are reported instead of erased."""

import pytest

from flows.audit import audit_log, verification
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile
from flows.erasure import erasure
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import rename_flow
from tests.flows.erasure.recorded_data import NUMBER, SID, erased_seqs, record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["flow", "identity"])
def test_nothing_is_erased_while_a_change_is_open(sandbox, flow_sid, actor, kind):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    unknown_event = rename_flow(flow_sid).event
    subject = {"sid": flow_sid} if kind == "flow" else {"identity": NUMBER}

    with pytest.raises(erasure.BlockedByOpenChange) as raised:
        erasure.erase(**subject, actor=actor)

    assert raised.value.event == unknown_event
    assert (erased_seqs(), Flow.objects.count()) == ([], 1)

    reconcile.reconcile()

    assert erasure.erase(**subject, actor=actor).erased_seqs
    assert verification.verify().bad_seq is None


def test_open_change_of_another_flow_does_not_prevent_an_erasure(sandbox, flow_sid, actor):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)
    record(actor)

    assert erasure.erase(sid=SID, actor=actor).erased_seqs == [4]
    assert OpenChange.objects.count() == 1


@pytest.mark.parametrize("reason", [f"{NUMBER} asked", "+33 199 000 123", "whatsapp:+33199000123"])
def test_reason_must_not_contain_the_identity(actor, reason):
    record(actor, contact_identity=NUMBER)

    with pytest.raises(erasure.ReasonMentionsData):
        erasure.erase(identity=NUMBER, reason=reason, actor=actor)

    assert erased_seqs() == []


def test_reason_must_not_contain_the_flows_name(actor):
    record(actor, friendly_name="Kanari")

    with pytest.raises(erasure.ReasonMentionsData):
        erasure.erase(sid=SID, reason="Kanari is leaving", actor=actor)


def test_events_with_the_identity_in_hashed_columns_are_reported(actor):
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


def test_earlier_erasure_with_the_identity_in_its_reason_is_reported(actor):
    record(actor, friendly_name="Kanari")
    record(actor, target_sid="", contact_identity=NUMBER)
    erasure.erase(sid=SID, reason=f"moves to {NUMBER}", actor=actor)

    erased = erasure.erase(identity=NUMBER, actor=actor)

    assert (erased.erased_seqs, erased.unerasable_seqs) == ([2], [3])


def test_event_of_an_earlier_erasure_is_never_a_match(actor):
    record(actor, friendly_name="Kanari")
    erasure.erase(sid=SID, actor=actor)

    assert erasure.erase(identity="contents", actor=actor).event is None


def test_erasure_by_flow_reports_other_events_with_its_name_or_identity(actor):
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
