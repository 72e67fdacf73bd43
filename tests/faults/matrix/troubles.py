"""Faults of the matrix as data, one row each.

play.py runs them. surroundings.py has the faults that the sandbox can't play alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from flows.twilio.client import ResourceClient
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.matrix import surroundings

if TYPE_CHECKING:
    from tests.faults.matrix.play import Run

CREATE, UPDATE, SWITCH, DELETE = VERBS = ("create", "update", "set_enabled", "delete")
EXISTING_FLOW_VERBS: Final = (UPDATE, SWITCH, DELETE)
SHORT_DEADLINE: Final = 0.15  # seconds that a call may take where the fault would never end
LONG_DEADLINE: Final = 15.0

Phase = Literal["at the call", "reading first", "reconciling"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One row. `faults` apply to one request each, in order. The last one repeats if it `lasts`."""

    name: str
    group: str
    faults: tuple[Fault, ...] = ()
    lasts: bool = True
    when: Phase = "at the call"
    verbs: tuple[str, ...] = VERBS
    deadline: float = LONG_DEADLINE
    client: Callable[[ResourceClient], None] = lambda _client: (
        None
    )  # changes the client of the one call
    around: Callable[[Run], AbstractContextManager[Any]] = lambda _run: nullcontext()
    killed: str = ""  # the step at which the process dies; victim.py
    applied_late: Literal["", "before reading", "between two reads"] = ""
    vendor: str = ""  # of the database, if it is one's alone


def _fault_scenario(name: str, kind: FaultKind, group: str, **how: Any) -> Scenario:
    own = {
        key: how.pop(key)
        for key in ("lasts", "deadline", "verbs", "when", "applied_late")
        if key in how
    }
    return Scenario(name=name, group=group, faults=(Fault(kind, **how),), **own)


def _refusals() -> list[Scenario]:
    group = "Twilio says no"
    codes = {400: 20001, 401: 20003, 403: 20005, 404: 20404, 409: 20409, 410: 20404, 422: 20001}
    return [
        *(
            _fault_scenario(
                f"refused with {status}", FaultKind.REFUSE, group, status=status, code=code
            )
            for status, code in codes.items()
        ),
        _fault_scenario("refused as RFC 9457 has it", FaultKind.PROBLEM, group),
        _fault_scenario(
            "429 once, then well", FaultKind.TOO_MANY, group, retry_after=0, lasts=False
        ),
        _fault_scenario("429 for good", FaultKind.TOO_MANY, group, retry_after=0),
        _fault_scenario(
            "429, come back after the deadline", FaultKind.TOO_MANY, group, retry_after=3600
        ),
        Scenario(name="wrong API key", group=group, client=surroundings.use_wrong_key),
        Scenario(
            name="the identity is taken",
            group=group,
            around=surroundings.take_identity,
            verbs=(CREATE, SWITCH),
        ),
        Scenario(
            name="gone since it was read",
            group=group,
            around=surroundings.delete_before_write,
            verbs=EXISTING_FLOW_VERBS,
        ),
    ]


def _server_errors() -> list[Scenario]:
    group = "Twilio breaks"
    return [
        *(
            _fault_scenario(f"{status}, not applied", FaultKind.SERVER_ERROR, group, status=status)
            for status in (500, 502, 503)
        ),
        *(
            _fault_scenario(
                f"{status}, applied", FaultKind.APPLY_THEN_SERVER_ERROR, group, status=status
            )
            for status in (500, 504)
        ),
        _fault_scenario("500 once, then well", FaultKind.SERVER_ERROR, group, lasts=False),
        _fault_scenario(
            "applied, 500 once, then well", FaultKind.APPLY_THEN_SERVER_ERROR, group, lasts=False
        ),
        _fault_scenario("a proxy's 502", FaultKind.HTML, group),
        *(
            _fault_scenario(f"redirected with {status}", FaultKind.REDIRECT, group, status=status)
            for status in (302, 303, 307)
        ),
        Scenario(
            name="applied and lost, then refused with 403",
            group=group,
            faults=(
                Fault(FaultKind.APPLY_THEN_DROP),
                Fault(FaultKind.REFUSE, status=403, code=20005),
            ),
        ),
        Scenario(
            name="429, then applied and lost",
            group=group,
            faults=(Fault(FaultKind.TOO_MANY, retry_after=0), Fault(FaultKind.APPLY_THEN_DROP)),
            lasts=False,
        ),
    ]


def _connection_errors() -> list[Scenario]:
    group = "The line breaks"
    late = {"deadline": SHORT_DEADLINE}
    return [
        Scenario(name="no connection", group=group, client=surroundings.use_closed_port),
        Scenario(name="no turn within Twilio's rates", group=group, client=surroundings.exhaust_rates, deadline=SHORT_DEADLINE),
        _fault_scenario("cut off, not applied", FaultKind.DROP, group),
        _fault_scenario("cut off, applied", FaultKind.APPLY_THEN_DROP, group),
        _fault_scenario("cut off once, applied", FaultKind.APPLY_THEN_DROP, group, lasts=False),
        _fault_scenario("silence, not applied", FaultKind.HANG, group, **late),
        _fault_scenario("silence, applied", FaultKind.APPLY_THEN_HANG, group, **late),
        _fault_scenario("applied late, before it is read", FaultKind.LATE_APPLY, group, **late, applied_late="before reading"),
        _fault_scenario("applied late, between two reads", FaultKind.LATE_APPLY, group, **late, applied_late="between two reads"),
        _fault_scenario("half an answer", FaultKind.TRUNCATE, group),
        _fault_scenario("body byte by byte", FaultKind.DRIP, group, seconds=0.05, **late),
        _fault_scenario("headers byte by byte", FaultKind.DRIP_HEADERS, group, seconds=0.05, **late),
        _fault_scenario("byte by byte, in time", FaultKind.DRIP, group, seconds=0),
    ]  # fmt: skip


def _invalid_responses() -> list[Scenario]:
    group = "The answer can't be used"
    return [
        _fault_scenario("HTML with 200", FaultKind.HTML_OK, group),
        _fault_scenario("garbage", FaultKind.GARBAGE, group),
        _fault_scenario("empty", FaultKind.EMPTY, group),
        _fault_scenario("another flow's", FaultKind.WRONG_SID, group),
        _fault_scenario("without an end", FaultKind.HUGE, group, deadline=SHORT_DEADLINE),
    ]


def _read_errors() -> list[Scenario]:
    """Return rows for failing reads around a change.

    For the reads of a reconciliation, the change itself has an unknown outcome.
    """
    first: dict[str, Any] = {"when": "reading first", "verbs": EXISTING_FLOW_VERBS}
    later: dict[str, Any] = {"when": "reconciling"}
    group = "Reading breaks"
    return [
        _fault_scenario("read first: refused with 401", FaultKind.REFUSE, group, status=401, code=20003, **first),
        _fault_scenario("read first: 404", FaultKind.REFUSE, group, status=404, code=20404, **first),
        _fault_scenario("read first: 500", FaultKind.SERVER_ERROR, group, **first),
        _fault_scenario("read first: silence", FaultKind.HANG, group, deadline=SHORT_DEADLINE, **first),
        _fault_scenario("read first: another flow's", FaultKind.WRONG_SID, group, **first),
        _fault_scenario("reconciling: 500", FaultKind.SERVER_ERROR, group, **later),
        _fault_scenario("reconciling: refused with 401", FaultKind.REFUSE, group, status=401, code=20003, **later),
        _fault_scenario("reconciling: a proxy's 404", FaultKind.HTML, group, status=404, **later),
        _fault_scenario("reconciling: silence", FaultKind.HANG, group, deadline=SHORT_DEADLINE, **later),
        _fault_scenario("reconciling: another flow's", FaultKind.WRONG_SID, group, **later, verbs=EXISTING_FLOW_VERBS),
        _fault_scenario("reconciling: half an answer", FaultKind.TRUNCATE, group, **later),
        _fault_scenario("reconciling: the list goes in a loop", FaultKind.PAGE_LOOP, group, **later, verbs=(CREATE,)),
        _fault_scenario("reconciling: the list goes elsewhere", FaultKind.LEAVE_HOST, group, **later, verbs=(CREATE,)),
    ]  # fmt: skip


def _database_errors() -> list[Scenario]:
    group, lost = "The database breaks", (Fault(FaultKind.APPLY_THEN_DROP),)
    return [
        Scenario(name="refuses the attempt", group=group, around=surroundings.fail_stage("attempt")),
        Scenario(name="refuses the attempt's payload", group=group, around=surroundings.fail_inserts("auditpayload")),
        Scenario(name="refuses what is open", group=group, around=surroundings.fail_inserts("openchange")),
        Scenario(name="locked at the attempt", group=group, around=surroundings.lock_log),
        Scenario(name="takes no writes", group=group, around=surroundings.make_read_only),
        Scenario(name="refuses the outcome", group=group, around=surroundings.fail_stage("outcome")),
        Scenario(
            name="refuses the outcome of a lost call",
            group=group,
            faults=lost,
            around=surroundings.fail_stage("outcome"),
        ),
        Scenario(name="refuses the copy", group=group, around=surroundings.fail_inserts("flow")),
        Scenario(
            name="refuses what reconciling found",
            group=group,
            when="reconciling",
            around=surroundings.fail_stage("reconciled"),
        ),
        Scenario(name="goes away during the call", group=group, around=surroundings.disconnect_database, vendor="postgresql"),
    ]  # fmt: skip


def _kills() -> list[Scenario]:
    group = "kill -9"

    def at(step: str, name: str = "", *faults: Fault, **more: Any) -> Scenario:
        return Scenario(name=name or step, group=group, faults=faults, killed=step, **more)

    held, hang = "while the call is held", Fault(FaultKind.HANG)
    late = Fault(FaultKind.LATE_APPLY)
    return [
        at(
            "while it reads the flow first",
            "",
            hang,
            when="reading first",
            verbs=EXISTING_FLOW_VERBS,
        ),
        at("before the attempt is committed"),
        at("after the attempt, before the call"),
        at(held, "while the call is held, not applied", hang),
        at(held, "while the call is held, then applied", late, applied_late="before reading"),
        at(held, "while the call is held, applied late", late, applied_late="between two reads"),
        at(held, "applied, before the answer", Fault(FaultKind.APPLY_THEN_HANG)),
        at("after the answer, before the outcome"),
        at("before the outcome is committed"),
        at("after the outcome, before the copy"),
        at("before what reconciling found is committed", when="reconciling"),
        at("after what reconciling found, before the copy", when="reconciling"),
    ]


SCENARIOS: Final = {
    trouble.name: trouble
    for trouble in (
        *_refusals(), *_server_errors(), *_connection_errors(), *_invalid_responses(), *_read_errors(), *_database_errors(), *_kills(),
        # What goes well is told as truly: the sum must come out.
        Scenario(name="nothing goes wrong", group="All is well"),
    )
}  # fmt: skip


def build_faults(trouble: Scenario, method: str) -> list[Fault]:
    """Return the sandbox's faults for requests of this method."""
    faults = [replace(fault, method=method, times=1) for fault in trouble.faults]
    return [
        *faults[:-1],
        *(replace(fault, times=None if trouble.lasts else 1) for fault in faults[-1:]),
    ]
