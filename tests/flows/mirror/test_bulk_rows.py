"""A sync stores many rows at once, in the form in which Django stores them one by one."""

import pytest
from django.db import connection
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEntry, AuditEvent, AuditPayload
from flows.mirror import flow_reads, flow_rows
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.faults.acting import SECRET_URL, assert_chain_intact

pytestmark = pytest.mark.django_db

FLOWS = (
    {},
    {"friendly_name": "Réclamation \x00 \ud800", "contact_identity": "+1 (415) 555-0100"},
    {"friendly_name": f"see {SECRET_URL}", "contact_identity": None, "enabled": "true"},
    {"friendly_name": 12, "contact_identity": 34, "enabled": None, "channel_type": "brand-new"},
    {"integration_type": "external", "integration_url": SECRET_URL, "date_updated": "yesterday"},
    {"unknown": [1.0, None, True, {"token": "abc", "é": 2**40}], "date_created": None},
)
# Columns that differ between two events with the same content.
PLACE_IN_LOG = {
    "seq", "event_id", "outcome_seq", "at", "salt", "payload_hash", "previous_hash", "hash",
}  # fmt: skip


def stored_rows(model, *, omitted=frozenset()):
    """Return the rows as the database has them, in the order of their primary keys."""
    names = [field.column for field in model._meta.concrete_fields if field.column not in omitted]
    kinds = [f'typeof("{name}")' for name in names] if connection.vendor == "sqlite" else []
    columns = ", ".join([*(f'"{name}"' for name in names), *kinds])
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {columns} FROM "{model._meta.db_table}" ORDER BY "{model._meta.pk.column}"'
        )
        return cursor.fetchall()


def append_first_state(snapshot):
    """Record a first state by itself, as a sync records many."""
    masked = redact_fields(snapshot)
    return audit_log.append(
        action="flow.baseline",
        stage="observed",
        result="applied",
        actor=Actor(id="", label=""),
        account_sid=ACCOUNT,
        target_sid=snapshot["sid"],
        payload=Payload(
            friendly_name=FLEX_FLOW.name_of(masked),
            contact_identity=FLEX_FLOW.identity_of(masked),
            after=masked,
        ),
    )


@pytest.mark.parametrize("model", [AuditEvent, AuditPayload, AuditEntry])
def test_first_sync_records_the_rows_of_single_appends(sandbox, model):
    for fields in FLOWS:
        sandbox.add_flow(**fields)
    sync_account(ACCOUNT)
    baselines = AuditEvent.objects.filter(action="flow.baseline").order_by("seq")
    sids = list(baselines.values_list("target_sid", flat=True))
    other_count = AuditEvent.objects.count() - len(sids)  # the first sight of the unknown field

    listed = {flow["sid"]: flow for flow in flow_reads.list_flows(ACCOUNT)}
    for sid in sids:
        append_first_state(listed[sid])

    rows = stored_rows(model, omitted=PLACE_IN_LOG)
    assert len(rows) == 2 * len(FLOWS) + other_count
    assert rows[: len(FLOWS)] == rows[-len(FLOWS) :]
    assert_chain_intact()


def test_mirror_has_the_rows_of_single_saves(sandbox, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    for fields in FLOWS:
        sandbox.add_flow(**fields)
    listed = flow_reads.list_flows(ACCOUNT)
    snapshots = {flow["sid"]: redact_fields(flow) for flow in listed}
    for snapshot in snapshots.values():
        flow_rows.build_row(snapshot, ACCOUNT, now).save()
    saved_rows = stored_rows(Flow)

    flow_rows.save_snapshots(snapshots, ACCOUNT)
    overwritten_rows = stored_rows(Flow)
    Flow.objects.all().delete()
    flow_rows.save_snapshots(snapshots, ACCOUNT)

    assert overwritten_rows == saved_rows
    assert stored_rows(Flow) == saved_rows
