"""Process that appends to the audit log of DATABASE_URL.

It reports that it is ready, waits for a line on standard input, and makes as many rounds as its
first argument says. A round is one event. With `changes` as a second argument, a round is a change
(attempt and outcome) and three drift events of one read. Each such round waits for a line of its
own, so that several processes start it together.
"""

import os
import sys
import uuid

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "flexadmin.settings"
django.setup()

from flows.audit import audit_log  # noqa: E402
from flows.audit.models import Result, Stage  # noqa: E402
from tests.faults.acting import append_stage  # noqa: E402

ACTOR = audit_log.Actor(id=str(os.getpid()), label="process")


def main(rounds, kind=""):
    sys.stdin.readline()
    for number in range(int(rounds)):
        if kind != "changes":
            audit_log.append(
                action="test.append", stage=Stage.ACCESS, result=Result.DENIED, actor=ACTOR
            )
            continue
        change = {
            "action": "flow.update",
            "actor": ACTOR,
            "change_id": uuid.uuid4(),
            "target_sid": make_sid(number, 0),
        }
        read_at = audit_log.last_seq()
        append_stage(stage=Stage.ATTEMPT, result=Result.PENDING, read_seq=read_at, **change)
        append_stage(stage=Stage.OUTCOME, result=Result.SUCCEEDED, **change)
        observed = audit_log.observe(
            [make_observation(make_sid(number, place)) for place in (1, 2, 3)],
            read_seq=audit_log.last_seq(),
        )
        assert len(observed) == 3
        print("written", flush=True)  # noqa: T201
        sys.stdin.readline()


def make_sid(number, place):
    return f"FO{os.getpid():08x}{number:016x}{place:08x}"


def make_observation(flow):
    name = audit_log.Payload(friendly_name=flow, after={"sid": flow, "friendly_name": flow})
    return audit_log.Observation(
        action="flow.drift", account_sid="AC1", target_sid=flow, payload=name
    )


print("ready", flush=True)  # noqa: T201
main(*sys.argv[1:])
