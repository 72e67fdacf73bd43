"""Steps of audit_at_scale, each in its own process on the database of DATABASE_URL.

Each prints table rows: name, finding, seconds, events a second, additional memory in MB, and
whether the promise is kept.
"""

from __future__ import annotations

import csv
import json
import random
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from flows.audit import append_only, audit_log, checkpoints, log_entries, verification
from flows.audit.chain import GENESIS, event_hash
from flows.audit.models import AuditEvent, AuditPayload, ChainHead, OpenChange, OpenDrift
from flows.core.csv_cells import BYTE_ORDER_MARK
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox import seed
from tests.benchmarks.audit_at_scale import MAX_GROWTH

BATCH_SIZE = 5000
ACTORS = [
    audit_log.Actor(id=str(number), label=f"person {number}", role="operator")
    for number in range(40)
]


class MemoryWatch:
    """Peak of this process's memory since the start of the watch."""

    def __enter__(self) -> Self:
        self._before = self._most = _resident_bytes()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.02):
            self._most = max(self._most, _resident_bytes())

    @property
    def growth(self) -> float:
        return max(self._most, _resident_bytes()) / 1e6 - self._before / 1e6


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def print_row(
    what: str, found: str, seconds: float, events: int, growth: float, *, kept: bool
) -> None:
    row = [what, found, seconds, events / seconds if events and seconds else 0, growth, kept]
    print(json.dumps(row), flush=True)  # noqa: T201


def build_log(count: int) -> None:
    """Create changes of some flows by some users, and drift. The last attempts stay open.

    The events are chained one by one as usual, and inserted many at a time.
    """
    dice, began = random.Random(3), time.monotonic()
    states = [
        redact(replace_unstorable(FLEX_FLOW.decode(flow)))
        for flow in seed.generate_flows(
            1000, seed=3, account_sid="AC" + "5a" * 16, end_time=datetime.now(UTC)
        )
    ]
    head = ChainHead.objects.get_or_create(
        name=audit_log.CHAIN_NAME, defaults={"seq": 0, "hash": GENESIS}
    )[0]
    with MemoryWatch() as memory:
        stream = _generate_events(states, dice)
        while head.seq < count:
            with transaction.atomic():
                rows = [next(stream) for _ in range(min(BATCH_SIZE, count - head.seq))]
                for event, body in rows:
                    audit_log._link_to_chain(event, body, head)
                    body.event_id = event.seq
                AuditEvent.objects.bulk_create([event for event, _ in rows], batch_size=BATCH_SIZE)
                AuditPayload.objects.bulk_create([body for _, body in rows], batch_size=BATCH_SIZE)
                head.save()
        _register_open()
        log_entries.rebuild()
    print_row(
        "append, many at a time",
        f"{head.seq:,} events",
        time.monotonic() - began,
        count,
        memory.growth,
        kept=True,
    )


def _generate_events(
    states: list[dict[str, Any]], dice: random.Random
) -> Iterator[tuple[AuditEvent, AuditPayload]]:
    while True:
        place = dice.randrange(len(states))
        before, requested = (
            states[place],
            {"friendly_name": f"Flow {dice.randrange(10**6)} – Störung"},
        )
        after = states[place] = {**before, **requested}
        if dice.random() < 0.1:
            found = _make_event(
                "flow.drift", "observed", "applied", after, before=before, after=after
            )
            yield found
            accepted = _make_event("flow.accept", "access", "succeeded", after, dice.choice(ACTORS))
            accepted[0].refers_to = found[0].event_id
            yield accepted
            continue
        actor, change_id = dice.choice(ACTORS), uuid.uuid4()
        yield _make_event(
            "flow.update",
            "attempt",
            "pending",
            after,
            actor,
            change_id,
            before=before,
            requested=requested,
        )
        payload = {"before": before, "requested": requested, "after": after}
        yield _make_event("flow.update", "outcome", "succeeded", after, actor, change_id, **payload)


def _make_event(
    action: str, stage: str, result: str, flow: dict[str, Any],
    actor: audit_log.Actor | None = None, change_id: uuid.UUID | None = None, **said: Any,
) -> tuple[AuditEvent, AuditPayload]:  # fmt: skip
    event = AuditEvent(
        event_id=uuid.uuid4(), change_id=change_id, stage=stage, action=action, result=result,
        actor_id=actor.id if actor else "", actor_label=actor.label if actor else "", reason="as asked for",
        source_ip="192.0.2.7", user_agent="Mozilla/5.0 (X11; Linux x86_64)", account_sid=flow["account_sid"],
        target_sid=flow["sid"], changed_fields=["friendly_name"],
    )  # fmt: skip
    identity_fields = {
        name: str(flow.get(name) or "") for name in ("friendly_name", "contact_identity")
    }
    return event, AuditPayload(salt=uuid.uuid4().hex, **identity_fields, **said)


def _register_open() -> None:
    last = AuditEvent.objects.order_by("-seq").first()
    if last is not None and last.stage == "attempt":
        fields = {"change_id": last.change_id, "action": last.action, "target_sid": last.target_sid}
        OpenChange.objects.create(attempt=last, latest=last, **fields)
    elif last is not None and last.action == "flow.drift":  # no room for its acceptance
        OpenDrift.objects.create(event=last, target_sid=last.target_sid)


def verify_log(count: int) -> None:
    with append_in_background(), MemoryWatch() as memory:
        verdict = verification.verify(head=checkpoints.signed_checkpoint())
    is_kept = verdict.bad_seq is None and verdict.events >= count
    print_row(
        "verify, while another process appends",
        str(verdict),
        verdict.seconds,
        verdict.events,
        memory.growth,
        kept=is_kept,
    )


def tamper_with_log(count: int) -> None:
    """Tamper in every way, each in a transaction that is rolled back.

    `where` is the changed event, or the first of those cut off. A rewritten chain shows at the
    event that was the head.
    """
    head, where = checkpoints.signed_checkpoint(), count // 3
    last = head["seq"]
    kinds: dict[str, tuple[Callable[[], Any], int]] = {
        "edit": (lambda: _event_at(where).update(reason="other"), where),
        "edit of the payload": (lambda: _payload_at(where).update(after={"enabled": True}), where),
        "deletion": (
            lambda: (_payload_at(where).delete(), _event_at(where)._raw_delete("default")),
            where,
        ),
        "insertion": (lambda: _insert_event(last + 1, like=where), last + 1),
        "swap": (lambda: _swap_events(where, where + 1), where),
        "cut-off tail": (lambda: _truncate_log(last - 100), last - 99),
        "chain written anew": (lambda: _rewrite_chain(), last),
    }
    for kind, (act, seq) in kinds.items():
        with transaction.atomic():
            append_only.remove(connection)
            act()
            with MemoryWatch() as memory:
                verdict = verification.verify(head=head)
            transaction.set_rollback(True)
        is_kept = verdict.bad_seq == seq
        finding = f"event {verdict.bad_seq:,} {verdict.fault}" if verdict.bad_seq else "NOTHING"
        print_row(
            f"tampering: {kind}",
            finding,
            verdict.seconds,
            verdict.events,
            memory.growth,
            kept=is_kept,
        )


def _event_at(seq: int) -> Any:
    return AuditEvent.objects.filter(seq=seq)


def _payload_at(seq: int) -> Any:
    return AuditPayload.objects.filter(pk=seq)


def _insert_event(seq: int, *, like: int) -> None:
    """Insert an event without a valid hash and move the chain's head to it."""
    event, body = _event_at(like).get(), _payload_at(like).get()
    event.seq, event.event_id, event.change_id, event.hash = (
        seq,
        uuid.uuid4(),
        uuid.uuid4(),
        "9" * 64,
    )
    event.previous_hash = ChainHead.objects.get().hash
    event.save(force_insert=True)
    body.event_id = seq
    body.save(force_insert=True)
    ChainHead.objects.update(seq=seq, hash=event.hash)


def _swap_events(one: int, other: int) -> None:
    events, bodies = (
        [_event_at(seq).get() for seq in (one, other)],
        [_payload_at(seq).get() for seq in (one, other)],
    )
    for event, body, seq in zip(events, bodies, (other, one), strict=True):
        _payload_at(seq).delete()
        _event_at(seq)._raw_delete("default")
        event.seq = body.event_id = seq
    AuditEvent.objects.bulk_create(events)
    AuditPayload.objects.bulk_create(bodies)


def _truncate_log(last: int) -> None:
    OpenChange.objects.filter(attempt__gt=last).delete()
    AuditPayload.objects.filter(pk__gt=last).delete()
    AuditEvent.objects.filter(seq__gt=last)._raw_delete("default")
    ChainHead.objects.update(seq=last, hash=_event_at(last).get().hash)
    log_entries.rebuild()
    event = _event_at(last).get()
    if event.stage == "attempt":
        fields = {
            "change_id": event.change_id,
            "action": event.action,
            "target_sid": event.target_sid,
        }
        OpenChange.objects.create(attempt=event, latest=event, **fields)


def _rewrite_chain() -> None:
    """Rewrite the whole chain with the key: one reason differs and every hash is valid."""
    previous, after = GENESIS, 0
    while batch := list(AuditEvent.objects.filter(seq__gt=after).order_by("seq")[:BATCH_SIZE]):
        for event in batch:
            event.reason = "another" if event.seq == 1 else event.reason
            event.previous_hash, event.hash = previous, ""
            previous = event.hash = event_hash(event)
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE flows_auditevent SET reason = %s, previous_hash = %s, hash = %s WHERE seq = %s",
                [(event.reason, event.previous_hash, event.hash, event.seq) for event in batch],
            )
        after = batch[-1].seq
    ChainHead.objects.update(hash=previous)


def export_log(form: str) -> None:
    """Export through the page, as an auditor does, and resume from the end of the file."""
    client = Client()
    person = User.objects.get_or_create(username="auditor")[0]
    person.groups.set([Group.objects.get(name="auditor")])
    client.force_login(person)
    fields = {"what": "all", "format": form}
    with append_in_background() as appended, MemoryWatch() as memory:
        began = time.monotonic()
        file = _SequenceCheck(form, client.post("/audit/export/", fields).streaming_content)
        seconds, meanwhile = time.monotonic() - began, appended()
        rest = _SequenceCheck(
            form, client.post("/audit/export/", {**fields, "after": file.last}).streaming_content
        )
    finding = f"{file.count:,} events, then {rest.count:,} more; {file.gaps + rest.gaps} gaps, {meanwhile} appended meanwhile"
    is_whole = (file.first, file.gaps, rest.gaps, rest.first) == (
        1,
        0,
        0,
        file.last + 1,
    ) and meanwhile > 0
    print_row(
        f"export {form}",
        finding,
        seconds,
        file.count,
        memory.growth,
        kept=is_whole and memory.growth < MAX_GROWTH,
    )


class _SequenceCheck:
    """Check of the sequence numbers of an export: their count, and the gaps."""

    def __init__(self, form: str, content: Iterable[bytes]) -> None:
        self.count = self.gaps = self.first = self.last = 0
        for seq in (_csv_seqs if form == "csv" else _ndjson_seqs)(_split_lines(content)):
            self.gaps += self.count > 0 and seq != self.last + 1
            self.first, self.last, self.count = self.first or seq, seq, self.count + 1


def _split_lines(content: Iterable[bytes]) -> Iterator[str]:
    remainder = b""
    for piece in content:
        *lines, remainder = (remainder + piece).split(b"\n")
        yield from (line.decode() + "\n" for line in lines)
    assert not remainder


def _ndjson_seqs(lines: Iterable[str]) -> Iterator[int]:
    return (
        int(found[1]) for line in lines if (found := re.search(r'"seq":(\d+),"source_ip"', line))
    )


def _csv_seqs(lines: Iterable[str]) -> Iterator[int]:
    return (
        int(row["seq"])
        for row in csv.DictReader(line.removeprefix(BYTE_ORDER_MARK) for line in lines)
    )


@contextmanager
def append_in_background() -> Iterator[Callable[[], int]]:
    """Append in another process meanwhile; yield the function that counts its events."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.log_steps", "append", "0"], stdin=subprocess.PIPE
    )
    before = audit_log.last_seq()
    try:
        while audit_log.last_seq() == before:
            assert process.poll() is None, "the other process broke off"
            time.sleep(0.05)
        began = audit_log.last_seq()
        yield lambda: audit_log.last_seq() - began
    finally:
        process.communicate()
    assert process.returncode == 0, "the other process broke off"


def append_events() -> None:
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    while not is_over.is_set():
        audit_log.append(
            action="flow.update",
            stage="access",
            result="denied",
            actor=ACTORS[0],
            reason="meanwhile",
        )
        # SQLite lets no writer wait in a queue: without a pause, the export's own event could wait
        # for ever on a busy machine.
        time.sleep(0.01)


def main(name: str, events: int) -> None:
    steps: dict[str, Callable[[], None]] = {
        "build": lambda: build_log(events),
        "verify": lambda: verify_log(events),
        "tamper": lambda: tamper_with_log(events),
        "ndjson": lambda: export_log("ndjson"),
        "csv": lambda: export_log("csv"),
        "append": append_events,
    }
    steps[name]()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
