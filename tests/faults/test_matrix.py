"""Matrix of faults, with one run of each cell.

`python -m tests.faults.matrix` runs more. The checks must also complain about a faulty site.
"""

import pytest
from django.db import connection

from flows.audit.models import Result
from flows.changes import attempt, flow_changes, reconcile
from flows.twilio import client, retries
from flows.twilio.sandbox.faults import FaultKind
from tests.faults.acting import assert_chain_intact
from tests.faults.matrix.edits import FlowGenerator
from tests.faults.matrix.play import RUNS, Clock, Run, run_scenario
from tests.faults.matrix.troubles import CREATE, SCENARIOS, SWITCH, UPDATE
from tests.faults.witness import (
    APPLIED,
    APPLIED_TWICE,
    APPLIED_WITHOUT_ATTEMPT,
    LEFT_UNKNOWN,
    RECORDED_APPLIED_BUT_NOT,
    RECORDED_FAILED_BUT_APPLIED,
    VIOLATIONS,
)

pytestmark = pytest.mark.django_db(transaction=True)

# A switch is an update: of a fault that both can meet, every other row plays the one, the rest the other.
ROWS = {
    name: [
        verb
        for verb in trouble.verbs
        if verb != (UPDATE, SWITCH)[number % 2] or len(trouble.verbs) < 3
    ]
    for number, (name, trouble) in enumerate(SCENARIOS.items())
}


@pytest.mark.quick(
    "refused with 403",
    "cut off, applied",
    "silence, not applied",
    "refuses the attempt",
    "before the attempt is committed",
    "nothing goes wrong",
)
@pytest.mark.parametrize("name", ROWS)
def test_log_tells_the_truth(name):
    trouble = SCENARIOS[name]
    if trouble.vendor not in ("", connection.vendor):
        pytest.skip(f"of {trouble.vendor}'s alone")
    if trouble.faults and connection.vendor != "sqlite":
        pytest.skip(
            "a fault of Twilio's is the same on every database; the command plays them on each"
        )
    clock = Clock()

    verdicts = {
        verb: run_scenario(trouble, verb, runs=1, seed=1, clock=clock) for verb in ROWS[name]
    }

    for verdict in verdicts.values():
        assert verdict.complaints == []
        assert [verdict.counts[violation] for violation in VIOLATIONS] == [0] * 5
        assert verdict.counts[RUNS] == 1
    assert_chain_intact()


@pytest.mark.quick
def test_matrix_has_every_fault_and_enough_of_them():
    """The matrix needs 30 rows. Faults of the sandbox's lists apply to reconciliation."""
    kinds = {fault.kind for trouble in SCENARIOS.values() for fault in trouble.faults}

    assert kinds == set(FaultKind)
    assert len(SCENARIOS) >= 30


@pytest.mark.quick
@pytest.mark.parametrize("verb", [CREATE, UPDATE])
@pytest.mark.parametrize("name", ["refused with 403", "refused with 410"])
def test_refusal_of_one_run_does_not_stop_the_next(verb, name):
    """The site remembers refused operations, and the command runs its cells in one database."""
    clock = Clock()

    first, second = (
        run_scenario(SCENARIOS[name], verb, runs=2, seed=seed, clock=clock) for seed in (1, 2)
    )

    assert first.complaints == second.complaints == []
    assert first.counts[RUNS] == second.counts[RUNS] == 2


@pytest.fixture
def sends_first(monkeypatch):
    def execute(self, send):
        answer = send()
        self.attempt_event = self.record_attempt()
        return flow_changes.Change(self.record_outcome(Result.SUCCEEDED, answer), answer.snapshot)

    monkeypatch.setattr(flow_changes.ChangeAttempt, "execute", execute)


@pytest.fixture
def takes_silence_for_no(monkeypatch):
    monkeypatch.setattr(
        attempt, "_classify_result", lambda error: Result.FAILED if error else Result.SUCCEEDED
    )


@pytest.fixture
def takes_silence_for_yes(monkeypatch):
    monkeypatch.setattr(attempt, "_classify_result", lambda error: Result.SUCCEEDED)


@pytest.fixture
def repeats_everything(monkeypatch):
    monkeypatch.setattr(
        retries,
        "IDEMPOTENT_OPERATIONS",
        retries.IDEMPOTENT_OPERATIONS.union(client.WRITE_OPERATIONS),
    )


@pytest.fixture
def believes_one_read(monkeypatch):
    monkeypatch.setattr(reconcile, "_confirm_not_applied", lambda change: True)


@pytest.fixture
def never_reconciles(monkeypatch):
    monkeypatch.setattr(reconcile, "reconcile", list)


@pytest.mark.parametrize(
    ("broken", "name", "complaint"),
    [
        ("sends_first", "nothing goes wrong", APPLIED_WITHOUT_ATTEMPT),
        ("takes_silence_for_no", "cut off, applied", RECORDED_FAILED_BUT_APPLIED),
        ("takes_silence_for_yes", "cut off, not applied", RECORDED_APPLIED_BUT_NOT),
        ("repeats_everything", "cut off once, applied", APPLIED_TWICE),
        ("believes_one_read", "applied late, between two reads", RECORDED_FAILED_BUT_APPLIED),
        ("never_reconciles", "silence, applied", LEFT_UNKNOWN),
    ],
)
@pytest.mark.parametrize("verb", [CREATE, UPDATE])
def test_matrix_complains_of_a_site_that(request, monkeypatch, broken, name, complaint, verb):
    request.getfixturevalue(broken)
    monkeypatch.setattr(Run, "_elsewhere", lambda run: None)  # nobody else's doing puzzles it
    drawn = FlowGenerator.flow  # of two alike that are on, Twilio would refuse the second
    monkeypatch.setattr(FlowGenerator, "flow", lambda draws: {**drawn(draws), "enabled": False})

    verdict = run_scenario(SCENARIOS[name], verb, runs=1, seed=1, clock=Clock())

    assert verdict.counts[complaint] == 1
    assert verdict.counts[APPLIED] == (complaint != RECORDED_APPLIED_BUT_NOT)
