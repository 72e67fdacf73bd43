"""What can go wrong, as data: a row of the matrix each. play.py carries it out; `surroundings.py` has the troubles
that need more than a fault of the sandbox's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from flows.twilio.client import FlexClient
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.matrix import surroundings

if TYPE_CHECKING:
    from tests.faults.matrix.play import Run

CREATE, UPDATE, SWITCH, DELETE = VERBS = ("create", "update", "set_enabled", "delete")
OF_A_FLOW: Final = (UPDATE, SWITCH, DELETE)
SHORT: Final = 0.15  # seconds that a call may take where the fault would never end
LONG: Final = 15.0

When = Literal["at the call", "reading first", "reconciling"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One row. `faults` befall one request each, in this order; the last goes on for good where it `lasts`."""

    name: str
    group: str
    faults: tuple[Fault, ...] = ()
    lasts: bool = True
    when: When = "at the call"
    verbs: tuple[str, ...] = VERBS
    deadline: float = LONG
    client: Callable[[FlexClient], None] = lambda _client: None  # changes the client of the one call
    around: Callable[[Run], AbstractContextManager[Any]] = lambda _run: nullcontext()
    killed: str = ""  # the step at which the process dies; victim.py
    applied_late: Literal["", "before reading", "between two reads"] = ""
    vendor: str = ""  # of the database, if it is one's alone


def _fault(name: str, kind: FaultKind, group: str, **how: Any) -> Trouble:
    own = {key: how.pop(key) for key in ("lasts", "deadline", "verbs", "when", "applied_late") if key in how}
    return Trouble(name=name, group=group, faults=(Fault(kind, **how),), **own)


def _refused() -> list[Trouble]:
    group = "Twilio says no"
    codes = {400: 20001, 401: 20003, 403: 20005, 404: 20404, 409: 20409, 410: 20404, 422: 20001}
    return [
        *(
            _fault(f"refused with {status}", FaultKind.REFUSE, group, status=status, code=code)
            for status, code in codes.items()
        ),
        _fault("refused as RFC 9457 has it", FaultKind.PROBLEM, group),
        _fault("429 once, then well", FaultKind.TOO_MANY, group, retry_after=0, lasts=False),
        _fault("429 for good", FaultKind.TOO_MANY, group, retry_after=0),
        _fault("429, come back after the deadline", FaultKind.TOO_MANY, group, retry_after=3600),
        Trouble(name="wrong API key", group=group, client=surroundings.wrong_key),
        Trouble(
            name="the identity is taken",
            group=group,
            around=surroundings.identity_taken,
            verbs=(CREATE, SWITCH),
        ),
        Trouble(
            name="gone since it was read", group=group, around=surroundings.gone_meanwhile, verbs=OF_A_FLOW
        ),
    ]


def _broken() -> list[Trouble]:
    group = "Twilio breaks"
    return [
        *(
            _fault(f"{status}, not applied", FaultKind.SERVER_ERROR, group, status=status)
            for status in (500, 502, 503)
        ),
        *(
            _fault(f"{status}, applied", FaultKind.APPLY_THEN_SERVER_ERROR, group, status=status)
            for status in (500, 504)
        ),
        _fault("500 once, then well", FaultKind.SERVER_ERROR, group, lasts=False),
        _fault("applied, 500 once, then well", FaultKind.APPLY_THEN_SERVER_ERROR, group, lasts=False),
        _fault("a proxy's 502", FaultKind.HTML, group),
        *(
            _fault(f"redirected with {status}", FaultKind.REDIRECT, group, status=status)
            for status in (302, 303, 307)
        ),
        Trouble(
            name="applied and lost, then refused with 403",
            group=group,
            faults=(Fault(FaultKind.APPLY_THEN_DROP), Fault(FaultKind.REFUSE, status=403, code=20005)),
        ),
        Trouble(
            name="429, then applied and lost",
            group=group,
            faults=(Fault(FaultKind.TOO_MANY, retry_after=0), Fault(FaultKind.APPLY_THEN_DROP)),
            lasts=False,
        ),
    ]


def _connection() -> list[Trouble]:
    group = "The line breaks"
    late = {"deadline": SHORT}
    return [
        Trouble(name="no connection", group=group, client=surroundings.nobody_listens),
        Trouble(name="no turn within Twilio's rates", group=group, client=surroundings.no_turn, deadline=SHORT),
        _fault("cut off, not applied", FaultKind.DROP, group),
        _fault("cut off, applied", FaultKind.APPLY_THEN_DROP, group),
        _fault("cut off once, applied", FaultKind.APPLY_THEN_DROP, group, lasts=False),
        _fault("silence, not applied", FaultKind.HANG, group, **late),
        _fault("silence, applied", FaultKind.APPLY_THEN_HANG, group, **late),
        _fault("applied late, before it is read", FaultKind.LATE_APPLY, group, **late, applied_late="before reading"),
        _fault("applied late, between two reads", FaultKind.LATE_APPLY, group, **late, applied_late="between two reads"),
        _fault("half an answer", FaultKind.TRUNCATE, group),
        _fault("body byte by byte", FaultKind.DRIP, group, seconds=0.05, **late),
        _fault("headers byte by byte", FaultKind.DRIP_HEADERS, group, seconds=0.05, **late),
        _fault("byte by byte, in time", FaultKind.DRIP, group, seconds=0),
    ]  # fmt: skip


def _lies() -> list[Trouble]:
    group = "The answer can't be used"
    return [
        _fault("HTML with 200", FaultKind.HTML_OK, group),
        _fault("garbage", FaultKind.GARBAGE, group),
        _fault("empty", FaultKind.EMPTY, group),
        _fault("another flow's", FaultKind.WRONG_SID, group),
        _fault("without an end", FaultKind.HUGE, group, deadline=SHORT),
    ]


def _reading() -> list[Trouble]:
    """The reads around the change; the change itself is lost where they are reconciliation's."""
    first: dict[str, Any] = {"when": "reading first", "verbs": OF_A_FLOW}
    later: dict[str, Any] = {"when": "reconciling"}
    group = "Reading breaks"
    return [
        _fault("read first: refused with 401", FaultKind.REFUSE, group, status=401, code=20003, **first),
        _fault("read first: 404", FaultKind.REFUSE, group, status=404, code=20404, **first),
        _fault("read first: 500", FaultKind.SERVER_ERROR, group, **first),
        _fault("read first: silence", FaultKind.HANG, group, deadline=SHORT, **first),
        _fault("read first: another flow's", FaultKind.WRONG_SID, group, **first),
        _fault("reconciling: 500", FaultKind.SERVER_ERROR, group, **later),
        _fault("reconciling: refused with 401", FaultKind.REFUSE, group, status=401, code=20003, **later),
        _fault("reconciling: a proxy's 404", FaultKind.HTML, group, status=404, **later),
        _fault("reconciling: silence", FaultKind.HANG, group, deadline=SHORT, **later),
        _fault("reconciling: another flow's", FaultKind.WRONG_SID, group, **later, verbs=OF_A_FLOW),
        _fault("reconciling: half an answer", FaultKind.TRUNCATE, group, **later),
        _fault("reconciling: the list goes in a loop", FaultKind.PAGE_LOOP, group, **later, verbs=(CREATE,)),
        _fault("reconciling: the list goes elsewhere", FaultKind.LEAVE_HOST, group, **later, verbs=(CREATE,)),
    ]  # fmt: skip


def _database() -> list[Trouble]:
    group, lost = "The database breaks", (Fault(FaultKind.APPLY_THEN_DROP),)
    return [
        Trouble(name="refuses the attempt", group=group, around=surroundings.refuses_stage("attempt")),
        Trouble(name="refuses the attempt's payload", group=group, around=surroundings.refuses("auditpayload")),
        Trouble(name="refuses what is open", group=group, around=surroundings.refuses("openchange")),
        Trouble(name="locked at the attempt", group=group, around=surroundings.locked),
        Trouble(name="takes no writes", group=group, around=surroundings.read_only),
        Trouble(name="refuses the outcome", group=group, around=surroundings.refuses_stage("outcome")),
        Trouble(
            name="refuses the outcome of a lost call",
            group=group,
            faults=lost,
            around=surroundings.refuses_stage("outcome"),
        ),
        Trouble(name="refuses the copy", group=group, around=surroundings.refuses("flow")),
        Trouble(
            name="refuses what reconciling found",
            group=group,
            when="reconciling",
            around=surroundings.refuses_stage("reconciled"),
        ),
        Trouble(name="goes away during the call", group=group, around=surroundings.cut_off, vendor="postgresql"),
    ]  # fmt: skip


def _kills() -> list[Trouble]:
    group = "kill -9"

    def at(step: str, name: str = "", *faults: Fault, **more: Any) -> Trouble:
        return Trouble(name=name or step, group=group, faults=faults, killed=step, **more)

    held, hang = "while the call is held", Fault(FaultKind.HANG)
    late = Fault(FaultKind.LATE_APPLY)
    return [
        at("while it reads the flow first", "", hang, when="reading first", verbs=OF_A_FLOW),
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


TROUBLES: Final = {
    trouble.name: trouble
    for trouble in (
        *_refused(), *_broken(), *_connection(), *_lies(), *_reading(), *_database(), *_kills(),
        # What goes well is told as truly: the sum must come out.
        Trouble(name="nothing goes wrong", group="All is well"),
    )
}  # fmt: skip


def as_injected(trouble: Trouble, method: str) -> list[Fault]:
    """The faults as the sandbox takes them, for requests of this method."""
    faults = [replace(fault, method=method, times=1) for fault in trouble.faults]
    return [*faults[:-1], *(replace(fault, times=None if trouble.lasts else 1) for fault in faults[-1:])]
