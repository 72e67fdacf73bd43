"""Every fault at every change of every resource of the Flex API: the log never says what isn't so.

For each cell: a change, with one fault at its call, and then two reconciliations. What the log says
of the change is compared with what the sandbox really applied.
"""

import uuid

import pytest

from flows.accounts import clients
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import operations, reconcile
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import LIST_FAULTS, Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import clock_ahead
from tests.flows.resources.conftest import (
    FACTS,
    PARENTS,
    RESOURCES,
    VALUES,
    form_values,
    is_of_other_variant,
)

pytestmark = pytest.mark.django_db(transaction=True)
CHANGES = ("create", "update", "archive", "delete")
CELLS = [
    (name, operation, kind)
    for name, facts in FACTS.items()
    for operation in CHANGES
    if operation in facts["calls"]
    for kind in FaultKind
    if kind not in LIST_FAULTS
]
DONE, NOT_DONE = {"succeeded", "applied"}, {"failed", "not_applied", "conflict", "denied"}


def make_fault(kind, operation):
    """Return a fault at the call that changes something. No wait lasts."""
    method = "DELETE" if operation == "delete" else "POST"
    status = 404 if kind is FaultKind.REFUSE and operation == "delete" else None
    return Fault(kind, method=method, times=None, seconds=0, retry_after=0, status=status)


def change(name, operation, sid, flow_sid, actor):
    """Make a change of each kind, and return nothing: the log has it."""
    resource = RESOURCES[name]
    common = {
        "reason": "",
        "actor": actor,
        "change_id": uuid.uuid4(),
        "account_sid": ACCOUNT,
        "parent_sid": PARENTS.get(name, ""),
    }
    if operation == "create":
        operations.create(resource, values=form_values(name, "create", flow_sid), **common)
        return
    client = clients.resource_client(resource, ACCOUNT)
    base = client.fetch(sid, parent_sid=common["parent_sid"])
    if operation in ("archive", "delete"):
        end = getattr(operations, operation)
        end(resource, sid=sid, base=base, **common)
        return
    fields = ["ui_language"] if name == "configuration" else FACTS[name]["update"].values()
    values = {field: VALUES[field] for field in fields if not is_of_other_variant(name, field)}
    operations.update(resource, sid=sid, base=base, values=values, **common)


def reconcile_twice():
    for minutes in (2, 4):
        with clock_ahead(minutes=minutes):
            try:
                reconcile.reconcile()
            except FlexError:
                continue


@pytest.mark.parametrize(("name", "operation", "kind"), CELLS)
def test_log_says_what_twilio_did(sandbox, flow_on, make, actor, name, operation, kind):
    sid = ""
    if operation != "create":
        sid = ACCOUNT if name == "configuration" else make(name)
    writes_before = len([one for one in sandbox.requests if one.method != "GET"])
    sandbox.inject(make_fault(kind, operation))

    change(name, operation, sid, flow_on, actor)
    sandbox.clear_faults()
    reconcile_twice()

    writes = [one for one in sandbox.requests if one.method != "GET"][writes_before:]
    applied = [one for one in writes if one.applied]
    event = AuditEvent.objects.filter(action=f"{name}.{operation}").latest("seq")
    is_open = OpenChange.objects.exists()
    assert AuditEvent.objects.filter(stage="attempt").count() == 1
    assert len(applied) <= 1
    if operation == "create":
        assert len(writes) <= 1 or not applied or kind is FaultKind.TOO_MANY
    if event.result in DONE:
        assert applied, "the log says that it was done"
    elif event.result in NOT_DONE:
        assert not applied, "the log says that it was not done"
    else:
        assert is_open, "an unknown outcome is visible"
    assert is_open == (event.result not in DONE | NOT_DONE)
