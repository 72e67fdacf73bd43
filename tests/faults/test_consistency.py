"""Eventually consistent API, with a few runs of each row.

`python -m tests.faults.matrix` runs more. The checks must also complain about a site that trusts
wrong reads.
"""

import pytest

from flows.mirror import flow_reads, missing_flows, stale_reads
from tests.faults.acting import assert_chain_intact
from tests.faults.matrix import consistency
from tests.faults.matrix.consistency import (
    FALSE_CREATION,
    FALSE_DELETION,
    FALSE_DRIFT,
    OBSERVED,
    ROWS,
    RUNS,
    VIOLATIONS,
    run_row,
)
from tests.faults.matrix.play import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", ROWS)
def test_log_tells_nothing_that_did_not_happen_and_in_the_end_all_that_did(name):
    tally = run_row(name, runs=2, seed=1, clock=Clock())

    assert tally.complaints == []
    assert [tally.counts[violation] for violation in VIOLATIONS] == [0] * len(VIOLATIONS)
    assert tally.counts[RUNS] == 2
    assert tally.counts[OBSERVED] > 2 * consistency.FLOWS
    assert_chain_intact()


@pytest.fixture
def believes_every_read(monkeypatch):
    monkeypatch.setattr(stale_reads, "find_contradiction", lambda *_: None)
    monkeypatch.setattr(stale_reads, "is_older", lambda *_: False)


@pytest.fixture
def believes_every_absence(monkeypatch):
    monkeypatch.setattr(flow_reads, "fetch_existing", lambda *_: None)
    monkeypatch.setattr(missing_flows, "find_recently_changed", lambda *_, **__: set())


@pytest.mark.parametrize(
    ("broken", "name", "complaint"),
    [
        ("believes_every_read", "every read up to a minute old", FALSE_DRIFT),
        ("believes_every_read", "every read up to a minute old", FALSE_CREATION),
        ("believes_every_read", "every read up to a minute old", FALSE_DELETION),
        ("believes_every_absence", "short lists", FALSE_DELETION),
        ("believes_every_absence", "pages that skip a flow", FALSE_DELETION),
    ],
)
def test_family_complains_of_a_site_that(request, broken, name, complaint):
    request.getfixturevalue(broken)

    # The SIDs, and so the flow that each step takes, differ from run to run: one seed may miss what the next one meets.
    found = (
        run_row(name, runs=2, seed=seed, clock=Clock()).counts[complaint] for seed in range(30)
    )

    assert any(found)
