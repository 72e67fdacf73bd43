"""Made-up flows, events, forms and template contexts for the page of all components."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

from django.contrib.messages import constants
from django.utils import timezone

from flows.accounts.twilio_accounts import Account
from flows.audit.models import AuditEvent, AuditPayload, Result, Stage
from flows.changes import failure_messages
from flows.changes.problem import Problem
from flows.flex_flows.forms import FlowForm
from flows.flex_flows.list_columns import COLUMNS
from flows.flex_flows.list_rows import ListRow
from flows.flex_flows.views.flow_list import ResultRange
from flows.local_details.fields import Details
from flows.mirror.models import Flow
from flows.plans.models import Plan
from flows.redaction.redacted import redact_fields
from flows.search import flow_search
from flows.search.listed_flows import ListedFlow
from flows.twilio.errors import RequestRefused

SID: Final = "FO" + "0123456789abcdef" * 2
OTHER_SID: Final = "FO" + "fedcba9876543210" * 2
MESSAGES: Final = (
    (constants.SUCCESS, "Turned off “Support Berlin”. Confirmed by Twilio."),
    (constants.INFO, "No changes to save: the flow already has these settings. Nothing was sent."),
    (constants.WARNING, "Twilio saved a different value for Retry count than you requested."),
    (constants.ERROR, "This flow was deleted at Twilio. It can't be changed."),
)


def make_flow(**fields: Any) -> Flow:
    values: dict[str, Any] = {
        "sid": SID,
        "friendly_name": "Support Berlin",
        "channel_type": "sms",
        "contact_identity": "+4915550100200",
        "enabled": True,
        "integration_type": "studio",
        "date_updated": timezone.now() - timedelta(hours=3),
        **fields,
    }
    return Flow(
        **values,
        resource=redact_fields(
            {"integration_type": "studio", "integration_flow_sid": "FW" + "1" * 32}
        ),
    )


def _make_row(flow: Flow) -> ListRow:
    """Return a flow's row of the list. A flow whose switch is not set has an external change."""
    columns = {name: getattr(flow, name) for name in ListedFlow._fields if hasattr(flow, name)}
    listed_flow = ListedFlow(
        **columns,
        resource_json=json.dumps(flow.resource),
        targets_json=json.dumps(flow.targets),
        names_json="[]",
    )
    return ListRow(
        listed_flow,
        Account(flow.account_sid, auth=("", "")),
        can_change=True,
        is_missing=False,
        has_drifted=flow.enabled is None,
        open_change=None,
        details=Details(),
    )


def make_events() -> list[AuditEvent]:
    """Return one event for each result, the successful one first.

    The reason contains a URL and an invisible character, as a user might enter them.
    """
    events = []
    results = sorted(Result.values, key=lambda result: result != "succeeded")
    for number, result in enumerate(results):
        event = AuditEvent(
            seq=number + 1,
            event_id=uuid.uuid4(),
            stage=Stage.OUTCOME,
            action="flow.update",
            result=result,
            at=timezone.now() - timedelta(days=number),
            actor_label="omar",
            actor_role="operator",
            target_sid=SID,
            changed_fields=["enabled"],
            reason="Holidays\u202e, see https://tickets.example.com/42",
        )
        AuditPayload(
            event=event,
            friendly_name="Support Berlin",
            before=redact_fields({"enabled": True}),
            requested=redact_fields({"enabled": False}),
            after=redact_fields({"enabled": False}),
        )
        events.append(event)
    return events


def switch_initial() -> dict[str, Any]:
    return {
        "enabled": "true",
        "reason": "Undo event 1",
        "change_id": uuid.uuid4(),
        "refers_to": uuid.uuid4(),
    }


def make_invalid_form() -> FlowForm:
    data = {
        "friendly_name": "",
        "channel_type": "",
        "integration_type": "studio",
        "integration_retry_count": "9",
    }
    return FlowForm({**data, "change_id": str(uuid.uuid4())})


def make_refusal() -> Problem:
    error = RequestRefused(status=400, code=45212, message="Duplicate address")
    return failure_messages.change_failed(error, task="turn off the flow")


def list_context(*rows: Flow) -> dict[str, Any]:
    page = SimpleNamespace(
        rows=rows,
        total=120,
        range=ResultRange(first=51, last=100, total=120, more=False),
        previous_url="?",
        next_url="?page=3",
    )
    labels = ("Search: support", "Channel: SMS", "Status: Off")
    return {
        "query": flow_search.Query(q="support"),
        "results": page,
        "rows": [_make_row(flow) for flow in rows],
        "columns": [
            {
                "key": key,
                "label": label,
                "url": "?",
                "direction": "ascending" if key == "name" else None,
            }
            for key, label in COLUMNS
        ],
        "chips": [{"label": label, "remove_url": "?"} for label in labels],
        "clear_url": "?",
    }


def empty_context() -> dict[str, str]:
    return {
        "title": "No matches",
        "text": "No flows match your search and filters.",
        "next_url": "?",
        "next_label": "Clear all",
    }


def compare_context(event: AuditEvent) -> dict[str, Any]:
    changed_row = {
        "label": "Status",
        "before": "On",
        "requested": "Off",
        "after": "Off",
        "is_changed": True,
    }
    differing_row = {
        "label": "Retry count",
        "before": 3,
        "requested": 1,
        "after": 2,
        "is_changed": True,
        "differs": True,
    }
    unchanged_row = {"label": "Friendly name", "before": "Support Berlin"}
    return {
        "rows": [changed_row, differing_row, unchanged_row],
        "event": event,
        "payload": event.payload,
    }


def plan_context() -> dict[str, Any]:
    now = timezone.now()
    plan = Plan(
        title="Turn off 40 flows", created_at=now, created_by="omar", started_at=now, ended_at=now,
        status="stopped", stop_reason="Stopped.", actor={"label": "omar"},
    )  # fmt: skip
    return {
        "plan": plan,
        "status": ("Stopped", "bad"),
        "total_count": 40,
        "included_count": 40,
        "processed_count": 25,
        "applied_count": 24,
        "remaining_count": 15,
        "result_summary": "24 of 40 flows changed",
    }
