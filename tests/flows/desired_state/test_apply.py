"""`apply`: creations, updates and deletions at the sandbox, and a second apply without changes."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.desired_state import applying
from flows.desired_state.flow_file import read_flow_file
from flows.desired_state.planning import prepare
from flows.management.command_line import command_actor
from flows.mirror import stale_reads
from flows.mirror.sync import sync_account
from flows.plans import execution, follow_ups, start_and_stop
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.approvals import acting
from tests.flows.desired_state.files import apply, make_entry, make_file, write_methods
from tests.flows.plans.running import OTHER_LEASE, run_worker

pytestmark = pytest.mark.django_db(transaction=True)


def add_flow(sandbox, **fields):
    """Add a flow like an entry of a file, and return its SID."""
    return sandbox.add_flow(**make_entry(**fields))


def start_elsewhere(file):
    """Start an apply whose process makes no change, and return its bulk change."""
    sync_account(ACCOUNT)
    preparation = prepare(read_flow_file(Path(file).read_text()))
    return applying.start_apply(
        preparation=preparation,
        file_name="flows.yaml",
        created_by="CLI (eva)",
        reason="",
        actor=command_actor(),
    )


def test_second_apply_changes_nothing(sandbox, tmp_path):
    sid = add_flow(sandbox, friendly_name="Old", contact_identity="+33199000102")
    file = make_file(tmp_path, {"sid": sid, "integration_retry_count": 1}, make_entry())

    first, first_error = apply(file)
    second, second_error = apply(file)
    third, third_error = apply(file, "--plan", "--prune")

    assert (first_error, second_error, third_error) == ("", "", "")
    (created_sid,) = sandbox.flows.keys() - {sid}
    assert first[:3] == [
        f"~ update {sid} “Old”",
        "    integration_retry_count: 3 → 1",
        "+ create “Bookings”",
    ]
    assert first[-3:] == [
        "1 to create, 1 to update.",
        f"Updated {sid} “Old”.",
        f"Created {created_sid} “Bookings”.",
    ]
    assert second == third == ["No changes, 2 unchanged."]
    assert write_methods(sandbox) == ["POST", "POST"]


def test_plan_prints_the_differences_and_changes_nothing(sandbox, tmp_path, capsys):
    sid = add_flow(sandbox)
    file = make_file(tmp_path, {"sid": sid, "enabled": True, "contact_identity": "+33199000109"})

    output, error = apply(file, "--plan")

    assert error == ""
    assert output[:-1] == [
        f"~ update {sid} “Bookings”",
        "    contact_identity: +33199000101 → +33199000109",
        "    enabled: false → true",
        "1 to update.",
    ]
    assert output[-1].startswith("Nothing was changed. Digest: ")
    assert write_methods(sandbox) == []
    assert not Plan.objects.exists()
    assert capsys.readouterr().err == ""


def test_each_change_is_logged_with_the_reason_and_the_user_of_the_machine(sandbox, tmp_path):
    add_flow(sandbox)
    file = make_file(tmp_path, make_entry(enabled=True), make_entry(friendly_name="New"))

    assert apply(file, "--reason", "Ticket 4711")[1] == ""

    plan = Plan.objects.get()
    start, *changes = AuditEvent.objects.filter(request_id=plan.pk).order_by("seq")
    assert (start.action, start.payload.requested) == (
        "plan.apply",
        {"plan": "Apply flows.yaml: change 1 flow, create 1 flow", "flows": 2},
    )
    assert [(event.action, event.stage, event.result) for event in changes] == [
        ("flow.update", "attempt", "pending"),
        ("flow.update", "outcome", "succeeded"),
        ("flow.create", "attempt", "pending"),
        ("flow.create", "outcome", "succeeded"),
    ]
    assert {event.reason for event in (start, *changes)} == {"Ticket 4711"}
    assert {event.actor_label for event in (start, *changes)} == {command_actor().label}


def test_json_export_of_the_list_is_accepted(sandbox, client_of, tmp_path, capsys):
    sids = [add_flow(sandbox), sandbox.add_flow(friendly_name="B", integration=None)]
    sync_account(ACCOUNT)
    response = client_of("operator").post("/flows/copy-out/", {"sid": sids, "format": "json"})
    path = tmp_path / "flows.json"
    path.write_bytes(response.content)

    assert apply(path) == (["No changes, 2 unchanged."], "")
    assert capsys.readouterr().err == ""


def test_reason_is_the_file_unless_it_is_given(sandbox, tmp_path):
    apply(make_file(tmp_path, make_entry()))

    assert Plan.objects.get().reason == "Applied flows.yaml"


class TestPrune:
    def test_flows_that_the_file_lacks_are_deleted_only_on_request(self, sandbox, tmp_path):
        kept, extra = add_flow(sandbox), add_flow(sandbox, friendly_name="Extra")
        file = make_file(tmp_path, {"sid": kept}, account=ACCOUNT)

        assert apply(file) == (["No changes, 1 unchanged."], "")
        assert len(sandbox.flows) == 2
        output, error = apply(file, "--prune")

        assert error == ""
        assert output == [
            f"- delete {extra} “Extra”",
            "1 to delete, 1 unchanged.",
            f"Deleted {extra} “Extra”.",
        ]
        assert sandbox.flows.keys() == {kept}

    def test_deletions_come_first_so_that_a_new_flow_can_have_the_identity(self, sandbox, tmp_path):
        add_flow(sandbox, enabled=True)
        file = make_file(tmp_path, make_entry(friendly_name="Renamed", enabled=True))

        output, error = apply(file, "--prune")

        assert (output[-3], error) == ("1 to create, 1 to delete.", "")
        assert [flow["friendly_name"] for flow in sandbox.flows.values()] == ["Renamed"]

    def test_other_accounts_are_not_touched(self, sandbox, staging, tmp_path):
        kept, other = add_flow(sandbox), add_flow(staging, friendly_name="Other")
        file = make_file(tmp_path, {"sid": kept}, account="production")

        assert apply(file, "--prune") == (["No changes, 1 unchanged."], "")
        assert other in staging.flows

    def test_account_that_only_a_flow_belongs_to_is_not_named(self, sandbox, staging, tmp_path):
        named, other = add_flow(sandbox), add_flow(staging)
        extra = add_flow(staging, friendly_name="Extra")
        sync_account(staging.account_sid)
        file = make_file(tmp_path, {"sid": named, "account_sid": ACCOUNT}, {"sid": other})

        assert apply(file, "--prune") == (["No changes, 2 unchanged."], "")
        assert extra in staging.flows

    def test_account_has_to_be_named_if_there_are_several(self, sandbox, staging, tmp_path, capsys):
        file = make_file(tmp_path, {"sid": add_flow(sandbox)})

        assert apply(file, "--prune")[1].endswith("1 error. Nothing was sent.")
        assert "To delete flows, name the account with the key account." in capsys.readouterr().err

    def test_empty_list_deletes_nothing(self, sandbox, tmp_path, capsys):
        add_flow(sandbox)

        assert apply(make_file(tmp_path, account=ACCOUNT), "--prune")[1]
        assert "every flow of the account would be deleted" in capsys.readouterr().err
        assert len(sandbox.flows) == 1


class TestFindingFlowsWithoutSid:
    def test_flow_with_the_same_name_channel_and_identity_is_updated(self, sandbox, tmp_path):
        sid = add_flow(sandbox, contact_identity="+33 1 99 00 01 01")

        assert apply(make_file(tmp_path, make_entry(integration_retry_count=0)))[1] == ""

        assert sandbox.flows.keys() == {sid}
        assert sandbox.flows[sid]["integration"]["retry_count"] == 0

    def test_flow_that_was_renamed_since_is_not_created_again(self, sandbox, tmp_path):
        file = make_file(tmp_path, make_entry())
        apply(file)
        (sid,) = sandbox.flows
        sandbox.edit_flow(sid, friendly_name="Renamed")

        output, error = apply(file, "--plan")

        assert error == ""
        assert output[:2] == [
            f"~ update {sid} “Renamed”",
            "    friendly_name: Renamed → Bookings",
        ]

    def test_deleted_flow_is_created_again(self, sandbox, tmp_path, monkeypatch):
        monkeypatch.setattr(stale_reads, "CONSISTENCY_WINDOW", timedelta(0))
        file = make_file(tmp_path, make_entry())
        apply(file)
        sandbox.remove_flow(*sandbox.flows)

        assert apply(file)[1] == ""
        assert len(sandbox.flows) == 1

    def test_several_such_flows_are_an_error(self, sandbox, tmp_path, capsys):
        sids = sorted([add_flow(sandbox), add_flow(sandbox)])

        assert apply(make_file(tmp_path, make_entry()))[1].endswith("Nothing was sent.")
        assert f"name: {', '.join(sids)}. Add the sid of one." in capsys.readouterr().err

    def test_one_that_another_entry_names_is_not_meant(self, sandbox, tmp_path):
        sid = add_flow(sandbox)

        apply(make_file(tmp_path, {"sid": sid}, make_entry()))

        assert len(sandbox.flows) == 2


class TestUnknownOutcome:
    @pytest.fixture(autouse=True)
    def _lost_answer(self, sandbox):
        sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="POST"))

    def test_creation_is_not_sent_twice(self, sandbox, tmp_path):
        file = make_file(tmp_path, make_entry())

        _, error = apply(file)
        second, second_error = apply(file)

        assert "Not everything was applied: 1 unknown outcome." in error
        assert (second, second_error) == (["No changes, 1 unchanged."], "")
        assert write_methods(sandbox) == ["POST"]

    def test_creation_whose_outcome_stays_unknown_is_skipped(self, sandbox, tmp_path, monkeypatch):
        file = make_file(
            tmp_path, make_entry(), make_entry(friendly_name="B", contact_identity="2")
        )
        monkeypatch.setattr("flows.changes.reconcile.reconcile", list)
        apply(make_file(tmp_path, make_entry(), name="one.yaml"))

        output, error = apply(file)

        assert error == "1 flow can't be changed at the moment."
        reason = "Line 2, flows[0]: The outcome of its creation is unknown."
        assert f"! skip “Bookings”: {reason}" in output
        assert sorted(flow["friendly_name"] for flow in sandbox.flows.values()) == ["B", "Bookings"]

    def test_flow_with_one_is_skipped_and_the_others_are_changed(
        self, sandbox, tmp_path, monkeypatch
    ):
        sids = [add_flow(sandbox), add_flow(sandbox, friendly_name="B")]
        monkeypatch.setattr("flows.changes.reconcile.reconcile", list)
        apply(make_file(tmp_path, {"sid": sids[0], "enabled": True}, name="one.yaml"))

        entries = [{"sid": sid, "long_lived": True} for sid in sids]
        output, error = apply(make_file(tmp_path, *entries))

        assert "Line 2, flows[0]: Has an unresolved change." in output[2]
        assert error == "1 flow can't be changed at the moment."
        assert output[-1] == f"Updated {sids[1]} “B”."


class TestWhatHappensMeanwhile:
    def test_flow_deleted_before_is_skipped(self, sandbox, tmp_path):
        gone, other = add_flow(sandbox), add_flow(sandbox, friendly_name="B")
        sync_account(ACCOUNT)
        sandbox.remove_flow(gone)

        output, error = apply(make_file(tmp_path, {"sid": gone}, {"sid": other, "enabled": True}))

        assert f"! skip {gone} “Bookings”: Line 2, flows[0]: Deleted at Twilio." in output
        assert (sandbox.flows[other]["enabled"], bool(error)) == (True, True)

    def test_flow_deleted_during_the_run_has_failed(self, sandbox, tmp_path, monkeypatch):
        sid = add_flow(sandbox)
        make_change = execution.make_change

        def remove_first(change, **options):
            sandbox.remove_flow(sid)
            return make_change(change, **options)

        monkeypatch.setattr(execution, "make_change", remove_first)
        output, error = apply(make_file(tmp_path, {"sid": sid, "enabled": True}))

        assert output[-1].startswith(f"Failed: {sid} “Bookings”.")
        assert "Not everything was applied: 1 failed. See /flows/plans/" in error

    def test_change_at_twilio_during_the_run_is_a_conflict(self, sandbox, tmp_path, monkeypatch):
        sid = add_flow(sandbox)
        make_change = execution.make_change

        def edit_first(change, **options):
            sandbox.edit_flow(sid, friendly_name="Theirs")
            return make_change(change, **options)

        monkeypatch.setattr(execution, "make_change", edit_first)
        output, error = apply(make_file(tmp_path, {"sid": sid, "friendly_name": "Ours"}))

        assert output[-1] == (
            f"Conflict: {sid} “Bookings”. "
            "Someone else changed Friendly name in the meantime. Nothing was sent."
        )
        assert write_methods(sandbox) == []
        assert "1 conflict" in error

    def test_file_edited_after_the_plan_is_refused_with_its_digest(self, sandbox, tmp_path):
        sid = add_flow(sandbox)
        file = make_file(tmp_path, {"sid": sid, "enabled": True})
        digest = apply(file, "--plan")[0][-1].split()[-1]
        make_file(tmp_path, {"sid": sid, "enabled": True, "long_lived": True})

        _, error = apply(file, "--expect", digest)

        assert error == (
            f"The changes are not those with the digest {digest}: the file or the flows have "
            "changed since. Nothing was sent."
        )
        assert write_methods(sandbox) == []
        make_file(tmp_path, {"sid": sid, "enabled": True})
        assert apply(file, "--expect", digest)[1] == ""

    def test_read_only_account_takes_no_changes(self, sandbox, tmp_path, actor):
        file = make_file(tmp_path, {"sid": add_flow(sandbox), "enabled": True})
        restrictions.set_read_only(account_sid=ACCOUNT, reason="A freeze", actor=actor)

        for arguments in ([file], [file, "--plan"]):
            _, error = apply(*arguments)
            assert "read-only" in error
            assert error.endswith("Nothing was sent.")
        assert write_methods(sandbox) == []

    def test_nothing_is_sent_if_the_flows_cannot_be_read(self, sandbox, tmp_path):
        file = make_file(tmp_path, make_entry())
        sandbox.inject(Fault(kind=FaultKind.REFUSE, status=401, code=20003, times=None))

        _, error = apply(file)

        assert error.startswith("Couldn't read the flows from Twilio: ")
        assert error.endswith("Nothing was sent.")
        assert write_methods(sandbox) == []


class TestInterruption:
    @pytest.fixture
    def file(self, tmp_path):
        entries = [make_entry(friendly_name=name, contact_identity=name) for name in "abc"]
        return make_file(tmp_path, *entries)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_interrupted_apply_goes_on_when_it_is_run_again(
        self, sandbox, file, monkeypatch, number, operator_actor
    ):
        make_change = execution.make_change

        def interrupt_after(change, **options):
            result = make_change(change, **options)
            os.kill(os.getpid(), number)
            return result

        with monkeypatch.context() as patch:
            patch.setattr(execution, "make_change", interrupt_after)
            _, error = apply(file)
        interrupted = Plan.objects.get()

        assert error.startswith("Stopped. Not everything was applied: 2 not started.")
        assert len(sandbox.flows) == 1
        assert apply(file)[0][-3] == "2 to create, 1 unchanged."
        assert len(sandbox.flows) == 3
        start_and_stop.start(plan=interrupted, reason="Resume", actor=operator_actor)
        run_worker()
        assert len(sandbox.flows) == 3

    def test_apply_is_refused_while_another_one_runs(self, sandbox, file):
        plan = start_elsewhere(file)
        Plan.objects.update(lease_id=OTHER_LEASE, heartbeat_at=timezone.now())

        _, error = apply(file)

        assert error == (
            "Another apply changes the same account, or has just changed it: "
            f"/flows/plans/{plan.pk}/. Nothing was sent. Try again later."
        )
        assert write_methods(sandbox) == []
        assert Plan.objects.count() == 1

    def test_apply_whose_process_was_killed_is_replaced(self, sandbox, file):
        plan = start_elsewhere(file)
        long_ago = timezone.now() - timedelta(minutes=3)
        Plan.objects.update(lease_id=OTHER_LEASE, heartbeat_at=long_ago)

        assert apply(file)[1] == ""

        run_worker()
        plan.refresh_from_db()
        assert (plan.status, plan.stop_reason) == ("stopped", applying.REPLACED)
        assert len(sandbox.flows) == 3

    def test_apply_that_was_compared_before_another_one_started_is_refused(self, sandbox, file):
        preparation = prepare(read_flow_file(Path(file).read_text()))
        apply(file)

        with pytest.raises(applying.ApplyInProgress):
            applying.start_apply(
                preparation=preparation,
                file_name="flows.yaml",
                created_by="CLI (eva)",
                reason="",
                actor=command_actor(),
            )

    def test_worker_can_make_the_changes(self, sandbox, file):
        plan = start_elsewhere(file)

        run_worker()

        plan.refresh_from_db()
        assert (plan.status, len(sandbox.flows)) == ("done", 3)

    def test_retry_of_a_failed_creation_creates_nothing_after_a_second_apply(
        self, sandbox, tmp_path, operator_actor
    ):
        file = make_file(tmp_path, make_entry())
        sandbox.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
        apply(file)
        retry = follow_ups.plan_retry(plan=Plan.objects.get(), created_by="operator")

        assert apply(file)[1] == ""

        start_and_stop.start(plan=retry, reason="Again", actor=operator_actor)
        run_worker()
        assert len(sandbox.flows) == 1


def test_actor_of_a_command_is_no_user(sandbox, tmp_path):
    """An actor without an id that isn't a command makes no change."""
    plan = start_elsewhere(make_file(tmp_path, make_entry()))
    Plan.objects.update(actor={**plan.actor, "label": "reconciliation"})

    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    assert sandbox.flows == {}


def test_policy_makes_one_change_request_of_a_file(sandbox, tmp_path, person):
    sid = add_flow(sandbox, friendly_name="Old")
    file = make_file(tmp_path, {"sid": sid, "friendly_name": "New"})
    acting.set_policy(acting.ANY)

    planned, plan_error = apply(file, "--plan")
    assert plan_error == ""
    assert planned[-1].endswith("for this change. Applying it makes a change request.")
    assert not Plan.objects.exists()
    _, error = apply(file)
    _, second_error = apply(file)

    request = ChangeRequest.objects.get()
    assert error == second_error
    assert error.startswith("The policy of this account requires 1 approval by operators")
    assert error.endswith(f"Change request: /requests/{request.pk}/. Nothing was sent.")
    assert write_methods(sandbox) == []

    acting.approve(request, person("operator", "ana"))
    acting.apply(request, person("operator", "omar"))
    run_worker()
    assert acting.current(request).status == "done"
    assert write_methods(sandbox) == ["POST"]
    assert apply(file)[1] == ""


def test_changed_file_makes_another_change_request(sandbox, tmp_path):
    sid = add_flow(sandbox, friendly_name="Old")
    acting.set_policy(acting.ANY)
    apply(make_file(tmp_path, {"sid": sid, "friendly_name": "New"}))
    apply(make_file(tmp_path, {"sid": sid, "friendly_name": "Newer"}))
    assert ChangeRequest.objects.count() == 2
