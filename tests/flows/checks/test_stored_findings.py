"""The table of findings is what the rules find, and the log says how it came to be."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.actions import AuditAction
from flows.audit.models import AuditEvent
from flows.checks import evaluation, finding_events
from flows.checks.checking import RULES_BY_ID
from flows.checks.finding_counts import count_active_by_rule, count_by_rule, load_check_states
from flows.checks.models import CheckedAccount, StoredFinding, Suppression
from flows.mirror.models import Flow
from flows.names.models import NameReading, ResourceName
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import (
    READ,
    STUDIO_FLOWS,
    add_objects,
    add_reading,
    read_completely,
    store,
)
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
GONE = STUDIO_FLOWS[2]
SID = f"FO{0:032}"


def evaluate():
    evaluation.request_evaluation(ACCOUNT)
    assert evaluation.evaluate(ACCOUNT)
    assert CheckedAccount.objects.get().failed_at is None


def pointing_at(studio_sid, **fields):
    values = {"friendly_name": "Lab", "integration_flow_sid": studio_sid, "enabled": True}
    return flow("studio", "web", **values | fields)


def rows(rule_id):
    return list(
        StoredFinding.objects.filter(rule_id=rule_id).order_by("sid").values_list("sid", "message")
    )


def events():
    return list(
        AuditEvent.objects.filter(action__startswith="finding.")
        .select_related("payload")
        .order_by("seq")
    )


def test_unread_names_keep_what_was_found():
    add_objects()
    read_completely(*READ)
    store(pointing_at(GONE), pointing_at(STUDIO_FLOWS[0], friendly_name="Other"))
    evaluate()
    before = rows("target-gone")
    assert [sid for sid, _ in before] == [SID]
    seen = len(events())

    NameReading.objects.filter(resource="studio_flow").update(failed_at=timezone.now())
    ResourceName.objects.filter(sid=GONE).delete()
    evaluate()

    assert rows("target-gone") == before
    assert len(events()) == seen
    assert "target-gone" in CheckedAccount.objects.get().unmet_rules

    NameReading.objects.update(failed_at=None)
    add_name(GONE, "Back", status="published", revision=1)
    evaluate()
    assert rows("target-gone") == []
    assert [event.action for event in events()[seen:]] == ["finding.cleared"]


def test_flow_that_was_changed_after_the_reading_keeps_its_finding():
    add_objects()
    read_completely(*READ)
    number = flow("studio", "sms", contact_identity="+14155550199", enabled=True)
    store(number)
    evaluate()
    before = rows("number-not-owned")
    assert len(before) == 1
    seen = len(events())

    NameReading.objects.update(read_at=timezone.now() - timedelta(hours=1))
    store(number | {"friendly_name": "Renamed"})
    evaluate()

    assert rows("number-not-owned") == before
    assert [event.payload.requested["Rule"] for event in events()[seen:]] == []
    assert CheckedAccount.objects.get().outdated_flows["number-not-owned"] == 1
    store(number | {"contact_identity": "+14155550123"})
    evaluate()
    assert rows("number-not-owned") == []


def test_other_sentence_of_a_finding_is_no_event():
    store(*(pointing_at(None, friendly_name="Lab") for _ in range(2)))
    evaluate()
    assert {message for _, message in rows("same-name")} == {"One other flow has this name."}
    first_seen = StoredFinding.objects.filter(sid=SID, rule_id="same-name").get().first_seen_at

    store(*(pointing_at(None, friendly_name="Lab") for _ in range(3)))
    evaluate()

    assert {message for _, message in rows("same-name")} == {"2 other flows have this name."}
    appeared = [
        event.target_sid for event in events() if event.payload.requested.get("Rule") == "same-name"
    ]
    assert appeared == [f"FO{2:032}"]
    stored = StoredFinding.objects.get(sid=SID, rule_id="same-name")
    assert stored.first_seen_at == first_seen


def test_finding_of_a_rule_that_no_longer_exists_goes_without_an_event():
    store(pointing_at(None))
    evaluate()
    seen = len(events())
    StoredFinding.objects.create(
        account_sid=ACCOUNT, sid=SID, rule_id="once", severity="error", digest="x", message="x",
        first_seen_at=timezone.now(),
    )  # fmt: skip

    evaluate()

    assert not StoredFinding.objects.filter(rule_id="once").exists()
    assert len(events()) == seen


def test_new_rule_of_a_later_version_is_recorded_as_a_whole():
    store(*(pointing_at(None, friendly_name="Lab") for _ in range(2)))
    evaluate()
    StoredFinding.objects.filter(rule_id="same-name").delete()
    account = CheckedAccount.objects.get()
    account.judged_rules.remove("same-name")
    account.save()
    seen = len(events())

    evaluate()

    [event] = events()[seen:]
    assert event.action == "finding.evaluated"
    assert event.payload.requested == {RULES_BY_ID["same-name"].title: 2}


def test_wave_has_one_event_for_a_rule():
    add_objects()
    read_completely(*READ)
    number = finding_events.WAVE_SIZE + 50
    flows = [pointing_at(STUDIO_FLOWS[0], friendly_name=f"Lab {index}") for index in range(number)]
    store(*flows)
    evaluate()
    seen = len(events())

    ResourceName.objects.filter(sid=STUDIO_FLOWS[0]).update(gone_at=DAY)
    store(*flows[:-1], flows[-1] | {"integration_type": None})
    evaluate()

    assert len(rows("target-gone")) == number
    of_rule = [
        event for event in events()[seen:] if event.payload.requested["Rule"] == "target-gone"
    ]
    assert [(event.action, event.target_sid) for event in of_rule] == [("finding.appeared", "")]
    assert of_rule[0].payload.requested["Flows"] == number
    [single] = [
        event
        for event in events()[seen:]
        if event.payload.requested["Rule"] == "no-integration-type"
    ]
    assert single.target_sid == f"FO{number - 1:032}"


def test_suppressed_finding_stays_stored_and_is_not_counted(actor):
    store(pointing_at(None, friendly_name="Lab"), pointing_at(None, friendly_name="Lab"))
    evaluate()
    stored = StoredFinding.objects.get(sid=SID, rule_id="same-name")
    Suppression.objects.create(
        account_sid=ACCOUNT, sid=SID, rule_id="same-name", digests=[stored.digest],
        until=timezone.now().date(), event_id="0c1e9d5e-6b1f-4c07-8f3a-1d2b3c4d5e6f",
    )  # fmt: skip
    evaluate()

    assert len(rows("same-name")) == 2
    assert count_by_rule(load_check_states(None))["same-name"] == 2
    assert count_active_by_rule(None, "")["same-name"] == 1


def test_what_was_read_before_an_erasure_is_not_stored_after_it(actor):
    store(pointing_at(None, friendly_name="Lab"), pointing_at(None, friendly_name="Lab"))
    evaluation.request_evaluation(ACCOUNT)

    def erase_before_storing(execute, sql, *arguments):
        """Erase the flows when the check reads the table, which it does after the flows."""
        if "flows_storedfinding" in sql and Flow.objects.exists():
            Flow.objects.all().delete()
            audit_log.append(
                action=AuditAction.ERASE, stage="access", result="succeeded", actor=actor
            )
        return execute(sql, *arguments)

    with connection.execute_wrapper(erase_before_storing):
        evaluation.evaluate(ACCOUNT)

    assert not StoredFinding.objects.exists()
    assert events() == []
    evaluation.evaluate(ACCOUNT)
    assert CheckedAccount.objects.get().checked_at is not None
    assert not StoredFinding.objects.exists()


def test_renamed_flow_keeps_what_could_not_be_judged_again():
    add_objects()
    add_name(STUDIO_FLOWS[3], "Silent", status="published", revision=4)
    add_reading(STUDIO_FLOWS[3], "studio_definition", revision=4, trigger_events=[])
    read_completely(*READ)
    store(pointing_at(STUDIO_FLOWS[3]))
    evaluate()
    assert rows("studio-flow-takes-no-message")
    recorded = len(events())

    later = timezone.now() + timedelta(days=2)  # after every reading
    renamed = pointing_at(STUDIO_FLOWS[3], friendly_name="Hall", date_updated=later.isoformat())
    store(renamed)
    evaluate()
    assert rows("studio-flow-takes-no-message")
    assert len(events()) == recorded

    store(pointing_at(GONE, date_updated=later.isoformat()))  # which has no definition
    evaluate()
    assert not rows("studio-flow-takes-no-message")
    assert [event.action for event in events()[recorded:]].count("finding.cleared") == 1


@pytest.mark.parametrize("published", [False, True])
def test_finding_about_a_former_studio_flow_clears_if_the_list_lacks_the_new_one(published):
    add_objects()
    read_completely(*READ)
    store(pointing_at(STUDIO_FLOWS[0]))
    evaluate()
    assert rows("studio-flow-takes-no-message")

    if published:  # its definition isn't known, so nothing can be said
        add_name(STUDIO_FLOWS[3], "Claims", status="published", revision=2)
    store(pointing_at(STUDIO_FLOWS[3]))
    evaluate()

    assert bool(rows("studio-flow-takes-no-message")) == published


@pytest.mark.parametrize("unread", ["workspace", "workflow"])
def test_finding_clears_although_a_reading_of_other_flows_is_missing(unread):
    add_objects()
    read_completely(*(each for each in READ if each != unread))
    store(pointing_at(GONE))
    evaluate()
    assert rows("target-gone")

    store(pointing_at(STUDIO_FLOWS[0]))
    evaluate()

    assert not rows("target-gone")
