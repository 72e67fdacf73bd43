"""A log of many events as log.py wants it: 2,500 a day up to now, of three accounts and of none, each sealed to the one
before it as ever, inserted many at a time. However long the log is, a page of it has as many rows: what is rare is
there so many times, not so many times in a thousand, over the whole log or among its newest events.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
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
from flows.redaction.masking import masked, storable
from flows.twilio.sandbox import seed

BATCH: Final = 5000
A_DAY: Final = 2500
MAIN, SECOND, SMALL = "AC" + "5a" * 16, "AC" + "0e" * 16, "AC" + "77" * 16
FLOWS: Final = {MAIN: 500, SECOND: 480, SMALL: 20}  # of the second too a page is full after 10,000 events
PEOPLE: Final = [f"person {number}" for number in range(30)]
FIRST, SELDOM = "first person", "seldom person"  # only at the log's beginning; now and then all through it
VISITOR: Final = "visitor"  # signs in, and changes nothing
COMMON, RARE, OLD = "Störung", "Zwiebelfisch", "Urgestein"  # words of names: in most, in few, in the oldest
STATES, OLDEST = 500, 60  # how the log begins: first states, and then the changes of the oldest names
NOW_AND_THEN, FEW, OPEN = 60, 30, 5  # a page full and more; among the newest events; changes under way
NEWEST: Final = 9000
LAST: Final = STATES + 2 * 50 + 1  # of all pages the last is what came before this event
BUSY: Final = 3  # the place of a flow that somebody edits at Twilio again and again
PLAN: Final = uuid.UUID(int=7)
PLANNED: Final = 120
TOPICS: Final = (COMMON, COMMON, COMMON, "Rechnung", "Termine", "Réclamations")


def fill(count: int) -> None:
    """An empty log becomes one of so many events; one that was filled before goes on."""
    story, now = _Story(count), datetime.now(UTC)
    head = ChainHead.objects.get_or_create(name=audit_log.HEAD, defaults={"seq": 0, "hash": GENESIS})[0]
    stream = story.told()
    while head.seq < count:
        rows = [next(stream) for _ in range(min(BATCH, count - head.seq))]
        for event, body in rows:
            event.seq = body.event_id = head.seq + 1
            event.at = now - timedelta(days=(count - event.seq) / A_DAY)
            event.payload_hash, event.previous_hash = payload_hash(body), head.hash
            event.hash = event_hash(event)
            head.seq, head.hash = event.seq, event.hash
        with transaction.atomic():
            AuditEvent.objects.bulk_create([event for event, _ in rows], batch_size=BATCH)
            AuditPayload.objects.bulk_create([body for _, body in rows], batch_size=BATCH)
            OpenChange.objects.bulk_create(map(_under_way, story.under_way))
            story.under_way.clear()
            head.save()
    OpenDrift.objects.bulk_create(_waiting(count))
    log_entries.rebuild()
    story.keep_the_plan(now)
    if connection.vendor == "postgresql":  # as it does by itself in time
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


Row = tuple[AuditEvent, AuditPayload]


class _Story:
    """What happens, from the first event on; a part of it at places that the log's length gives."""

    def __init__(self, count: int) -> None:
        self.count, self.dice = count, random.Random(3)
        self.now = datetime.now(UTC)
        self.states = [
            masked(storable({**flow, "account_sid": account}))
            for number, (account, flows) in enumerate(FLOWS.items())
            for flow in map(_flat, seed.flows(flows, seed=number, account_sid=account, now=self.now))
        ]
        self.planned: list[PlannedChange] = []
        self.under_way: list[AuditEvent] = []

    def told(self) -> Iterator[Row]:
        for state in self.states[:STATES]:
            yield self._event("flow.baseline", "observed", "applied", state, after=state)
        for _ in range(OLDEST):
            yield from self._change(FIRST, name=f"{OLD} {self.dice.randrange(10**6)}")
        done = STATES + 2 * OLDEST
        due = self._due(done)
        while True:
            if self.count - done == 1:  # room for one event: no attempt without what follows it
                rows = self._sign_in()
            else:
                rows = due.pop(0)[1]() if due and done >= due[0][0] else self._something()
            for row in rows:
                yield row
                done += 1

    def _due(self, done: int) -> list[tuple[float, Callable[[], Iterator[Row]]]]:
        """What comes so many times, and after how many events each time."""
        newest = max(done, self.count - NEWEST)
        said: list[tuple[int, int, Callable[[], Iterator[Row]]]] = [
            (done, NOW_AND_THEN, lambda: self._change(SELDOM)),
            (done, OPEN, self._open),
            (newest, FEW, lambda: self._change(self._somebody(), name=RARE)),
            (newest, FEW, lambda: self._change(PEOPLE[1], result="failed", place=BUSY)),
        ]
        spread = [
            (first + (self.count - first) * (number + 0.5) / times, thing)
            for first, times, thing in said
            for number in range(times)
        ]
        return sorted([(self.count / 2, self._of_a_plan), *spread], key=itemgetter(0))

    def _something(self) -> Iterator[Row]:
        chance = self.dice.random()
        if chance < 0.08:
            yield from self._sign_in()
        elif chance < 0.15:
            yield from self._drift(self._renamed(self._name()))
        elif chance < 0.17:
            yield from self._drift(self._renamed(self._name(), BUSY))
        elif chance < 0.22:
            result = self.dice.choice(["failed", "conflict"])
            yield from self._change(self.dice.choice(PEOPLE[2:]), result=result)
        elif chance < 0.25:
            yield from self._change(self._somebody(), action="flow.delete")
        else:
            yield from self._change(self._somebody())

    def _drift(self, renamed: tuple[dict[str, Any], str, dict[str, Any], dict[str, Any]]) -> Iterator[Row]:
        """An external change, and its acceptance."""
        event, body = self._event("flow.drift", "observed", "applied", *renamed)
        yield event, body
        after, *_ = renamed
        yield self._event(
            "flow.accept", "access", "succeeded", after, self._somebody(), refers_to=event.event_id
        )

    def _sign_in(self) -> Iterator[Row]:
        yield self._event("auth.login", "access", "succeeded", {}, self.dice.choice([VISITOR, *PEOPLE]))

    def _somebody(self) -> str:
        return self.dice.choice(PEOPLE)

    def _open(self) -> Iterator[Row]:
        """An attempt that nothing follows."""
        event, body = next(self._change(self._somebody()))
        self.under_way.append(event)
        yield event, body

    def _of_a_plan(self) -> Iterator[Row]:
        for place in range(PLANNED):
            after, _, before, _ = self._renamed(self._name())
            planned = PlannedChange(
                plan_id=PLAN, place=place, action="flow.update", account_sid=after["account_sid"],
                target_sid=after["sid"],
            )  # fmt: skip
            self.planned.append(planned)
            said = {"change_id": planned.change_id, "request_id": PLAN}
            yield self._event("flow.update", "attempt", "pending", after, "person 1", before=before, **said)
            yield self._event("flow.update", "outcome", "succeeded", after, "person 1", after=after, **said)

    def keep_the_plan(self, now: datetime) -> None:
        said = {"title": "Rename many", "made_at": now, "made_by": "person 1"}
        if Plan.objects.get_or_create(id=PLAN, defaults=said)[1]:
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
        said = {"change_id": uuid.uuid4(), "request_id": uuid.uuid4()}
        asked = {"friendly_name": after["friendly_name"]}
        yield self._event(action, "attempt", "pending", after, who, before=before, requested=asked, **said)
        found = {"after": after} if result == "succeeded" else {}
        yield self._event(
            action, "outcome", result, after, who, before=before, requested=asked, **found, **said
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
        about = {name: str(flow.get(name) or "") for name in ("friendly_name", "contact_identity")}
        body = AuditPayload(salt=uuid.uuid4().hex, before=before, after=after, requested=requested, **about)
        return event, body


def _waiting(count: int) -> list[OpenDrift]:
    """The inbox: the log's last event, if that is an external change whose acceptance has no room."""
    last = AuditEvent.objects.filter(seq=count, action="flow.drift")
    return [OpenDrift(event=event, target_sid=event.target_sid) for event in last]


def _under_way(attempt: AuditEvent) -> OpenChange:
    said = {"change_id": attempt.change_id, "action": attempt.action, "target_sid": attempt.target_sid}
    return OpenChange(attempt=attempt, latest=attempt, **said)


def _flat(flow: Any) -> dict[str, Any]:
    from flows.twilio.flex import flex_flow

    return flex_flow.from_response(flow)
