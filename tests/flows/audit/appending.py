"""Events to append to the log in tests."""

import uuid

from flows.audit import audit_log
from flows.audit.audit_log import Observation, Payload
from flows.audit.models import AuditEvent
from tests.faults.acting import OMAR, append_stage

SID = "FO" + "1" * 32


def append(**values):
    event_values = {
        "action": "flow.update",
        "stage": "access",
        "result": "denied",
        "actor": OMAR,
        **values,
    }
    return append_stage(**event_values)


def attempt(**values):
    return append(**{"stage": "attempt", "result": "pending", "change_id": uuid.uuid4(), **values})


def observe_flows(*sids, action="flow.drift"):
    """Log these flows as observed at Twilio."""
    observations = [
        Observation(
            action=action, account_sid="AC1", target_sid=sid, payload=Payload(after={"sid": sid})
        )
        for sid in sids
    ]
    return audit_log.observe(observations, read_seq=audit_log.last_seq())


def reloaded(event):
    return AuditEvent.objects.select_related("payload").get(pk=event.pk)
