"""The page of one flow, read from Twilio or else from the mirror, and the flow as code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, require_permission
from flows.audit.models import OpenDrift
from flows.availability import restrictions
from flows.availability.offered_changes import AvailableActions
from flows.changes import flow_holds, in_flight
from flows.checks.findings import Severity
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.suppressions import suppressed_digests
from flows.checks.target_rules import load_target_names
from flows.flex_flows import flow_history, history_chart, snippets
from flows.flex_flows.handlers import set_handler_name
from flows.flex_flows.states import flow_state, mark_under_way
from flows.flex_flows.target_links import target_urls
from flows.flex_flows.views.page_source import read_for_page
from flows.local_details.reading import load_details
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.monitor_events.statements import attach_statements
from flows.names.lookup import Name
from flows.names.named_sids import with_name
from flows.redaction.redacted import Redacted, redact_fields
from flows.routing.links import flow_routing_url
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.webhook_tests.services import webhook_url

SECTIONS: Final = (
    (
        "Channel",
        ("friendly_name", "channel_type", "contact_identity", "enabled", "chat_service_sid"),
    ),
    ("Integration", ("integration_type", *(entry.name for entry in FLEX_FLOW.nested_fields))),
    ("Options", ("long_lived", "janitor_enabled")),
    ("Details", ("sid", "account_sid", "date_created", "date_updated", "url")),
)
ONLY_ENABLED: Final = ["enabled"]  # the changed fields of a change that turned a flow on or off
FLEX_API_ROOT: Final = "https://flex-api.twilio.com/v1"


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_detail(request: Request, sid: str) -> HttpResponse:
    """Show a flow as Twilio returns it, or from the mirror if Twilio can't be read.

    Heading, route and fields are of one source, which the page names.
    """
    source = read_for_page(request, sid)
    flow = source.build_flow()
    names = load_target_names([(request.account_sid, flow.resource)])[request.account_sid]
    set_handler_name(flow, names)
    open_change = mark_under_way(in_flight.open_changes_by_flow([sid]).get(sid))
    is_unresolved = open_change is not None
    actions = AvailableActions(request)  # also loads `request.states`, which the problem needs
    context = {
        "flow": flow,
        "state": source.state,
        "stale_read": source.stale_read,
        "read_at": timezone.now(),
        "problem": source.explain_error(request.states.get(request.account_sid)),
        "confirmed_at": source.confirmed_at(is_unresolved=is_unresolved),
        "details": load_details(sid),
        "routing_url": flow_routing_url(flow),
        "open_change": open_change,
        "hold": flow_holds.find_hold(sid),
        **_fields_context(flow, source.snapshot, source.state, names),
        **_actions_context(request, actions, source.state),
        **_history_context(request, flow),
    }
    return render(request, "flows/detail.html", context)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_code(request: Request, sid: str) -> HttpResponse:
    """Show a flow as code. The mirror's copy has no secrets."""
    flow = Flow.objects.filter(sid=sid).first()
    if flow is None:
        if sid not in request.readings:
            raise Http404("The flow is not in the mirror")
        flow = mirror.flow_from_snapshot(redact_fields(request.readings[sid]), request.account_sid)
    api_url = _api_root(request.account_sid)
    context = {
        "flow": flow,
        "snippets": snippets.build_snippets(FLEX_FLOW, flow.resource, api_url=api_url),
    }
    return render(request, "flows/code.html", context)


def _fields_context(
    flow: Flow, snapshot: Redacted, state: str, names: Mapping[str, Name]
) -> dict[str, Any]:
    """Return the flow's fields, those that this dashboard doesn't know, and the warnings."""
    unknown_fields = [
        (name, value) for name, value in snapshot.items() if name not in FLEX_FLOW.by_name
    ]
    urls = target_urls(flow)
    sections = _sections(snapshot)
    for _, rows in sections:
        for row in rows:
            row["value"] = with_name(row["value"], names)
            row["target_url"] = urls.get(row["field"].name, "")
    return {
        "sections": sections,
        "has_webhook": state != "gone" and bool(webhook_url(snapshot)),
        "unknown_fields": unknown_fields,
        **_findings_context(flow, snapshot, state),
    }


def _findings_context(flow: Flow, snapshot: Redacted, state: str) -> dict[str, Any]:
    """Return what the checks find at a flow that Twilio has."""
    if state == "gone":
        return {"warnings": [], "notes": [], "suppressed": []}
    findings = check_with_surroundings(flow.account_sid, flow.sid, snapshot, with_suppressed=True)
    digests = suppressed_digests([flow.sid]).get(flow.sid, frozenset())
    suppressed = [each for each in findings if digests and each.digest in digests]
    unsuppressed = [each for each in findings if each not in suppressed]
    notes = [each for each in unsuppressed if each.severity == Severity.INFORMATION]
    warnings = [each for each in unsuppressed if each not in notes]
    return {"warnings": warnings, "notes": notes, "suppressed": suppressed}


def _actions_context(request: Request, actions: AvailableActions, state: str) -> dict[str, Any]:
    """Return what the user can do with the flow."""
    can_read = not restrictions.find_restriction(request.account_sid, "fetch")
    return {
        "can_clone": state != "gone" and can_read,
        "can_change_details": actions.can("details", request.account_sid),
        "clone_targets": _clone_targets(request, actions),
    }


def _history_context(request: Request, flow: Flow) -> dict[str, Any]:
    """Return the flow's latest events, and whether it has unresolved external changes.

    "turn_off" is the event that turned a flow off which is off now. A turn-off is not offered as a
    change to undo, too, if it changed nothing else.
    """
    sid = flow.sid
    history = flow_history.latest_changes(sid, request.scope)
    attach_statements(history)
    is_off = flow_state(flow) == "off"
    turn_off = flow_history.find_turn_off(sid, request.scope) if is_off else None
    undoable_change = flow_history.find_undoable_change(sid, request.user)
    if undoable_change == turn_off and turn_off and turn_off.changed_fields == ONLY_ENABLED:
        undoable_change = None
    return {
        "history": history,
        "turn_off": turn_off,
        "undoable_change": undoable_change,
        "only_enabled": ONLY_ENABLED,
        "history_chart": history_chart.draw_history(history, timezone.now()),
        "history_since": min((event.entry.start.at for event in history), default=None),
        "has_external_changes": OpenDrift.objects.filter(target_sid=sid).exists(),
        "log_url": f"{reverse('audit:list')}?{urlencode({'sid': sid})}",
    }


def _clone_targets(request: Request, actions: AvailableActions) -> list[Account]:
    """Return the other accounts where the user can create flows."""
    accounts = twilio_accounts.visible_accounts(scope_of(request.user, "flows.add_flow"))
    targets = []
    for account in accounts:
        is_other = account.sid != request.account_sid
        if is_other and actions.is_possible("create", account.sid):
            targets.append(account)
    return targets


def _api_root(account_sid: str) -> str:
    """Return the root of the account's API, or Twilio's own if the account isn't configured."""
    try:
        return twilio_accounts.get_account(account_sid).root
    except twilio_accounts.AccountNotConfigured:
        return FLEX_API_ROOT


def _sections(snapshot: Redacted) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the known fields by section.

    Of the integration, these are the fields that its type uses and those that have a value.
    """
    return [(title, _section_rows(snapshot, names)) for title, names in SECTIONS]


def _section_rows(snapshot: Mapping[str, Any], names: Iterable[str]) -> list[dict[str, Any]]:
    integration_type = snapshot.get("integration_type")
    rows: list[dict[str, Any]] = []
    for name in names:
        entry = FLEX_FLOW.by_name[name]
        value = snapshot.get(name)
        has_value = value not in (None, "")
        if has_value or entry.is_applicable(integration_type):
            rows.append({"field": entry, "value": value})
    return rows
