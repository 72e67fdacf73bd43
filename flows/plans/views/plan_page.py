"""The page of one bulk change: what each flow would change, how far it is, what came of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.audit.event_text import refusal
from flows.audit.models import AuditEvent
from flows.availability.offered_changes import REVERSE_OPERATIONS, AvailableActions
from flows.core.safe_text import short, visible
from flows.mirror.models import Flow
from flows.plans import access, execution, titles
from flows.plans.execution import PlanItem
from flows.plans.forms import PlanStartForm
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import redact_field
from flows.twilio import labels
from flows.twilio.flex import flex_flow

PAGE_SIZE: Final = 100
# A change's state: its name on the page, and the class that gives it its shape and colour.
ITEM_STATES: Final = {
    "planned": ("Not started", "none"),
    "running": ("In progress", "busy"),
    "made": ("Done", "good"),
    "failed": ("Failed", "bad"),
    "conflict": ("Conflict", "bad"),
    "unknown": ("Unknown outcome", "doubt"),
    "skipped": ("Skipped", "none"),
}
PLAN_STATES: Final = {
    "draft": ("Draft", "none"),
    "running": ("In progress", "busy"),
    "stopping": ("Stopping", "doubt"),
    "stopped": ("Stopped", "bad"),
    "done": ("Finished", ""),
}
PROBLEM_STATES: Final = ("failed", "conflict", "unknown")
# An action: of one flow that will be so, of several, and what has been done.
_ACTION_PHRASES: Final = {
    "flow.update": ("will change", "will change", "changed"),
    "flow.create": ("will be created", "will be created", "created"),
    "flow.delete": ("will be deleted", "will be deleted", "deleted"),
}
_DELETION_LABELS: Final = {
    "planned": "Will be deleted", "running": "Being deleted", "made": "Deleted", "unknown": "May be deleted",
}  # fmt: skip
_CREATION_LABELS: Final = {
    "planned": "Will be created", "running": "Being created", "made": "Created", "unknown": "May be created",
}  # fmt: skip
_CONFLICT_MESSAGE: Final = "It has changed at Twilio since the preview. Nothing was sent."
_FLOW_SID: Final = re.compile(r"(FO[0-9a-fA-F]{32})(?![0-9a-fA-F])")


def render_plan(
    request: Request,
    plan: Plan,
    *,
    form: PlanStartForm | None = None,
    template: str = "flows/plan.html",
    status: int = 200,
) -> HttpResponse:
    """The page, with the form that starts the plan as it was sent, if it was."""
    scope = scope_of(request.user, "flows.view_flow")
    fates = [fate for fate in execution.plan_items(plan) if _is_visible(fate.change, scope)]
    account_sids = access.account_sids_of_plan(plan.pk)
    powers = access.permissions_on_plan(request.user, plan, account_sids)
    context = {
        "plan": plan,
        "is_live": plan.state in ("running", "stopping"),
        "is_waiting": execution.is_waiting_for_worker(plan),
        "can_stop": plan.state == "running"
        or (plan.state == "stopping" and execution.is_waiting_for_worker(plan)),
        "undone_by": list(plan.undone_by.exclude(started_at=None)),
        "touched": affected_accounts(account_sids),
        "form": form or build_start_form(plan),
        "missing": execution.missing_permission(plan, request.user),
        "shut": execution.blocked_reason(plan),
        "may_act": powers.can_act,
        "may_discard": powers.can_discard,
        **_follow_up_actions(request, plan),
        **_summarize(plan, fates, account_sids),
        **_paginate(request, plan, fates, scope),
    }
    return render(request, template, context, status=status)


def _follow_up_actions(request: Request, plan: Plan) -> dict[str, bool]:
    """Whether a rollback, and a second try, have anything that can be changed just now."""
    offers = AvailableActions(request)
    planned = (
        plan.changes.filter(skipped="").order_by().values_list("action", "account_sid").distinct()
    )
    kinds = [(action.removeprefix("flow."), account_sid) for action, account_sid in planned]
    return {
        "can_retry": any(offers.can(kind, account_sid) for kind, account_sid in kinds),
        "can_roll_back": any(
            offers.can(REVERSE_OPERATIONS[kind], account_sid) for kind, account_sid in kinds
        ),
    }


def build_start_form(plan: Plan, *, reason: str | None = None) -> PlanStartForm:
    return PlanStartForm(
        deletes=count_deletions(plan), reason=plan.reason if reason is None else reason
    )


def count_deletions(plan: Plan) -> int:
    """The number of flows that starting the plan would delete."""
    return plan.changes.filter(action="flow.delete", skipped="", done_at=None).count()


def _is_visible(change: PlannedChange, scope: twilio_accounts.Scope) -> bool:
    return scope is None or not change.account_sid or change.account_sid in scope


def affected_accounts(account_sids: Sequence[str]) -> list[Account]:
    """The accounts whose flows it changes, where the site has several."""
    if twilio_accounts.only_account():
        return []
    known = {account.sid: account for account in twilio_accounts.all_accounts()}
    found = [known.get(sid) or Account(sid, auth=("", "")) for sid in account_sids]
    return sorted(found, key=lambda account: (not account.is_production, str(account)))


def _summarize(
    plan: Plan, fates: Sequence[PlanItem], account_sids: Sequence[str]
) -> dict[str, Any]:
    """The numbers, in sentences and for the progress bar."""
    counts = Counter(fate.state for fate in fates)
    to_do = counts["planned"]
    place = titles.format_accounts(account_sids)
    return {
        "state": _plan_state(plan, counts),
        "total": len(fates),
        "to_do": to_do,
        "made": counts["made"],
        "settled": len(fates) - to_do - counts["running"] - counts["skipped"],
        "to_process": len(fates) - counts["skipped"],
        "retryable_count": counts["failed"] + counts["conflict"],
        "retry_label": _retry_label(counts),
        "can_start": plan.state in ("draft", "stopped") and to_do,
        "takes": f"{to_do} second{'s' * (to_do != 1)}"
        if to_do < 100
        else f"{round(to_do / 60)} minutes",
        "review": _planned_summary(fates),
        "outcome": _result_summary(fates),
        "start_label": _start_label(fates, place),
        "place": place,
        "has_deletions": any(
            _is_included(fate) and fate.change.action == "flow.delete" for fate in fates
        ),
        "totals": _account_summaries(plan, fates, account_sids),
    }


def _plan_state(plan: Plan, counts: Counter[str]) -> tuple[str, str]:
    """The state in words, with what went wrong: "Finished" alone means that all was done."""
    name, shape = PLAN_STATES[plan.state]
    if plan.state != "done":
        return name, shape
    wrong = [
        f"{counts[state]} {ITEM_STATES[state][0].lower()}"
        for state in PROBLEM_STATES
        if counts[state]
    ]
    return (f"{name}: {', '.join(wrong)}", "doubt") if wrong else (name, "good")


def _retry_label(counts: Counter[str]) -> str:
    states = [state for state in ("failed", "conflict") if counts[state]]
    return f"Retry {', '.join(f'{counts[state]} {ITEM_STATES[state][0].lower()}' for state in states)}…"


def _is_included(fate: PlanItem) -> bool:
    return fate.state != "skipped"


def _planned_summary(fates: Iterable[PlanItem]) -> str:
    """The number of flows by what will happen to them: "3 flows will change, 1 will be created"."""
    numbers = Counter(fate.change.action for fate in fates if fate.state == "planned")
    parts: list[str] = []
    for action, (one, many, _) in _ACTION_PHRASES.items():
        if number := numbers[action]:
            flows = titles.format_count(number) if not parts else f"{number:,}"
            parts.append(f"{flows} {one if number == 1 else many}")
    return ", ".join(parts)


def _result_summary(fates: Iterable[PlanItem]) -> str:
    """The number of flows by what was done: "3 of 4 flows deleted, 1 of 1 created"."""
    tried = [fate for fate in fates if _is_included(fate)]
    totals = Counter(fate.change.action for fate in tried)
    made = Counter(fate.change.action for fate in tried if fate.state == "made")
    parts: list[str] = []
    for action, (_, _, done) in _ACTION_PHRASES.items():
        if total := totals[action]:
            flows = titles.format_count(total) if not parts else f"{total:,}"
            parts.append(f"{made[action]:,} of {flows} {done}")
    return ", ".join(parts) or "No flow was changed"


def _start_label(fates: Iterable[PlanItem], place: str) -> str:
    numbers = Counter(fate.change.action for fate in fates if fate.state == "planned")
    if len(numbers) > 1:
        return f"Apply {numbers.total():,} changes{place}"
    return "".join(
        f"{titles.VERB_BY_ACTION[action].capitalize()} {titles.format_count(number)}{place}"
        for action, number in numbers.items()
    )


def _account_summaries(
    plan: Plan, fates: Sequence[PlanItem], account_sids: Sequence[str]
) -> list[dict[str, Any]]:
    """The figures of each account, where the plan is about several."""
    if len(account_sids) < 2:
        return []
    found = []
    for account in affected_accounts(account_sids):
        own = [fate for fate in fates if fate.change.account_sid == account.sid]
        states = Counter(fate.state for fate in own)
        by_state = ", ".join(
            f"{states[name]} {ITEM_STATES[name][0].lower()}" for name in ITEM_STATES if states[name]
        )
        left_out = f", {states['skipped']} skipped" if states["skipped"] else ""
        text = _planned_summary(own) + left_out if plan.state == "draft" else by_state
        found.append({"account": account, "text": text})
    return found


def _paginate(
    request: Request, plan: Plan, fates: Sequence[PlanItem], scope: twilio_accounts.Scope
) -> dict[str, Any]:
    """The rows that are asked for. What is asked for wrongly shows none."""
    only, number = request.GET.get("state", ""), request.GET.get("page", "")
    mistake = ""
    if only and only not in ITEM_STATES:
        mistake = f"“{only[:40]}” is not a state of a flow."
    elif number and not re.fullmatch(r"[0-9]{1,6}", number):
        mistake = f"“{number[:40]}” is not a page number."
    shown = [] if mistake else [fate for fate in fates if not only or fate.state == only]
    page = Paginator(shown, PAGE_SIZE).get_page(number)
    counts = Counter(fate.state for fate in fates)
    return {
        "only": only,
        "mistake": mistake,
        "counts": [
            (name, ITEM_STATES[name][0], counts[name], name == only)
            for name in ITEM_STATES
            if counts[name]
        ],
        "rows": _build_rows(list(page), scope),
        "previous_url": _page_url(plan, only, page.previous_page_number())
        if page.has_previous()
        else None,
        "next_url": _page_url(plan, only, page.next_page_number()) if page.has_next() else None,
        "row_range": _format_row_range(page),
    }


def _page_url(plan: Plan, only: str, number: int) -> str:
    asked = {"state": only, "page": number} if only else {"page": number}
    return f"{reverse('flows:plan', args=[plan.pk])}?{urlencode(asked)}"


def _format_row_range(page: Page[PlanItem]) -> str:
    if page.paginator.num_pages < 2:
        return ""
    return f"{page.start_index():,} to {page.end_index():,} of {page.paginator.count:,}"


def _build_rows(fates: Sequence[PlanItem], scope: twilio_accounts.Scope) -> list[dict[str, Any]]:
    seqs = [fate.event.pk for fate in fates if fate.event]
    events = AuditEvent.objects.select_related("payload").in_bulk(seqs)
    sids = {fate.change.target_sid for fate in fates}
    sids.update(sid for fate in fates for sid in _FLOW_SID.findall(fate.change.skipped))
    flows = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=sids - {""}), scope).in_bulk()
    return [
        _build_row(fate, events.get(fate.event.pk) if fate.event else None, flows) for fate in fates
    ]


def _build_row(fate: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> dict[str, Any]:
    change, flow = fate.change, flows.get(fate.change.target_sid)
    known = {account.sid: account for account in twilio_accounts.all_accounts()}
    says = {"flow.delete": _DELETION_LABELS, "flow.create": _CREATION_LABELS}.get(change.action, {})
    verb = _ACTION_PHRASES[change.action][2]
    return {
        "change": change,
        "event": event,
        "sid": change.target_sid or (event.target_sid if event else ""),
        "name": change.friendly_name or str(change.asked.get("friendly_name") or ""),
        "account": known.get(change.account_sid) or Account(change.account_sid, auth=("", "")),
        "channel": flow.channel_type if flow else str(change.asked.get("channel_type") or ""),
        "identity": flow.contact_identity
        if flow
        else str(change.asked.get("contact_identity") or ""),
        "what": says.get(fate.state, f"Not {verb}") if says else "",
        "shape": ("old" if change.action == "flow.delete" else "new")
        if fate.state in says
        else "fine",
        "is_gone": change.action == "flow.delete" and fate.state == "made",
        "differences": _differences(change),
        "state": ITEM_STATES[fate.state],
        "why": _explain(fate, event, flows),
    }


def _differences(change: PlannedChange) -> list[dict[str, Any]]:
    names = [] if change.action == "flow.delete" else list(change.asked)
    return [
        {
            "label": labels.field_label(name),
            "is_sid": name in flex_flow.FIELDS_BY_NAME
            and flex_flow.FIELDS_BY_NAME[name].kind == "sid",
            "before": labels.display_value(name, redact_field(name, change.before.get(name))),
            "after": labels.display_value(name, redact_field(name, change.asked.get(name))),
        }
        for name in names
    ]


def _explain(fate: PlanItem, event: AuditEvent | None, flows: dict[str, Flow]) -> SafeString:
    said = _failure_message(event) if event and fate.state != "made" else ""
    if fate.state == "conflict" and not said:  # recorded before conflicts named their fields
        return visible(_CONFLICT_MESSAGE)
    return _link_flow_sids(fate.change.skipped or said, flows)


def _failure_message(event: AuditEvent) -> str:
    """Why a planned change was not made, with Twilio's status and code."""
    return " ".join(
        filter(None, [event.payload.message, f"({refusal(event)})" if refusal(event) else ""])
    )


def _link_flow_sids(text: str, flows: dict[str, Flow]) -> SafeString:
    """The text with a link and the present name in the place of each flow's SID: names are not kept in a plan."""
    return format_html_join(
        "", "{}", ((_link_flow_sid(part, flows),) for part in _FLOW_SID.split(text))
    )


def _link_flow_sid(part: str, flows: dict[str, Flow]) -> SafeString:
    if not _FLOW_SID.fullmatch(part):
        return visible(part)
    flow = flows.get(part)
    name = format_html("“{}” ({})", visible(flow), short(part)) if flow else visible(short(part))
    return format_html('<a href="{}">{}</a>', reverse("flows:detail", args=[part]), name)
