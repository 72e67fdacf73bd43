"""Random changes against an API that is eventually consistent.

We and others change flows while reads lag behind writes and lists are incomplete. The log must
contain no deletion, creation or change that did not happen, and keep the real order. Once the API
is consistent again, it must contain all that did happen.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from unittest import mock

from rich.table import Table

from flows.audit import audit_log
from flows.audit.models import UNIQUE_STAGES, AuditEvent, OpenChange
from flows.availability.models import Closure
from flows.changes import flow_changes, in_flight, reconcile
from flows.mirror import mirror, stale_reads
from flows.mirror.models import Flow, MissingFlow, SyncState
from flows.mirror.sync import SyncBusy, sync_account
from flows.twilio.client import ResourceClient
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.consistency import Lag, LagKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.acting import OMAR
from tests.faults.matrix.edits import FlowGenerator
from tests.faults.matrix.play import ONE_MINUTE, Clock, empty_site
from tests.faults.truth import APPLIED_RESULTS, find_differences, to_stored

RUNS, OWN_CHANGES, EXTERNAL_CHANGES, LAGGED_READS = (
    "runs",
    "changes here",
    "changes there",
    "reads that lagged",
)
OBSERVED, STALE_REFUSALS = "observed", "refused as stale"
FALSE_DELETION, FALSE_CREATION, FALSE_DRIFT = "false deletions", "false creations", "false drift"
NOT_FOUND = "not found in the end"
COLUMNS: Final = (
    RUNS, OWN_CHANGES, EXTERNAL_CHANGES, LAGGED_READS, STALE_REFUSALS, OBSERVED, FALSE_DELETION, FALSE_CREATION, FALSE_DRIFT, NOT_FOUND,
)  # fmt: skip
VIOLATIONS: Final = (FALSE_DELETION, FALSE_CREATION, FALSE_DRIFT, NOT_FOUND)
STEPS: Final = 45
FLOWS: Final = 8  # at the start of a run
PAGE_SIZE: Final = 3  # flows of a list's page
EXPECTED_ERRORS: Final = (
    FlexError, flow_changes.Conflict, flow_changes.NothingToChange, flow_changes.FlowUnreadable, in_flight.ConcurrentChange, SyncBusy,
)  # fmt: skip

DrawLag = Callable[[random.Random, str], Lag | None]


def _draw_stale(chance: random.Random) -> Lag:
    return Lag(LagKind.STALE, seconds=chance.uniform(0, 60))


def _draw_for_lists(kind: LagKind) -> DrawLag:
    return lambda chance, path: (
        Lag(kind) if path.endswith("/FlexFlows") and chance.random() < 0.5 else None
    )


def _draw_any(chance: random.Random, path: str) -> Lag | None:
    kinds = [LagKind.STALE] * 3 + ([*LagKind] if path.endswith("/FlexFlows") else [])
    return (
        Lag(chance.choice(kinds), seconds=chance.uniform(0, 60)) if chance.random() < 0.7 else None
    )


ROWS: Final[dict[str, DrawLag]] = {
    "lists up to a minute old": lambda chance, path: (
        _draw_stale(chance) if path.endswith("/FlexFlows") else None
    ),
    "flows up to a minute old, 404 after 201": lambda chance, path: (
        None if path.endswith("/FlexFlows") else _draw_stale(chance)
    ),
    "every read up to a minute old": lambda chance, _path: _draw_stale(chance),
    "empty lists": _draw_for_lists(LagKind.EMPTY),
    "short lists": _draw_for_lists(LagKind.SHORT),
    "pages that skip a flow": _draw_for_lists(LagKind.SKIPPED),
    "pages that repeat a flow": _draw_for_lists(LagKind.REPEATED),
    "all of these": _draw_any,
    "nothing lags": lambda _chance, _path: None,
}


@dataclass
class Tally:
    """Counts of findings, and a sentence for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts.update(other.counts)
        self.complaints.extend(other.complaints)

    def complain(self, what: str, sentence: str) -> None:
        self.counts[what] += 1
        self.complaints.append(f"{what}: {sentence}")


def run_row(name: str, *, runs: int, seed: int, clock: Clock) -> Tally:
    """Return the tally of several runs of one row."""
    total = Tally()
    for number in range(runs):
        clock.move(10 * ONE_MINUTE)
        with _empty_api(clock) as sandbox:
            run = Run(name, sandbox, clock, random.Random(f"{name} {seed} {number}"))
            tally = run.execute()
        tally.complaints = [f"{name}, seed {seed}, run {number}: {one}" for one in tally.complaints]
        total.add(tally)
    return total


@contextmanager
def _empty_api(clock: Clock) -> Iterator[Sandbox]:
    """Start an empty API with small pages and an empty site."""
    listed = ResourceClient.list
    small = mock.patch.object(
        ResourceClient, "list", lambda client, **more: listed(client, page_size=PAGE_SIZE, **more)
    )
    with empty_site(clock) as sandbox, small:
        for model in (MissingFlow, Closure, OpenChange):
            model.objects.all().delete()
        SyncState.objects.all().delete()
        yield sandbox


class Run:
    """One random history.

    `history` is the real state of each flow with its start time; None stands for a deleted flow.
    """

    def __init__(self, name: str, sandbox: Sandbox, clock: Clock, chance: random.Random) -> None:
        self.sandbox, self.clock, self.chance, self.tally = sandbox, clock, chance, Tally()
        self.draw = lambda path: ROWS[name](chance, path)
        self.draws = FlowGenerator(chance, f"{chance.getrandbits(32):08x}")
        self.history: dict[str, list[tuple[datetime, dict[str, Any] | None]]] = {}
        self.since = audit_log.last_seq()

    def execute(self) -> Tally:
        for _ in range(FLOWS):
            self.sandbox.add_flow(**self.draws.flow())
        self._remember(self.clock.now())
        self.clock.move(2 * ONE_MINUTE)
        sync_account(ACCOUNT)
        self.sandbox.lags.draw = self.draw
        before = len(self.sandbox.requests)
        for _ in range(STEPS):
            self.clock.move(timedelta(seconds=self.chance.choice([0, 1, 3, 10, 25, 70])))
            began = self.clock.now()
            with self._count_stale_reads():
                self.chance.choice(
                    [
                        self._ours,
                        self._elsewhere,
                        self._elsewhere,
                        self._sync,
                        self._sync,
                        self._look,
                    ]
                )()
            self._remember(began)
        lagged = [request.fault for request in self.sandbox.requests[before:] if request.fault]
        self.tally.counts[LAGGED_READS] += len(lagged)
        self._restore_and_compare()
        self._judge()
        self.tally.counts[RUNS] += 1
        return self.tally

    @contextmanager
    def _count_stale_reads(self) -> Iterator[None]:
        try:
            yield
        except stale_reads.StaleRead:
            self.tally.counts[STALE_REFUSALS] += 1
        except flow_changes.FlowUnreadable as unread:
            self.tally.counts[STALE_REFUSALS] += isinstance(unread.error, stale_reads.StaleRead)
        except EXPECTED_ERRORS:
            pass

    def _ours(self) -> None:
        common = {"reason": "", "actor": OMAR, "change_id": uuid.uuid4()}
        row = self._row()
        act = self.chance.choice(["create", "update", "switch", "delete"]) if row else "create"
        if act == "create":
            flow_changes.create_flow(account_sid=ACCOUNT, values=self.draws.flow(), **common)
        elif act == "update":
            flow_changes.update_flow(
                sid=row.sid,
                account_sid=ACCOUNT,
                base=row.resource,
                values=self._edit(row.resource),
                **common,
            )
        elif act == "switch":
            flow_changes.set_enabled(
                sid=row.sid, account_sid=ACCOUNT, enabled=not row.enabled, **common
            )
        else:
            flow_changes.delete_flow(
                sid=row.sid,
                account_sid=ACCOUNT,
                base={"friendly_name": row.friendly_name},
                **common,
            )
        self.tally.counts[OWN_CHANGES] += 1

    def _elsewhere(self) -> None:
        sids = list(self.sandbox.flows)
        act = self.chance.choice(["add", "edit", "edit", "remove"]) if sids else "add"
        if act == "add":
            self.sandbox.add_flow(**self.draws.flow())
        elif act == "edit":
            sid = self.chance.choice(sids)
            self.sandbox.edit_flow(sid, **self._edit(FLEX_FLOW.decode(self.sandbox.flows[sid])))
        elif len(sids) > 2:
            self.sandbox.remove_flow(self.chance.choice(sids))
        self.tally.counts[EXTERNAL_CHANGES] += 1

    def _edit(self, flow: dict[str, Any]) -> dict[str, Any]:
        """Draw values that repeat often, so that an older state looks like a newer one."""
        return self.chance.choice(
            [
                {"friendly_name": self.chance.choice(["Alpha", "Beta", "Gamma"])},
                {"enabled": not flow.get("enabled")},
                {"long_lived": not flow.get("long_lived")},
            ]
        )

    def _sync(self) -> None:
        sync_account(ACCOUNT)

    def _look(self) -> None:
        """Open a flow's page."""
        if row := self._row():
            mirror.fetch(row.sid, account_sid=ACCOUNT)

    def _row(self) -> Flow | None:
        rows = list(Flow.objects.filter(gone_at=None).order_by("sid"))
        return self.chance.choice(rows) if rows else None

    def _remember(self, since: datetime) -> None:
        """Record the real state of the flows since the start of an action."""
        flows = self.sandbox.flows
        for sid in {*flows, *self.history}:
            state = to_stored(flows[sid]) if sid in flows else None
            states = self.history.setdefault(sid, [])
            if not states or states[-1][1] != state:
                states.append((since, state))

    def _restore_and_compare(self) -> None:
        self.sandbox.lags.clear()
        for _ in range(3):
            self.clock.move(ONE_MINUTE)
            with suppress(FlexError):
                sync_account(ACCOUNT)
            reconcile.reconcile()
        for difference in find_differences(self.sandbox):
            self.tally.complain(NOT_FOUND, difference)

    def _judge(self) -> None:
        """Compare the log's states of each flow with its real history, in order."""
        places: dict[str, int] = {}
        events = (
            AuditEvent.objects.filter(seq__gt=self.since)
            .exclude(target_sid="")
            .select_related("payload")
        )
        for event in events.order_by("seq"):
            is_ours = event.stage in UNIQUE_STAGES and event.result in APPLIED_RESULTS
            if not is_ours and event.stage != "observed":
                continue
            place = self._place_of(event, places.get(event.target_sid, 0))
            if place is None and not is_ours:
                violation = FALSE_DELETION if event.payload.after is None else FALSE_DRIFT
                violation = FALSE_CREATION if event.payload.before is None else violation
                self.tally.complain(
                    violation, f"{event}: {event.payload.before} {event.payload.after}"
                )
            elif place is not None:
                places[event.target_sid] = place
            self.tally.counts[OBSERVED] += not is_ours

    def _place_of(self, event: AuditEvent, since: int) -> int | None:
        """Return the first index of the flow's history, from `since` on, that matches an event."""
        after = event.payload.after
        for place, (at, state) in enumerate(self.history.get(event.target_sid, [])):
            if place < since or at > event.at:
                continue
            if (state is None) == (after is None) and not (
                state and after and FLEX_FLOW.changed_writable_fields(state, after)
            ):
                return place
        return None


def build_table(tallies: dict[str, Tally]) -> Table:
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    table = Table(
        title="An API that is eventually consistent: what happened, held against what the audit log says",
        show_footer=True,
    )
    table.add_column("what lags", f"{len(tallies)} in all", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, _format_cell(column, total), justify="right")
    for name, tally in tallies.items():
        table.add_row(name, *(_format_cell(column, tally) for column in COLUMNS))
    return table


def _format_cell(column: str, tally: Tally) -> str:
    count = tally.counts[column]
    if column in VIOLATIONS:
        return f"[bold red]{count}" if count else "[green]0"
    return str(count)
