"""Changes of a flow's owner, tags and note: stored, recorded, merged and refused."""

import uuid

import pytest
from django.db import Error

from flows.audit import audit_log
from flows.audit.event_text import headline
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.local_details.fields import Details
from flows.local_details.models import FlowTag, LocalDetails
from flows.local_details.reading import load_details
from flows.local_details.services import DetailsConflict, DetailsUnchanged
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import append_attempt, assert_chain_intact, locked_log
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)


def events():
    return AuditEvent.objects.filter(action="flow.details")


def test_change_is_stored_and_recorded_with_its_values(flow_sid, actor):
    set_details(flow_sid, owner="Claims", tags=["vip"])

    set_details(
        flow_sid, tags=["billing", "vip"], note="Ring first", reason="Ticket 12", actor=actor
    )

    event = events().latest("seq")
    assert load_details(flow_sid) == Details("Claims", ("billing", "vip"), "Ring first")
    assert (event.stage, event.result, event.target_sid) == ("access", "succeeded", flow_sid)
    assert (event.reason, event.actor_label, event.account_sid) == ("Ticket 12", "omar", ACCOUNT)
    assert event.changed_fields == ["tags", "note"]
    assert event.payload.before == {"owner": "Claims", "tags": ["vip"], "note": ""}
    assert event.payload.after == {
        "owner": "Claims",
        "tags": ["billing", "vip"],
        "note": "Ring first",
    }
    assert event.payload.friendly_name == "Réclamations Lyon"
    assert headline(event) == "Changed tags, note"
    assert_chain_intact()


def test_nothing_is_sent_to_twilio(sandbox, flow_sid):
    requests = len(sandbox.requests)

    set_details(flow_sid, owner="Claims")

    assert len(sandbox.requests) == requests


def test_empty_details_leave_no_row(flow_sid):
    set_details(flow_sid, owner="Claims", tags=["vip"], note="x")
    set_details(flow_sid, owner="", tags=[], note="")

    assert not LocalDetails.objects.exists()
    assert not FlowTag.objects.exists()


def test_secrets_in_a_note_are_masked_also_if_that_makes_it_longer(flow_sid):
    set_details(flow_sid, note=("password=a1 " * 80).strip())

    note = load_details(flow_sid).note
    assert len(note) > 1000
    assert "password=a1" not in note
    assert events().get().payload.after["note"] == note


def test_unchanged_values_are_not_recorded(flow_sid):
    set_details(flow_sid, owner="Claims", tags=["vip"])

    with pytest.raises(DetailsUnchanged):
        set_details(flow_sid, owner="Claims", tags=["vip"])

    assert events().count() == 1


def test_same_form_sent_twice_is_one_change(flow_sid):
    change_id = uuid.uuid4()
    set_details(flow_sid, owner="Claims", change_id=change_id)

    with pytest.raises(audit_log.AlreadyRecorded) as replay:
        set_details(flow_sid, owner="Sales", change_id=change_id)

    assert replay.value.event == events().get()
    assert load_details(flow_sid).owner == "Claims"


def test_conflict_changes_nothing_and_is_recorded(flow_sid):
    base = load_details(flow_sid)
    set_details(flow_sid, owner="Claims")

    with pytest.raises(DetailsConflict) as conflict:
        set_details(flow_sid, base=base, owner="Sales", tags=["vip"])

    event = events().latest("seq")
    assert conflict.value.names == ["owner"]
    assert conflict.value.merged == Details("Claims", ("vip",))
    assert load_details(flow_sid) == Details("Claims")
    assert (event.result, event.changed_fields) == ("conflict", ["owner"])
    assert event.payload.requested["owner"] == "Sales"
    assert (
        event.payload.message == "Someone else changed Owner in the meantime. Nothing was changed."
    )


def test_merged_edit_names_what_someone_else_changed(flow_sid):
    base = load_details(flow_sid)
    set_details(flow_sid, owner="Claims")

    change = set_details(flow_sid, base=base, owner="", tags=["vip"], note="")

    assert change.merged_names == ["owner"]
    assert load_details(flow_sid) == Details("Claims", ("vip",))


@pytest.mark.parametrize("scope", ["site", "account"])
def test_read_only_mode_prevents_it(flow_sid, actor, scope):
    account_sid = ACCOUNT if scope == "account" else ""
    restrictions.set_read_only(account_sid=account_sid, reason="Freeze", actor=actor)

    with pytest.raises(restrictions.OperationUnavailable, match="read-only by omar: Freeze"):
        set_details(flow_sid, owner="Claims")

    assert not LocalDetails.objects.exists()


def test_refusals_of_twilio_do_not_prevent_it(flow_sid):
    for kind in ("fetch", "update"):
        Closure.objects.create(
            account_sid=ACCOUNT, kind=kind, since="2026-11-25T00:00:00Z", status=410
        )

    set_details(flow_sid, owner="Claims")

    assert load_details(flow_sid).owner == "Claims"


def test_flow_with_an_open_change_can_get_an_owner(flow_sid):
    append_attempt(flow_sid)

    set_details(flow_sid, owner="Claims")

    assert load_details(flow_sid).owner == "Claims"


def test_details_survive_a_sync_and_the_deletion_at_twilio(sandbox, flow_sid):
    set_details(flow_sid, owner="Claims", tags=["vip"])
    sandbox.remove_flow(flow_sid)

    sync_account(ACCOUNT)

    assert Flow.objects.get().gone_at
    assert load_details(flow_sid) == Details("Claims", ("vip",))


def test_nothing_is_stored_if_the_log_cannot_be_written(flow_sid):
    with locked_log(), pytest.raises(audit_log.NotRecorded):
        set_details(flow_sid, owner="Claims")

    assert not LocalDetails.objects.exists()


def test_nothing_is_recorded_if_the_rows_cannot_be_stored(flow_sid, monkeypatch):
    def fail(*_args, **_kwargs):
        raise Error("disk full")

    monkeypatch.setattr(LocalDetails.objects, "update_or_create", fail)

    with pytest.raises(audit_log.NotRecorded):
        set_details(flow_sid, owner="Claims")

    assert not events().exists()
