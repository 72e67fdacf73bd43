"""After any history of flows, names and readings, the table is what the rules find and the log says."""

import random
from collections import Counter

import pytest
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import verification
from flows.audit.models import AuditEvent
from flows.checks import stored_findings
from flows.checks.checking import RULES, check_accounts
from flows.checks.finding_rows import evaluate_state
from flows.checks.models import CheckedAccount, StoredFinding
from flows.checks.stored_state import load_state
from flows.mirror.models import Flow
from flows.names.models import NameReading, ResourceName
from tests import ACCOUNT
from tests.flows.checks.test_checking import (
    READ,
    add_objects,
    random_flow,
    read_completely,
    store,
)
from tests.flows.checks.test_stored_findings import evaluate
from tests.flows.search.mirrored_flows import DAY
from tests.property_tests import choose_seeds

pytestmark = pytest.mark.django_db


class Replay:
    """The findings that the events of the log lead to."""

    def __init__(self):
        self.findings = Counter()
        self.judged = set()
        self.seq = 0

    def follow(self):
        """Take over the new events. What is first evaluated is taken from the table."""
        new_events = AuditEvent.objects.filter(seq__gt=self.seq).select_related("payload")
        for event in new_events.order_by("seq"):
            self.seq = event.seq
            values = event.payload.requested or {}
            key = (event.target_sid, values.get("Rule"), values.get("Severity"))
            if event.action == "finding.appeared":
                self.findings[key] += 1
            elif event.action == "finding.cleared":
                self.findings[key] -= 1
        existing = set(Flow.objects.filter(gone_at=None).values_list("sid", flat=True))
        judged = set(CheckedAccount.objects.get().judged_rules)
        table = table_of(judged)
        for key, number in table.items():
            if key[1] in judged - self.judged:
                self.findings[key] = number
        self.judged = judged
        self.findings = +Counter(
            {key: number for key, number in self.findings.items() if key[0] in existing}
        )


def table_of(rule_ids):
    stored = StoredFinding.objects.filter(rule_id__in=rule_ids)
    return Counter(stored.values_list("sid", "rule_id", "severity"))


def change_something(chance, snapshots):
    """Change flows, names or readings, as syncs, refreshes and users do."""
    match chance.choice(["flows", "flows", "gone", "name", "failure", "reading", "read"]):
        case "flows":
            for _ in range(chance.randrange(1, 4)):
                snapshots[chance.randrange(len(snapshots))] = random_flow(chance)
            store(*snapshots)
        case "gone":
            sid = f"FO{chance.randrange(len(snapshots)):032}"
            Flow.objects.filter(sid=sid).update(gone_at=chance.choice([DAY, None]))
        case "name":
            sid = chance.choice(sorted(ResourceName.objects.values_list("sid", flat=True)))
            gone_at = chance.choice([DAY, None])
            ResourceName.objects.filter(sid=sid).update(gone_at=gone_at)
        case "failure":
            resource = chance.choice(READ)
            NameReading.objects.filter(resource=resource).update(failed_at=DAY)
        case "reading":
            NameReading.objects.filter(resource=chance.choice(READ)).update(read_at=DAY)
        case _:
            NameReading.objects.update(failed_at=None, read_at=timezone.now())


def play(seed, steps):
    chance = random.Random(seed)
    add_objects()
    snapshots = [random_flow(chance) for _ in range(14)]
    store(*snapshots)
    if chance.random() < 0.5:
        read_completely(*READ)
    replay = Replay()
    for _ in range(steps):
        evaluate()
        live = evaluate_state(ACCOUNT, load_state(ACCOUNT))
        stored = stored_findings.load_rows(ACCOUNT)
        keys = {row.key for row in stored}
        assert keys >= {row.key for row in live.findings}
        kept = keys - {row.key for row in live.findings}
        assert all(live.is_unjudged(row) for row in stored if row.key in kept)
        report = check_accounts(twilio_accounts.all_accounts())
        met = {rule.rule_id for rule in RULES} - live.unmet - {rule for _, rule in live.outdated}
        found = {(each.sid, each.rule.rule_id) for each in report.findings}
        judged_rows = {row[:2] for row in stored if row.key not in kept}
        assert {pair for pair in judged_rows if pair[1] in met} == {
            pair for pair in found if pair[1] in met
        }
        replay.follow()
        assert replay.findings == table_of(replay.judged)
        if not NameReading.objects.exists():
            read_completely(*READ)
        change_something(chance, snapshots)
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize("seed", range(3))
def test_table_is_what_the_rules_find_and_what_the_log_says(seed):
    play(seed, steps=12)


@pytest.mark.long
@pytest.mark.parametrize("seed", choose_seeds(3))
def test_table_is_what_the_rules_find_after_long_histories(seed):
    play(100 + seed, steps=60)
