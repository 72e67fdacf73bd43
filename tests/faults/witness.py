"""Comparison of Twilio's real writes with the audit log, for the five violations.

The observer sits at the sandbox and knows for every write whether its attempt was recorded.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connections

from flows.audit.models import AuditEvent, OpenChange
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import LIST_PATH, OTHER_SID, FaultKind
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import Sandbox

APPLIED_WITHOUT_ATTEMPT: Final = "applied without an attempt"
APPLIED_TWICE: Final = "applied twice"
RECORDED_FAILED_BUT_APPLIED: Final = "recorded failed, but applied"
RECORDED_APPLIED_BUT_NOT: Final = "recorded applied, but not"
LEFT_UNKNOWN: Final = "left unknown"
VIOLATIONS: Final = (
    APPLIED_WITHOUT_ATTEMPT,
    APPLIED_TWICE,
    RECORDED_FAILED_BUT_APPLIED,
    RECORDED_APPLIED_BUT_NOT,
    LEFT_UNKNOWN,
)
APPLIED, NEEDS_DECISION = "applied", "waits for a person"

NOT_APPLIED_RESULTS: Final = {"failed", "not_applied", "conflict", "denied"}
APPLIED_RESULTS: Final = {"succeeded", "applied"}
ACTION_BY_METHOD: Final = {"POST": "flow.update", "DELETE": "flow.delete"}
# Faults that never carry a request out; any other does so in the end.
NEVER_APPLIED_FAULTS: Final = {
    FaultKind.REFUSE, FaultKind.TOO_MANY, FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.HANG,
    FaultKind.HTML, FaultKind.REDIRECT, FaultKind.PROBLEM,
}  # fmt: skip


@dataclass(slots=True)
class ObservedWrite:
    """Write that reached the sandbox, and the change of the latest recorded attempt."""

    received: RequestRecord
    change_id: uuid.UUID | None
    is_done: bool = False  # carried out or refused; an answer may still be under way


@dataclass(slots=True)
class Findings:
    """Counts of findings, and a sentence for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        self.counts.update(other.counts)
        self.complaints.extend(other.complaints)

    def complain(self, violation: str, of: object) -> None:
        self.counts[violation] += 1
        self.complaints.append(f"{violation}: {of}")


class WriteObserver:
    """Observer of a sandbox.

    `on_write` is called once with the next write, before it is applied.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.seen: list[ObservedWrite] = []
        self.on_write: Callable[[], None] | None = None
        self._by_number: dict[int, ObservedWrite] = {}
        enter, respond = sandbox._log.open, sandbox._api.respond

        def arrived(*, method: str, path: str, parameters: Any, at: Any) -> RequestRecord:
            change_id = _find_change_id(method, path, parameters) if method != "GET" else None
            received = enter(method=method, path=path, parameters=parameters, at=at)
            if method != "GET":
                seen = self._by_number[received.n] = ObservedWrite(received, change_id)
                self.seen.append(seen)
                interfere, self.on_write = self.on_write, None
                if interfere:
                    interfere()
            return received

        def done(request: Any, received: RequestRecord) -> Any:
            try:
                return respond(request, received)
            finally:
                if received.n in self._by_number:
                    self._by_number[received.n].is_done = True

        sandbox._log.open = arrived  # type: ignore[method-assign]
        sandbox._api.respond = done  # type: ignore[method-assign]

    def is_quiet(self) -> bool:
        """Tell whether the sandbox has no request under way that may still be applied."""
        return all(
            write.is_done or write.received.fault in NEVER_APPLIED_FAULTS
            for write in list(self.seen)
        )

    def take(self) -> list[ObservedWrite]:
        """Return the writes observed since the last call."""
        writes, self.seen = self.seen, []
        self._by_number.clear()
        return writes


def compare_with_log(writes: Iterable[ObservedWrite], *, since: int = 0) -> Findings:
    """Compare applied writes with the log from the event after `since` on."""
    verdict = Findings()
    applied: defaultdict[uuid.UUID, list[RequestRecord]] = defaultdict(list)
    attempts = _requested_by_change(since)
    for one in writes:
        if one.received.applied and (one.change_id is None or not _matches_attempt(one, attempts)):
            verdict.counts[APPLIED] += 1
            verdict.complain(APPLIED_WITHOUT_ATTEMPT, f"{one.received.method} {one.received.path}")
        elif one.received.applied and one.change_id is not None:
            applied[one.change_id].append(one.received)
    stories: defaultdict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    events = AuditEvent.objects.filter(seq__gt=since).exclude(change_id=None).order_by("seq")
    for change_id, result, sid in events.values_list("change_id", "result", "target_sid"):
        stories[change_id].append((result, sid))
    puzzles = dict(OpenChange.objects.values_list("change_id", "ambiguity"))
    for change_id, story in stories.items():
        verdict.counts[APPLIED] += bool(applied[change_id])
        _check_change(verdict, change_id, story, applied[change_id], puzzles)
    return verdict


def _check_change(
    verdict: Findings,
    change_id: uuid.UUID,
    story: list[tuple[str, str]],
    applied: list[RequestRecord],
    puzzles: dict[uuid.UUID, str],
) -> None:
    """Check one change.

    `story` is result and flow of each of its events, `puzzles` the open changes with their
    ambiguity.
    """
    results = [result for result, _ in story]
    if len(applied) > 1:
        verdict.complain(APPLIED_TWICE, change_id)
    if applied and NOT_APPLIED_RESULTS.intersection(results):
        verdict.complain(RECORDED_FAILED_BUT_APPLIED, change_id)
    # A change that was made to another flow than the log says was not made either; but that a new flow has the SID
    # that Twilio gave it is all that anybody can know of it.
    claimed = {sid for result, sid in story if result in APPLIED_RESULTS}
    wrong_sids = {OTHER_SID for received in applied if received.fault == FaultKind.WRONG_SID}
    if not claimed <= {received.sid for received in applied} | wrong_sids:
        verdict.complain(RECORDED_APPLIED_BUT_NOT, change_id)
    if puzzles.get(change_id):
        verdict.counts[NEEDS_DECISION] += 1
    elif change_id in puzzles or results[-1] in ("pending", "unknown"):
        verdict.complain(LEFT_UNKNOWN, change_id)


def _find_change_id(method: str, path: str, parameters: dict[str, str]) -> uuid.UUID | None:
    """Return the change of a write, over a connection of the sandbox's thread."""
    try:
        attempts = AuditEvent.objects.filter(stage="attempt").order_by("-seq")
        if path == LIST_PATH:
            name = redact(replace_unstorable(parameters.get("FriendlyName", "")))
            newest = attempts.filter(action="flow.create").select_related("payload")[:50]
            attempt = next((event for event in newest if event.payload.friendly_name == name), None)
        else:
            sid = path.removeprefix(f"{LIST_PATH}/")
            attempt = attempts.filter(action=ACTION_BY_METHOD.get(method), target_sid=sid).first()
        return attempt.change_id if attempt else None
    finally:
        connections.close_all()


def _requested_by_change(since: int) -> dict[uuid.UUID, dict[str, Any]]:
    attempts = AuditEvent.objects.filter(stage="attempt", seq__gt=since)
    return dict(attempts.values_list("change_id", "payload__requested"))


def _matches_attempt(write: ObservedWrite, attempts: dict[uuid.UUID, dict[str, Any]]) -> bool:
    """Tell whether the request is the one that the attempt records."""
    requested = attempts.get(write.change_id) if write.change_id else None
    if write.received.method == "DELETE":
        return write.change_id in attempts
    return requested is not None and redact(
        replace_unstorable(write.received.parameters)
    ) == FLEX_FLOW.to_parameters(requested)
