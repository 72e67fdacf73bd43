"""Creation of a long audit log for log.py.

It has 2,500 events a day up to now, of three accounts and of none. Each is chained to the previous
one as usual, but many are inserted at a time. Rare events occur a fixed number of times, not at a
rate, so that a page of them has the same number of rows in every log.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.db import connection, transaction

from flows.audit import audit_log, log_entries
from flows.audit.chain import GENESIS, event_hash, payload_hash
from flows.audit.models import AuditEvent, AuditPayload, ChainHead, OpenChange, OpenDrift
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.sandbox import seed

BATCH_SIZE: Final = 5000
EVENTS_PER_DAY: Final = 2500
MAIN_ACCOUNT, SECOND_ACCOUNT, SMALL_ACCOUNT = "AC" + "5a" * 16, "AC" + "0e" * 16, "AC" + "77" * 16
FLOWS_BY_ACCOUNT: Final = {
    MAIN_ACCOUNT: 500,
    SECOND_ACCOUNT: 480,
    SMALL_ACCOUNT: 20,
}  # of the second too a page is full after 10,000 events
ACTORS: Final = [f"person {number}" for number in range(30)]
FIRST_ACTOR, RARE_ACTOR = (
    "first person",
    "seldom person",
)  # only at the log's beginning; now and then all through it
VISITOR: Final = "visitor"  # signs in, and changes nothing
COMMON_WORD, RARE_WORD, OLD_WORD = (
    "Störung",
    "Zwiebelfisch",
    "Urgestein",
)  # words of names: in most, in few, in the oldest
BASELINE_COUNT, OLDEST_COUNT = (
    500,
    60,
)  # how the log begins: first states, and then the changes of the oldest names
OCCASIONAL_COUNT, FEW_COUNT, OPEN_COUNT = (
    60,
    30,
    5,
)  # a page full and more; among the newest events; changes under way
NEWEST_COUNT: Final = 9000
LAST_PAGE_SEQ: Final = (
    BASELINE_COUNT + 2 * 50 + 1
)  # of all pages the last is what came before this event
BUSY_FLOW_INDEX: Final = 3  # the place of a flow that somebody edits at Twilio again and again
PLAN_ID: Final = uuid.UUID(int=7)
PLANNED_COUNT: Final = 120
TOPICS: Final = (COMMON_WORD, COMMON_WORD, COMMON_WORD, "Rechnung", "Termine", "Réclamations")


def fill_log(
    count: int,
    flows_by_account: Mapping[str, int] = FLOWS_BY_ACCOUNT,
    baseline_count: int = BASELINE_COUNT,
) -> None:
    """Fill an empty log up to a number of events, or continue one filled before.

    It begins with the first states of `baseline_count` of the flows.
    """
    story, now = _EventStream(count, flows_by_account, baseline_count), datetime.now(UTC)
    head = ChainHead.objects.get_or_create(
        name=audit_log.CHAIN_NAME, defaults={"seq": 0, "hash": GENESIS}
    )[0]
    stream = story.told()
    while head.seq < count:
        rows = [next(stream) for _ in range(min(BATCH_SIZE, count - head.seq))]
        for event, body in rows:
            event.seq = body.event_id = head.seq + 1
            event.at = now - timedelta(days=(count - event.seq) / EVENTS_PER_DAY)
            event.payload_hash, event.previous_hash = payload_hash(body), head.hash
            event.hash = event_hash(event)
            head.seq, head.hash = event.seq, event.hash
        with transaction.atomic():
            AuditEvent.objects.bulk_create([event for event, _ in rows], batch_size=BATCH_SIZE)
            AuditPayload.objects.bulk_create([body for _, body in rows], batch_size=BATCH_SIZE)
            OpenChange.objects.bulk_create(map(_open_change, story.under_way))
            story.under_way.clear()
            head.save()
    OpenDrift.objects.bulk_create(_open_drift(count))
    log_entries.rebuild()
    story.save_plan(now)
    if connection.vendor == "postgresql":  # as it does by itself in time
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


Row = tuple[AuditEvent, AuditPayload]


class _EventStream:
    """Events from the first one on. The positions of some depend on the log's length."""

    def __init__(
        self, count: int, flows_by_account: Mapping[str, int], baseline_count: int
    ) -> None:
        self.count, self.baseline_count, self.dice = count, baseline_count, random.Random(3)
        self.now = datetime.now(UTC)
        self.states = [
            redact(replace_unstorable({**flow, "account_sid": account}))
            for number, (account, flows) in enumerate(flows_by_account.items())
            for flow in map(
                _to_snapshot,
                seed.generate_flows(flows, seed=number, account_sid=account, end_time=self.now),
            )
        ]
        self.planned: list[PlannedChange] = []
        self.under_way: list[AuditEvent] = []

    def told(self) -> Iterator[Row]:
        for state in self.states[: self.baseline_count]:
            yield self._event("flow.baseline", "observed", "applied", state, after=state)
        for _ in range(OLDEST_COUNT):
            yield from self._change(FIRST_ACTOR, name=f"{OLD_WORD} {self.dice.randrange(10**6)}")
        position = self.baseline_count + 2 * OLDEST_COUNT
        due = self._due(position)
        while True:
            if self.count - position == 1:  # room for one event: no attempt without what follows it
                rows = self._sign_in()
            else:
                rows = due.pop(0)[1]() if due and position >= due[0][0] else self._random_events()
            for row in rows:
                yield row
                position += 1

    def _due(self, done: int) -> list[tuple[float, Callable[[], Iterator[Row]]]]:
        """Return events that are due at a position, with their intervals."""
        newest = max(done, self.count - NEWEST_COUNT)
        said: list[tuple[int, int, Callable[[], Iterator[Row]]]] = [
            (done, OCCASIONAL_COUNT, lambda: self._change(RARE_ACTOR)),
            (done, OPEN_COUNT, self._open),
            (newest, FEW_COUNT, lambda: self._change(self._random_actor(), name=RARE_WORD)),
            (
                newest,
                FEW_COUNT,
                lambda: self._change(ACTORS[1], result="failed", place=BUSY_FLOW_INDEX),
            ),
        ]
        spread = [
            (first + (self.count - first) * (number + 0.5) / times, thing)
            for first, times, thing in said
            for number in range(times)
        ]
        return sorted([(self.count / 2, self._planned_changes), *spread], key=itemgetter(0))

    def _random_events(self) -> Iterator[Row]:
        chance = self.dice.random()
        if chance < 0.08:
            yield from self._sign_in()
        elif chance < 0.15:
            yield from self._drift(self._renamed(self._name()))
        elif chance < 0.17:
            yield from self._drift(self._renamed(self._name(), BUSY_FLOW_INDEX))
        elif chance < 0.22:
            result = self.dice.choice(["failed", "conflict"])
            yield from self._change(self.dice.choice(ACTORS[2:]), result=result)
        elif chance < 0.25:
            yield from self._change(self._random_actor(), action="flow.delete")
        else:
            yield from self._change(self._random_actor())

    def _drift(
        self, renamed: tuple[dict[str, Any], str, dict[str, Any], dict[str, Any]]
    ) -> Iterator[Row]:
        """Yield a drift and its acceptance."""
        event, body = self._event("flow.drift", "observed", "applied", *renamed)
        yield event, body
        after, *_ = renamed
        yield self._event(
            "flow.accept",
            "access",
            "succeeded",
            after,
            self._random_actor(),
            refers_to=event.event_id,
        )

    def _sign_in(self) -> Iterator[Row]:
        yield self._event(
            "auth.login", "access", "succeeded", {}, self.dice.choice([VISITOR, *ACTORS])
        )

    def _random_actor(self) -> str:
        return self.dice.choice(ACTORS)

    def _open(self) -> Iterator[Row]:
        """Yield an attempt without an outcome."""
        event, body = next(self._change(self._random_actor()))
        self.under_way.append(event)
        yield event, body

    def _planned_changes(self) -> Iterator[Row]:
        for place in range(PLANNED_COUNT):
            after, _, before, _ = self._renamed(self._name())
            planned = PlannedChange(
                plan_id=PLAN_ID, position=place, action="flow.update", account_sid=after["account_sid"],
                target_sid=after["sid"],
            )  # fmt: skip
            self.planned.append(planned)
            fields = {"change_id": planned.change_id, "request_id": PLAN_ID}
            yield self._event(
                "flow.update", "attempt", "pending", after, "person 1", before=before, **fields
            )
            yield self._event(
                "flow.update", "outcome", "succeeded", after, "person 1", after=after, **fields
            )

    def save_plan(self, now: datetime) -> None:
        fields = {"title": "Rename many", "created_at": now, "created_by": "person 1"}
        if Plan.objects.get_or_create(id=PLAN_ID, defaults=fields)[1]:
            PlannedChange.objects.bulk_create(self.planned)

    def _name(self) -> str:
        return f"{self.dice.choice(TOPICS)} {self.dice.randrange(10**6)}"

    def _renamed(
        self, name: str, place: int | None = None
    ) -> tuple[dict[str, Any], str, dict[str, Any], dict[str, Any]]:
        place = self.dice.randrange(len(self.states)) if place is None else place
        before = self.states[place]
        after = self.states[place] = {**before, "friendly_name": name}
        return after, "", before, after

    def _change(
        self, who: str, *, name: str = "", action: str = "flow.update", result: str = "succeeded",
        place: int | None = None,
    ) -> Iterator[Row]:  # fmt: skip
        after, _, before, _ = self._renamed(name or self._name(), place)
        ids = {"change_id": uuid.uuid4(), "request_id": uuid.uuid4()}
        requested = {"friendly_name": after["friendly_name"]}
        yield self._event(
            action, "attempt", "pending", after, who, before=before, requested=requested, **ids
        )
        outcome = {"after": after} if result == "succeeded" else {}
        yield self._event(
            action,
            "outcome",
            result,
            after,
            who,
            before=before,
            requested=requested,
            **outcome,
            **ids,
        )

    def _event(
        self, action: str, stage: str, result: str, flow: dict[str, Any], who: str = "",
        before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
        requested: dict[str, Any] | None = None, **said: Any,
    ) -> Row:  # fmt: skip
        event = AuditEvent(
            event_id=uuid.uuid4(), stage=stage, action=action, result=result, actor_id=who[-2:], actor_label=who,
            actor_role="operator" if who else "", source_ip="192.0.2.7" if who else "",
            user_agent="Mozilla/5.0 (X11; Linux x86_64)" if who else "", reason="as asked for" if who else "",
            account_sid=flow.get("account_sid", ""), target_sid=flow.get("sid", ""),
            changed_fields=["friendly_name"] if flow else [], **said,
        )  # fmt: skip
        identity_fields = {
            name: str(flow.get(name) or "") for name in ("friendly_name", "contact_identity")
        }
        body = AuditPayload(
            salt=uuid.uuid4().hex,
            before=before,
            after=after,
            requested=requested,
            **identity_fields,
        )
        return event, body


def _open_drift(count: int) -> list[OpenDrift]:
    """Add the log's last event to the inbox if it is a drift whose acceptance doesn't fit."""
    last = AuditEvent.objects.filter(seq=count, action="flow.drift")
    return [OpenDrift(event=event, target_sid=event.target_sid) for event in last]


def _open_change(attempt: AuditEvent) -> OpenChange:
    fields = {
        "change_id": attempt.change_id,
        "action": attempt.action,
        "target_sid": attempt.target_sid,
    }
    return OpenChange(attempt=attempt, latest=attempt, **fields)


def _to_snapshot(flow: Any) -> dict[str, Any]:
    from flows.twilio.flex.flex_flow import FLEX_FLOW

    return FLEX_FLOW.decode(flow)
