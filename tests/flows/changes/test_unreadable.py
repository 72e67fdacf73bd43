"""Decisions by a user where Twilio refuses reads. Each reconciliation reads again."""

import uuid
from dataclasses import replace

import pytest

from flows.audit import verification
from flows.audit.models import AuditEvent, OpenChange
from flows.availability.models import Closure
from flows.changes import in_flight, reconcile, unknown_outcomes
from flows.changes.reconcile import NotAmbiguous
from flows.erasure import erasure
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    append_attempt,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    received_writes,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db

LOSE = {"update": rename_flow, "switch": switch_flow, "delete": delete_flow}


def refuse(sandbox, status=403, code=20003, **where):
    sandbox.inject(
        Fault(FaultKind.REFUSE, method="GET", times=None, status=status, code=code, **where)
    )


def lose(sandbox, act, *arguments, kind=FaultKind.APPLY_THEN_DROP, **more):
    method = "DELETE" if act is delete_flow else "POST"
    sandbox.inject(Fault(kind, method=method, times=4 if act is delete_flow else 1))
    return act(*arguments, **more).event


def reconciled():
    """Reconcile, and return True if Twilio could not be read."""
    try:
        reconcile.reconcile()
    except FlexError:
        return False
    return True


def decide(**fields):
    change = OpenChange.objects.select_related("attempt__payload").get()
    return reconcile.resolve_manually(
        change=change, reason="Seen in the Console", actor=OMAR, **fields
    )


@pytest.mark.parametrize("verb", LOSE)
@pytest.mark.parametrize("applied", [True, False])
def test_user_decides_while_every_read_is_refused(sandbox, flow_sid, verb, applied):
    lose(sandbox, LOSE[verb], flow_sid, kind=FaultKind.DROP)
    refuse(sandbox)

    assert not reconciled()

    change = OpenChange.objects.get()
    assert change.is_unreadable
    assert change.ambiguity == "Twilio refuses to show the flow (status 403, code 20003)."
    event = decide(applied=applied)
    assert (event.result, event.reason) == (
        "applied" if applied else "not_applied",
        "Seen in the Console",
    )
    assert event.payload.findings["puzzle"] == change.ambiguity
    assert not OpenChange.objects.exists()
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (403, None), (404, None), (410, 20410), (410, None)]
)
def test_any_refusal_to_show_the_flow_is_named(sandbox, flow_sid, status, code):
    lose(sandbox, rename_flow, flow_sid)
    sandbox.inject(
        Fault(FaultKind.REFUSE, method="GET", times=None, status=status, code=code or 20001)
    )

    assert not reconciled()

    assert f"status {status}" in OpenChange.objects.get().ambiguity


def test_reading_goes_on_and_tells_once_it_works_again(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid)
    refuse(sandbox)
    assert not reconciled()
    sandbox.clear_faults()

    assert reconciled()

    assert AuditEvent.objects.get(stage="reconciled").result == "applied"


def test_change_that_was_not_made_takes_two_reads_also_after_a_refusal(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid, kind=FaultKind.DROP)
    refuse(sandbox)
    assert not reconciled()
    sandbox.clear_faults()

    assert reconciled()
    change = OpenChange.objects.get()
    assert (change.ambiguity, change.is_unreadable) == ("", False)
    with pytest.raises(NotAmbiguous):
        decide(applied=False)
    with clock_ahead():
        assert reconciled()

    assert AuditEvent.objects.get(stage="reconciled").result == "not_applied"


def test_first_read_before_a_refusal_counts(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid, kind=FaultKind.DROP)
    assert reconciled()
    refuse(sandbox)
    assert not reconciled()
    sandbox.clear_faults()

    with clock_ahead():
        assert reconciled()

    assert AuditEvent.objects.get(stage="reconciled").result == "not_applied"


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.TOO_MANY, FaultKind.DROP])
def test_trouble_that_passes_is_nothing_to_decide_at_first(sandbox, flow_sid, kind):
    lose(sandbox, rename_flow, flow_sid)
    sandbox.inject(Fault(kind, method="GET", times=None))

    assert not reconciled()
    with pytest.raises(NotAmbiguous):
        decide(applied=True)

    with clock_ahead(31):
        assert not reconciled()
        assert OpenChange.objects.get().ambiguity.startswith("Couldn't read from Twilio: ")


def test_creation_is_decided_while_the_listing_is_refused(sandbox, flow_sid):
    lose(sandbox, create_flow)
    created_sid = next(sid for sid in sandbox.flows if sid != flow_sid)
    refuse(sandbox)

    assert not reconciled()
    assert (
        OpenChange.objects.get().ambiguity
        == "Twilio refuses to list flows (status 403, code 20003)."
    )
    event = decide(applied=True, sid=created_sid)

    assert (event.result, event.target_sid, event.payload.after) == ("applied", created_sid, None)
    assert not Flow.objects.filter(sid=created_sid).exists()
    sandbox.clear_faults()
    sync_account(ACCOUNT)
    assert Flow.objects.get(sid=created_sid).gone_at is None
    assert drift_events() == []


@pytest.mark.parametrize("sid", ["", "FO1", "known"])
def test_only_a_flow_that_the_log_does_not_account_for_can_be_what_a_creation_made(
    sandbox, flow_sid, sid
):
    lose(sandbox, create_flow)
    refuse(sandbox)
    assert not reconciled()

    with pytest.raises(NotAmbiguous):
        decide(applied=True, sid=flow_sid if sid == "known" else sid)

    assert decide(applied=False).result == "not_applied"


def test_404_proves_no_deletion_where_twilio_does_not_even_list(sandbox, flow_sid):
    lose(sandbox, delete_flow, flow_sid, kind=FaultKind.DROP)
    refuse(sandbox, 404, 20404)
    with pytest.raises(FlexError):
        sync_account(ACCOUNT)

    assert not reconciled()

    assert (
        OpenChange.objects.get().ambiguity
        == "Twilio refuses to show the flow (status 404, code 20404)."
    )
    assert not AuditEvent.objects.filter(stage="reconciled").exists()


def test_account_that_the_site_has_no_more_leaves_the_decision_to_a_user(
    sandbox, flow_sid, settings
):
    lose(sandbox, rename_flow, flow_sid)
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "7" * 32),)

    assert not reconciled()

    assert (
        OpenChange.objects.get().ambiguity
        == f"This site has no credentials for the account {ACCOUNT}."
    )
    assert decide(applied=True).result == "applied"


def test_attempt_whose_process_died_is_decided_like_any_other(sandbox, flow_sid):
    append_attempt(flow_sid, account_sid=ACCOUNT)
    refuse(sandbox)

    with clock_ahead():
        assert not reconciled()
        event = decide(applied=False)

    assert event.result == "not_applied"


def test_unknown_of_an_earlier_410_is_resolved(sandbox, flow_sid):
    """As earlier versions recorded it: an outcome without a code."""
    attempt = append_attempt(flow_sid, account_sid=ACCOUNT)
    append_attempt(
        flow_sid,
        account_sid=ACCOUNT,
        change_id=attempt.change_id,
        stage="outcome",
        result="unknown",
        remote_status=410,
    )
    refuse(sandbox, 410, 20410)

    assert not reconciled()

    assert decide(applied=False).result == "not_applied"


def test_what_twilio_refuses_as_a_kind_is_asked_once(sandbox, flow_sid):
    other = sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)
    for sid in (flow_sid, other):
        lose(sandbox, switch_flow, sid)
    refuse(sandbox)
    read = len(sandbox.requests)

    assert not reconciled()

    assert len(sandbox.requests) - read == 1
    assert OpenChange.objects.filter(is_unreadable=True).count() == 2
    assert Closure.objects.filter(kind="fetch").exists()


def test_reading_that_leaves_the_decision_to_a_user_is_kept(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    assert reconciled()
    change = OpenChange.objects.get()
    assert change.last_reading[flow_sid]["friendly_name"] == "Third"
    assert change.read_at is not None
    read = len(sandbox.requests)

    event = decide(applied=True)

    assert len(sandbox.requests) == read
    assert event.payload.findings["reading"][flow_sid]["friendly_name"] == "Third"
    assert event.payload.findings["puzzle"] == unknown_outcomes.THIRD_VALUE.format(noun="flow")


def test_secret_in_a_reading_is_masked(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid)
    sandbox.edit_flow(
        flow_sid, friendly_name="Third", integration_type="external",
        integration_url="https://x.example/?token=canary-7f3a",
    )  # fmt: skip

    assert reconciled()

    assert "canary" not in str(OpenChange.objects.get().last_reading)


class TestErased:
    """An open change whose contents were erased."""

    @pytest.mark.parametrize("act", [rename_flow, switch_flow])
    def test_missing_values_are_never_taken_for_an_answer(self, sandbox, flow_sid, act):
        lose(sandbox, act, flow_sid, kind=FaultKind.DROP)
        erased = erasure.erase(
            sid=flow_sid, reason="asked for", actor=OMAR, despite_open_change=True
        )
        assert erased.undecided_seqs == [OpenChange.objects.get().latest_id]

        assert reconciled()

        assert OpenChange.objects.get().ambiguity == unknown_outcomes.REQUEST_ERASED
        event = decide(applied=True)
        assert (event.payload.before, event.payload.requested, event.payload.after) == (
            None,
            None,
            None,
        )
        assert Flow.objects.filter(gone_at__isnull=False).count() == 0
        assert verification.verify().bad_seq is None

    def test_creation_names_what_it_may_have_made_and_nothing_of_it(self, sandbox, flow_sid):
        lose(sandbox, create_flow)
        created_sid = next(sid for sid in sandbox.flows if sid != flow_sid)
        identity = OpenChange.objects.get().attempt.payload.contact_identity
        erasure.erase(identity=identity, reason="asked for", actor=OMAR, despite_open_change=True)

        assert reconciled()

        change = OpenChange.objects.get()
        assert (change.ambiguity, change.candidates, change.last_reading) == (
            unknown_outcomes.REQUEST_ERASED,
            [created_sid],
            {},
        )
        assert decide(applied=True, sid=created_sid).payload.after is None

    def test_deletion_is_still_told_by_reading(self, sandbox, flow_sid):
        lose(sandbox, delete_flow, flow_sid)
        erasure.erase(sid=flow_sid, reason="asked for", actor=OMAR, despite_open_change=True)

        assert reconciled()

        event = AuditEvent.objects.get(stage="reconciled")
        assert (event.result, event.payload.before) == ("applied", None)

    def test_change_under_way_is_in_the_way(self, flow_sid):
        append_attempt(flow_sid, account_sid=ACCOUNT)

        with pytest.raises(erasure.BlockedByOpenChange) as still:
            erasure.erase(sid=flow_sid, reason="asked for", actor=OMAR, despite_open_change=True)

        assert still.value.is_in_progress
        with clock_ahead():
            assert erasure.erase(
                sid=flow_sid, reason="x", actor=OMAR, despite_open_change=True
            ).undecided_seqs

    def test_what_was_read_of_another_creations_candidate_goes_too(self, sandbox, flow_sid):
        lose(sandbox, create_flow)
        twin = sandbox.add_flow(**{**NEW_FIELDS, "friendly_name": "Störungsmeldung Köln"})
        assert reconciled()
        assert twin in OpenChange.objects.get().last_reading

        erasure.erase(sid=twin, actor=OMAR)

        assert twin not in OpenChange.objects.get().last_reading

    def test_decision_that_shows_another_flow_is_erased_with_it(self, sandbox, flow_sid):
        lose(sandbox, create_flow)
        created_sid = next(sid for sid in sandbox.flows if sid != flow_sid)
        twin = sandbox.add_flow(**NEW_FIELDS)
        assert reconciled()
        event = decide(applied=True, sid=created_sid)

        erased = erasure.erase(sid=twin, actor=OMAR)

        assert event.seq in erased.erased_seqs
        event.payload.refresh_from_db()
        assert event.payload.findings is None
        assert verification.verify().bad_seq is None


NEW_FIELDS = {
    "friendly_name": "Störungsmeldung Köln",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "sms",
    "contact_identity": "+4923055501",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "1" * 32,
    "enabled": False,
    "integration_retry_count": 0,
}


def test_nothing_is_ever_sent_again(sandbox, flow_sid):
    lose(sandbox, rename_flow, flow_sid)
    refuse(sandbox)
    write_count = len(received_writes(sandbox))

    assert not reconciled()
    decide(applied=False)

    assert len(received_writes(sandbox)) == write_count
    assert in_flight.open_changes_by_flow([flow_sid]) == {}
    assert uuid.UUID(str(AuditEvent.objects.get(stage="reconciled").change_id))
