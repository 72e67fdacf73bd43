"""A log of many events as log.py wants it: 2,500 a day up to now, of three accounts and of none, each sealed to the one
before it as ever, inserted many at a time. However long the log is, its newest 10,000 events have something of all
that is asked for, but for what was only long ago.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.db import connection, transaction

from flows.flexapi.sandbox import seed
from flows.masking import masked, storable
from flows.models import AuditEvent, AuditPayload, ChainHead, Plan, PlannedChange
from flows.services import audit
from flows.services.seal import GENESIS, event_hash, payload_hash

BATCH: Final = 5000
A_DAY: Final = 2500
MAIN, SECOND, SMALL = "AC" + "5a" * 16, "AC" + "0e" * 16, "AC" + "77" * 16
FLOWS: Final = {MAIN: 700, SECOND: 280, SMALL: 20}
PEOPLE: Final = [f"person {number}" for number in range(40)]
FIRST, SELDOM = "first person", "seldom person"  # only at the log's beginning; once in 5,000
COMMON, RARE, OLD = "Störung", "Zwiebelfisch", "Urgestein"  # words of names: in most, in few, in the oldest
BUSY: Final = 3  # the place of a flow that somebody edits at Twilio again and again
PLAN: Final = uuid.UUID(int=7)
PLANNED: Final = 120
TOPICS: Final = (COMMON, COMMON, COMMON, "Rechnung", "Termine", "Réclamations")


def fill(count: int) -> None:
    """An empty log becomes one of so many events; one that was filled before goes on."""
    story, now = _Story(count), datetime.now(UTC)
    head = ChainHead.objects.get_or_create(name=audit.HEAD, defaults={"seq": 0, "hash": GENESIS})[0]
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
            head.save()
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

    def told(self) -> Iterator[Row]:
        for state in self.states[:500]:
            yield self._event("flow.baseline", "observed", "applied", state, after=state)
        for _ in range(60):
            yield from self._change(FIRST, name=f"{OLD} {self.dice.randrange(10**6)}")
        done, middle = 500 + 120, self.count // 2
        while True:
            if not self.planned and done >= middle:
                for row in self._of_a_plan():
                    yield row
                    done += 1
            for row in self._something():
                yield row
                done += 1

    def _something(self) -> Iterator[Row]:
        chance = self.dice.random()
        if chance < 0.08:
            yield self._event("auth.login", "access", "succeeded", {}, self.dice.choice(PEOPLE))
        elif chance < 0.15:
            yield self._event("flow.drift", "observed", "applied", *self._renamed(self._name()))
        elif chance < 0.17:
            yield self._event("flow.drift", "observed", "applied", *self._renamed(self._name(), BUSY))
        elif chance < 0.1702:
            yield from self._change(SELDOM)
        elif chance < 0.1706:
            yield from self._change(self.dice.choice(PEOPLE), name=f"{RARE} {self.dice.randrange(10**6)}")
        elif chance < 0.22:
            result = self.dice.choice(["failed", "failed", "conflict", "unknown"])
            yield from self._change(self.dice.choice(PEOPLE), result=result)
        elif chance < 0.25:
            yield from self._change(self.dice.choice(PEOPLE), action="flow.delete")
        else:
            yield from self._change(self.dice.choice(PEOPLE))

    def _of_a_plan(self) -> Iterator[Row]:
        for place in range(PLANNED):
            before, after = self._renamed(self._name())[1:3]
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
        self, who: str, *, name: str = "", action: str = "flow.update", result: str = "succeeded"
    ) -> Iterator[Row]:
        after, _, before, _ = self._renamed(name or self._name())
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


def _flat(flow: Any) -> dict[str, Any]:
    from flows.flexapi import schema

    return schema.from_response(flow)
