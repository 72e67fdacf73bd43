"""The table on the page of a bulk change: one row for each flow, with a filter and pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.audit.event_text import refusal
from flows.audit.models import AuditEvent
from flows.core.safe_text import short, visible
from flows.mirror.models import Flow
from flows.plans.items import ItemStatus, PlanItem
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import redact_field
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW

PAGE_SIZE: Final = 100
# The status of a flow: its label on the page, and its CSS class.
ITEM_STATUSES: Final = {
    ItemStatus.PLANNED: ("Not started", "none"),
    ItemStatus.RUNNING: ("In progress", "busy"),
    ItemStatus.APPLIED: ("Done", "good"),
    ItemStatus.FAILED: ("Failed", "bad"),
    ItemStatus.CONFLICT: ("Conflict", "bad"),
    ItemStatus.UNKNOWN: ("Unknown outcome", "doubt"),
    ItemStatus.SKIPPED: ("Skipped", "none"),
}
# The whole change in words, by the status of the flow. Other statuses get the negative label.
_CREATION_LABELS: Final = {
    ItemStatus.PLANNED: "Will be created",
    ItemStatus.RUNNING: "Being created",
    ItemStatus.APPLIED: "Created",
    ItemStatus.UNKNOWN: "May be created",
}
_DELETION_LABELS: Final = {
    ItemStatus.PLANNED: "Will be deleted",
    ItemStatus.RUNNING: "Being deleted",
    ItemStatus.APPLIED: "Deleted",
    ItemStatus.UNKNOWN: "May be deleted",
}
_CONFLICT_MESSAGE: Final = "It has changed at Twilio since the preview. Nothing was sent."
_FLOW_SID: Final = re.compile(r"(FO[0-9a-fA-F]{32})(?![0-9a-fA-F])")


def build_table(
    request: Request, plan: Plan, items: Sequence[PlanItem], scope: twilio_accounts.Scope
) -> dict[str, Any]:
    """Return the template context of the table: its filter, its rows and the links to its pages.

    An invalid filter or page number shows no rows, and an error.
    """
    state, number = request.GET.get("state", ""), request.GET.get("page", "")
    error = _parameter_error(state, number)
    filtered = [item for item in items if not state or item.status == state]
    page = Paginator([] if error else filtered, PAGE_SIZE).get_page(number)
    counts = Counter(item.status for item in items)
    previous_url = next_url = None
    if page.has_previous():
        previous_url = _page_url(plan, state, page.previous_page_number())
    if page.has_next():
        next_url = _page_url(plan, state, page.next_page_number())
    return {
        "only": state,
        "mistake": error,
        "counts": [
            (name, label, counts[name], name == state)
            for name, (label, _) in ITEM_STATUSES.items()
            if counts[name]
        ],
        "rows": _build_rows(list(page), scope),
        "previous_url": previous_url,
        "next_url": next_url,
        "row_range": _format_row_range(page),
    }


def _parameter_error(state: str, number: str) -> str:
    if state and state not in ITEM_STATUSES:
        return f"“{state[:40]}” is not a state of a flow."
    if number and not re.fullmatch(r"[0-9]{1,6}", number):
        return f"“{number[:40]}” is not a page number."
    return ""


def _page_url(plan: Plan, state: str, number: int) -> str:
    parameters = {"state": state, "page": number} if state else {"page": number}
    return f"{reverse('flows:plan', args=[plan.pk])}?{urlencode(parameters)}"


def _format_row_range(page: Page[PlanItem]) -> str:
    if page.paginator.num_pages < 2:
        return ""
    return f"{page.start_index():,} to {page.end_index():,} of {page.paginator.count:,}"


def _build_rows(items: Sequence[PlanItem], scope: twilio_accounts.Scope) -> list[dict[str, Any]]:
    seqs = [item.event.pk for item in items if item.event]
    events = AuditEvent.objects.select_related("payload").in_bulk(seqs)
    sids = {item.change.target_sid for item in items}
    for item in items:
        sids.update(_FLOW_SID.findall(item.change.skip_reason))
    flows = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=sids - {""}), scope).in_bulk()
    return [
        _build_row(item, events.get(item.event.pk) if item.event else None, flows) for item in items
    ]


def _build_row(item: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> dict[str, Any]:
    change, flow = item.change, flows.get(item.change.target_sid)
    accounts = {account.sid: account for account in twilio_accounts.all_accounts()}
    channel = str(change.requested.get("channel_type") or "")
    identity = str(change.requested.get("contact_identity") or "")
    change_label, change_class = _change_label(change.action, item.status)
    return {
        "change": change,
        "event": event,
        "sid": change.target_sid or (event.target_sid if event else ""),
        "name": change.friendly_name or str(change.requested.get("friendly_name") or ""),
        "account": accounts.get(change.account_sid) or Account(change.account_sid, auth=("", "")),
        "channel": flow.channel_type if flow else channel,
        "identity": flow.contact_identity if flow else identity,
        "what": change_label,
        "shape": change_class,
        "is_gone": change.action == "flow.delete" and item.status == ItemStatus.APPLIED,
        "differences": _differences(change),
        "state": ITEM_STATUSES[item.status],
        "why": _explain(item, event, flows),
    }


def _change_label(action: str, status: ItemStatus) -> tuple[str, str]:
    """Return the label and the CSS class of a creation or deletion, or an empty label."""
    if action == "flow.delete":
        label, css_class, negative = _DELETION_LABELS.get(status), "old", "Not deleted"
    elif action == "flow.create":
        label, css_class, negative = _CREATION_LABELS.get(status), "new", "Not created"
    else:
        return "", "fine"
    return (label, css_class) if label else (negative, "fine")


def _differences(change: PlannedChange) -> list[dict[str, Any]]:
    if change.action == "flow.delete":
        return []
    differences = []
    for name, requested in change.requested.items():
        entry = FLEX_FLOW.by_name.get(name)
        before = redact_field(name, change.before.get(name))
        after = redact_field(name, requested)
        differences.append(
            {
                "label": FLEX_FLOW.label_of(name),
                "is_sid": entry is not None and entry.kind == "sid",
                "before": labels.display_value(FLEX_FLOW, name, before),
                "after": labels.display_value(FLEX_FLOW, name, after),
            }
        )
    return differences


def _explain(item: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> SafeString:
    """Return the reason why a flow was skipped or its change was not applied."""
    message = _failure_message(event) if event and item.status != ItemStatus.APPLIED else ""
    if item.status == ItemStatus.CONFLICT and not message:  # old events don't name the fields
        return visible(_CONFLICT_MESSAGE)
    return _link_flow_sids(item.change.skip_reason or message, flows)


def _failure_message(event: AuditEvent) -> str:
    """Return the event's message with Twilio's status and code."""
    twilio_error = refusal(event)
    parts = [event.payload.message, f"({twilio_error})" if twilio_error else ""]
    return " ".join(part for part in parts if part)


def _link_flow_sids(text: str, flows: dict[str, Flow]) -> SafeString:
    """Return the text with each flow's SID replaced by a link with its current name.

    The stored text has SIDs only; the names are looked up for display.
    """
    parts = ((_link_flow_sid(part, flows),) for part in _FLOW_SID.split(text))
    return format_html_join("", "{}", parts)


def _link_flow_sid(part: str, flows: dict[str, Flow]) -> SafeString:
    if not _FLOW_SID.fullmatch(part):
        return visible(part)
    flow = flows.get(part)
    name = format_html("“{}” ({})", visible(flow), short(part)) if flow else visible(short(part))
    return format_html('<a href="{}">{}</a>', reverse("flows:detail", args=[part]), name)
