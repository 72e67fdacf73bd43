"""What needs attention: sentences, figures and links, within the accounts of the user."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.accounts.twilio_accounts import Account
from flows.audit import audit_log, verification
from flows.audit.audit_log import Observation, Payload
from flows.audit.models import OpenChange
from flows.checks.finding_counts import CheckState, SeverityCounts
from flows.mirror.freshness import Freshness
from flows.mirror.models import SyncState
from flows.overview.attention import OpenCounts, count_open, find_items
from flows.overview.log_status import LogStatus, load_log_status
from flows.overview.unfinished_plans import UnfinishedPlan
from flows.plans.models import Plan
from flows.redaction.redacted import redact_fields
from tests import ACCOUNT
from tests.faults.acting import append_attempt, append_stage

pytestmark = pytest.mark.django_db
OTHER = "AC" + "0e" * 16
NOTHING = {
    "open_counts": OpenCounts(undecided=0, unknown=0, external=0),
    "warned_counts": {},
    "checks": {},
    "finding_counts": {},
    "mirrors": [],
    "plans": [],
    "has_more_plans": False,
    "log": None,
    "can_decide": True,
}


def items(**values):
    return find_items(**NOTHING | values)


def sentences(**values):
    return [item.sentence for item in items(**values)]


def lose_change(number, account_sid=ACCOUNT, ambiguity=""):
    """Log a change with an unknown outcome, which stays open."""
    attempt = append_attempt(f"FO{number:032}", account_sid=account_sid)
    append_stage(
        stage="outcome",
        result="unknown",
        change_id=attempt.change_id,
        action=attempt.action,
        actor=audit_log.Actor(id="7", label="omar", role="operator"),
        account_sid=account_sid,
        target_sid=attempt.target_sid,
    )
    OpenChange.objects.filter(attempt=attempt).update(ambiguity=ambiguity)


def find_drift(number, account_sid=ACCOUNT):
    sid = f"FO{number:032}"
    values = Payload(after=redact_fields({"sid": sid}))
    observation = Observation(
        action="flow.drift", account_sid=account_sid, target_sid=sid, payload=values
    )
    audit_log.observe([observation], read_seq=audit_log.last_seq())


def mirror(name="", **values):
    account = Account(ACCOUNT, auth=("", ""), name=name)
    return Freshness(SyncState(account_sid=ACCOUNT, **values), account)


def plan(status, **values):
    now = timezone.now()
    return UnfinishedPlan(
        Plan(title="Turn off 3 flows", created_at=now, status=status, **values), flows_left=2
    )


def test_open_changes_and_drift_are_counted_with_one_query(django_assert_num_queries):
    lose_change(1)
    lose_change(2)
    lose_change(3, ambiguity="The flow no longer exists at Twilio.")
    lose_change(4, OTHER)
    append_attempt("FO" + "5" * 32, account_sid=ACCOUNT)  # still in progress
    for number in (6, 6, 7):
        find_drift(number)
    find_drift(8, OTHER)

    with django_assert_num_queries(1):
        everywhere = count_open(None)
    with django_assert_num_queries(1):
        in_other = count_open(frozenset([OTHER]))

    assert everywhere == OpenCounts(undecided=1, unknown=3, external=3)
    assert in_other == OpenCounts(undecided=0, unknown=1, external=1)
    assert count_open(frozenset()) == OpenCounts(undecided=0, unknown=0, external=0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (OpenCounts(1, 0, 0), ["1 change needs your decision"]),
        (OpenCounts(0, 1, 0), ["1 change has an unknown outcome"]),
        (OpenCounts(0, 0, 1), ["1 flow was changed outside this dashboard"]),
        (
            OpenCounts(2, 1234, 3),
            [
                "2 changes need your decision",
                "1,234 changes have an unknown outcome",
                "3 flows were changed outside this dashboard",
            ],
        ),
        (OpenCounts(0, 0, 0), []),
    ],
)
def test_figures_are_in_sentences(counts, expected):
    assert sentences(open_counts=counts) == expected


def test_those_who_do_not_decide_read_that_someone_has_to():
    assert sentences(open_counts=OpenCounts(1, 0, 0), can_decide=False) == [
        "1 change needs a decision"
    ]


def test_links_lead_to_what_is_counted(client_of):
    lose_change(1)
    lose_change(2, ambiguity="The flow no longer exists at Twilio.")
    find_drift(3)
    client = client_of("viewer")

    undecided, unknown, drift = items(open_counts=count_open(None))

    assert undecided.url == unknown.url == "/audit/?result=unresolved"
    assert len(client.get(unknown.url).context["events"]) == 2
    assert drift.url == "/flows/drift/"


def test_sync_that_failed_says_how_old_the_data_is():
    three_hours_ago = timezone.now() - timedelta(hours=3)
    failed = mirror("staging", failed_at=timezone.now(), synced_at=three_hours_ago)

    (item,) = items(mirrors=[failed])

    assert (item.shape, item.sentence) == ("bad", "Syncing staging failed")
    assert item.detail == "Last successful sync 3 h ago."
    assert item.url == "/accounts/"


def test_incomplete_syncs_are_described():
    now = timezone.now()
    mirrors = [
        mirror(),
        mirror("demo", synced_at=now, missing=2, missing_checked=1),
        mirror("new", failed_at=now),
        mirror("good", synced_at=now),
    ]

    assert [(item.sentence, item.detail) for item in items(mirrors=mirrors)] == [
        ("Syncing new failed", "No flows have been synced yet."),
        (
            "demo: partly synced",
            "Checking 2 flows that are missing from Twilio's list: 1 checked.",
        ),
        ("The flows: never synced", "No flows have been read from Twilio yet."),
    ]


def test_bulk_changes_are_listed_by_urgency():
    now, long_ago = timezone.now(), timezone.now() - timedelta(minutes=5)
    plans = [
        plan("draft"),
        plan("running", heartbeat_at=now),
        plan("stopped", ended_at=now),
        plan("running", heartbeat_at=long_ago),
    ]

    found = items(plans=plans, has_more_plans=True)

    assert [(item.shape, item.sentence) for item in found] == [
        ("bad", "Bulk change waits for a worker: Turn off 3 flows"),
        ("stop", "Bulk change stopped: Turn off 3 flows"),
        ("busy", "Bulk change in progress: Turn off 3 flows"),
        ("none", "Your draft of a bulk change: Turn off 3 flows"),
        ("none", "More bulk changes are unfinished"),
    ]
    assert {item.detail for item in found[:4]} == {"2 flows left."}
    assert found[2].url == f"/flows/plans/{plans[1].plan.pk}/"
    assert found[4].url == "/flows/plans/"


def test_altered_log_comes_first(actor):
    verification.verify_and_record(actor=actor)
    status = load_log_status()
    broken = LogStatus(
        1,
        verification.VerificationRecord(status.verification.event, {"bad_seq": 1}, 0, True),
        None,
    )

    found = items(log=broken, open_counts=OpenCounts(1, 1, 1))

    assert found[0].sentence == "The audit log was altered"
    assert found[0].url == "/audit/?action=audit.verify"
    assert len(found) == 4
    assert items(log=status) == []


def test_most_urgent_comes_first():
    now = timezone.now()
    everything = sentences(
        open_counts=OpenCounts(1, 1, 1),
        mirrors=[mirror("a", failed_at=now), mirror("b")],
        plans=[plan("stopped", ended_at=now)],
        warned_counts={ACCOUNT: 1},
    )

    assert everything == [
        "1 change needs your decision",
        "1 change has an unknown outcome",
        "Syncing a failed",
        "Bulk change stopped: Turn off 3 flows",
        "1 flow was changed outside this dashboard",
        "b: never synced",
        "1 flow has warnings",
    ]


def test_warnings_are_counted_by_account_without_those_that_the_site_no_longer_has():
    production = mirror("production", synced_at=timezone.now())

    one = items(mirrors=[production], warned_counts={ACCOUNT: 2})
    several = items(mirrors=[production], warned_counts={OTHER: 1, ACCOUNT: 1234})

    assert [(item.sentence, item.url) for item in one] == [
        ("2 flows have warnings", "/flows/?warnings=true")
    ]
    assert [(item.sentence, item.url) for item in several] == [
        ("production: 1,234 flows have warnings", f"/flows/?account={ACCOUNT}&warnings=true"),
    ]


def checked(account_sid=ACCOUNT, unmet=()):
    at = timezone.now() - timedelta(minutes=5)
    return {account_sid: CheckState(account_sid, at, None, [], list(unmet), {})}


def test_errors_of_the_checks_come_before_what_can_wait():
    found = items(
        checks=checked(unmet=["target-gone"]),
        finding_counts={ACCOUNT: SeverityCounts(errors=3, warnings=1)},
        warned_counts={ACCOUNT: 2},
        open_counts=OpenCounts(undecided=0, unknown=0, external=1),
        mirrors=[mirror(synced_at=timezone.now())],
    )

    assert [(each.shape, each.sentence) for each in found] == [
        ("bad", "The checks found 3 errors and 1 warning"),
        ("doubt", "1 flow was changed outside this dashboard"),
    ]
    assert found[0].url == "/checks/"
    assert found[0].detail == "Checked 5 min ago. 1 check could not be made."


def test_warnings_of_the_checks_take_the_place_of_the_flows_with_warnings():
    counts = {"warned_counts": {ACCOUNT: 2}, "mirrors": [mirror(synced_at=timezone.now())]}

    [unchecked] = items(**counts)
    [found] = items(
        checks=checked(), finding_counts={ACCOUNT: SeverityCounts(errors=0, warnings=4)}, **counts
    )

    assert unchecked.sentence == "2 flows have warnings"
    assert (found.shape, found.sentence) == ("doubt", "The checks found 4 warnings")
    assert items(checks=checked(), **counts) == []


def test_findings_name_their_account_if_there_are_several():
    [found] = items(
        checks=checked(),
        finding_counts={
            ACCOUNT: SeverityCounts(errors=1, warnings=0),
            OTHER: SeverityCounts(errors=5, warnings=0),
        },
        mirrors=[mirror("production", synced_at=timezone.now())],
    )

    assert found.sentence == "production: The checks found 1 error"
    assert found.url == f"/checks/?account={ACCOUNT}"
