"""The table on the page of a bulk change: one row for each flow, with a filter and pages."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flows.accounts import twilio_accounts
from flows.audit.access import Request
from flows.audit.models import AuditEvent
from flows.core.safe_text import short, visible
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import LABELS, display_value
from flows.mirror.models import Flow
from flows.names.named_sids import name_sids
from flows.plans.failure_text import failure_message
from flows.plans.items import ItemStatus, PlanItem, count_statuses, nonzero_counts, with_status
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
# CSS class, labels by status, and the label for any other status.
_LABELS_BY_ACTION: Final = {
    "flow.create": ("new", _CREATION_LABELS, "Not created"),
    "flow.delete": ("old", _DELETION_LABELS, "Not deleted"),
}
_FLOW_SID: Final = re.compile(r"(FO[0-9a-fA-F]{32})(?![0-9a-fA-F])")


def build_table(
    request: Request, plan: Plan, items: Sequence[PlanItem], scope: twilio_accounts.Scope
) -> dict[str, Any]:
    """Return the template context of the table: its filter, its rows and the links to its pages.

    An invalid filter or page number shows no rows, and an error.
    """
    status, number = request.GET.get("state", ""), request.GET.get("page", "")
    error = _parameter_error(status, number)
    filtered = [] if error else _filter_items(items, status)
    page = Paginator(filtered, PAGE_SIZE).get_page(number)
    return {
        "status_filter": status,
        "filter_error": error,
        "status_counts": _count_statuses(items, status),
        "rows": build_rows(list(page), scope),
        **_page_links(plan, status, page),
    }


def _parameter_error(status: str, number: str) -> str:
    if status not in ("", *ITEM_STATUSES):
        return f"“{status[:40]}” is not a state of a flow."
    if not re.fullmatch(r"[0-9]{0,6}", number):
        return f"“{number[:40]}” is not a page number."
    return ""


def _filter_items(items: Sequence[PlanItem], status: str) -> Sequence[PlanItem]:
    if not status:
        return items
    return with_status(items, ItemStatus(status))


def _count_statuses(
    items: Sequence[PlanItem], status_filter: str
) -> list[tuple[ItemStatus, str, int, bool]]:
    """Return the chips of the filter: status, label, number of flows, and True for the current."""
    counts = count_statuses(items)
    return [
        (status, status_label(status), number, status == status_filter)
        for status, number in nonzero_counts(counts, ITEM_STATUSES)
    ]


def status_label(status: ItemStatus) -> str:
    label, _css_class = ITEM_STATUSES[status]
    return label


def _page_links(plan: Plan, status: str, page: Page[PlanItem]) -> dict[str, str | None]:
    links: dict[str, str | None] = {"previous_url": None, "next_url": None, "row_range": ""}
    if page.has_previous():
        links["previous_url"] = _page_url(plan, status, page.previous_page_number())
    if page.has_next():
        links["next_url"] = _page_url(plan, status, page.next_page_number())
    if page.has_other_pages():
        total = page.paginator.count
        links["row_range"] = f"{page.start_index():,} to {page.end_index():,} of {total:,}"
    return links


def _page_url(plan: Plan, status: str, number: int) -> str:
    parameters: dict[str, str | int] = {"state": status} if status else {}
    parameters["page"] = number
    return f"{reverse('flows:plan', args=[plan.pk])}?{urlencode(parameters)}"


def build_rows(items: Sequence[PlanItem], scope: twilio_accounts.Scope) -> list[dict[str, Any]]:
    """Return the template context of the rows of flows/_planned_row.html."""
    events = _load_events(items)
    flows = _load_flows(items, scope)
    rows = [_build_row(item, events.get(item.change.change_id), flows) for item in items]
    differences = (
        (row["change"].account_sid, difference) for row in rows for difference in row["differences"]
    )
    name_sids(differences, ["before", "after"])
    return rows


def _load_events(items: Sequence[PlanItem]) -> dict[uuid.UUID | None, AuditEvent]:
    """Load the latest event of each change, with its payload, by the change's id."""
    seqs = [item.event.pk for item in items if item.event]
    events = AuditEvent.objects.select_related("payload").filter(pk__in=seqs)
    return {event.change_id: event for event in events}


def _load_flows(items: Sequence[PlanItem], scope: twilio_accounts.Scope) -> dict[str, Flow]:
    """Load the visible flows that the rows are about, or that a skip reason names, by SID."""
    sids = {item.change.target_sid for item in items}
    for item in items:
        sids.update(_FLOW_SID.findall(item.change.skip_reason))
    flows = Flow.objects.filter(sid__in=sids - {""})
    return twilio_accounts.filter_scope(flows, scope).in_bulk()


def _build_row(item: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> dict[str, Any]:
    change, requested = item.change, item.change.requested
    flow = flows.get(change.target_sid)
    created_sid = event.target_sid if event else ""
    channel, identity = _channel_and_identity(change, flow)
    change_label, change_class = _change_label(change.action, item.status)
    return {
        "change": change,
        "event": event,
        "sid": change.target_sid or created_sid,
        "name": change.friendly_name or FLEX_FLOW.name_of(requested),
        "account": twilio_accounts.account_or_removed(change.account_sid),
        "channel": channel,
        "identity": identity,
        "change_label": change_label,
        "change_class": change_class,
        "is_gone": change.action == "flow.delete" and item.status == ItemStatus.APPLIED,
        "differences": _differences(change),
        "status": ITEM_STATUSES[item.status],
        "explanation": _explain(item, event, flows),
    }


def _channel_and_identity(change: PlannedChange, flow: Flow | None) -> tuple[Any, Any]:
    """Return those of the flow, or those requested for a new one."""
    if flow is None:
        requested = change.requested
        return requested.get("channel_type"), requested.get("contact_identity")
    return flow.channel_type, flow.contact_identity


def _change_label(action: str, status: ItemStatus) -> tuple[str, str]:
    """Return the label and the CSS class of a creation or deletion, else an empty label."""
    if action not in _LABELS_BY_ACTION:
        return "", "fine"
    css_class, label_by_status, negative_label = _LABELS_BY_ACTION[action]
    label = label_by_status.get(status)
    return (label, css_class) if label else (negative_label, "fine")


def _differences(change: PlannedChange) -> list[dict[str, Any]]:
    if change.action == "flow.delete":
        return []
    if change.action == LocalDetailsAction.CHANGE:
        return [_details_difference(change, name) for name in change.requested]
    return [
        _difference(name, change.before.get(name), requested)
        for name, requested in change.requested.items()
    ]


def _details_difference(change: PlannedChange, name: str) -> dict[str, Any]:
    """Return the row of an owner or of tags, which are no fields at Twilio."""
    return {
        "label": LABELS[name],
        "is_sid": False,
        "before": display_value(name, change.before.get(name)) or None,
        "after": display_value(name, change.requested[name]) or None,
    }


def _difference(name: str, before: Any, requested: Any) -> dict[str, Any]:
    entry = FLEX_FLOW.field(name)
    redacted_before = redact_field(name, before)
    redacted_after = redact_field(name, requested)
    return {
        "label": entry.label,
        "is_sid": entry.kind == "sid",
        "before": labels.display_value(FLEX_FLOW, name, redacted_before),
        "after": labels.display_value(FLEX_FLOW, name, redacted_after),
    }


def _explain(item: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> SafeString:
    """Return the reason why a flow was skipped or its change was not applied."""
    reason = item.change.skip_reason
    if reason or event is None or item.status == ItemStatus.APPLIED:
        return _link_flow_sids(reason, flows)
    return _link_flow_sids(failure_message(event), flows)


def _link_flow_sids(text: str, flows: dict[str, Flow]) -> SafeString:
    """Return the text with each flow's SID replaced by a link with its current name.

    The stored text has SIDs only; the names are looked up for display.
    """
    parts = ((_link_flow_sid(part, flows),) for part in _FLOW_SID.split(text))
    return format_html_join("", "{}", parts)


def _link_flow_sid(part: str, flows: dict[str, Flow]) -> SafeString:
    if not _FLOW_SID.fullmatch(part):
        return visible(part)
    name = visible(short(part))
    if part in flows:
        name = format_html("“{}” ({})", visible(flows[part]), name)
    return format_html('<a href="{}">{}</a>', reverse("flows:detail", args=[part]), name)
