"""Events with the personal data that the tests erase."""

from flows.audit.audit_log import Payload
from flows.audit.models import AuditPayload
from tests.faults.acting import append_stage

NUMBER = "+33199000123"  # of the fixture's flow
SID = "FO" + "1" * 32


def record(actor, **values):
    """Append an event about the flow `SID`. Values can be columns or fields of the payload."""
    columns = {
        "action": "flow.update",
        "stage": "outcome",
        "result": "succeeded",
        "target_sid": SID,
        **values,
    }
    payload_names = columns.keys() & Payload.__dataclass_fields__.keys()
    payload = {name: columns.pop(name) for name in payload_names}
    return append_stage(actor=actor, payload=Payload(**payload), **columns)


def erased_seqs():
    erased_payloads = AuditPayload.objects.exclude(erased_at=None).order_by("pk")
    return list(erased_payloads.values_list("pk", flat=True))
