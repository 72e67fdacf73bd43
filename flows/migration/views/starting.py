"""The reviews that start migrations: what will be created for each flow, and the switch-over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.availability import restrictions
from flows.changes import change_guard
from flows.migration import services
from flows.migration.actions import MigrationAction
from flows.migration.board_form import MAX_SIDS
from flows.migration.forms import MigrationForm, PrepareForm, SwitchForm
from flows.migration.load_flow import judge_flows
from flows.migration.models import FlowMigration
from flows.migration.readings import CannotMigrate, plan_address
from flows.migration.services import NotPossible
from flows.migration.status import MigrationStatus
from flows.migration.step_states import load_states, load_steps
from flows.migration.unserved import LOST_ANSWER, describe_seconds, longest_unserved_seconds
from flows.migration.verdict_reasons import Effect, Found
from flows.migration.verdicts import Judgement
from flows.migration.views.steps import describe_unserved
from flows.mirror.models import Flow
from flows.names.named_sids import name_sids
from flows.redaction.masking import redact_field
from flows.twilio import labels
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import is_on

MAX_FLOWS: Final = 200
KEY_TO_COME: Final = "to be entered"


@dataclass
class PreparedFlow:
    """A flow of the review, with the values of its address, or why it can't be migrated."""

    flow: Flow
    values: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""
    # What else the verdict says: what is left to do by hand, and what isn't known yet.
    reasons: list[Found] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return twilio_accounts.account_or_removed(self.flow.account_sid)


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=MigrationAction.PREPARE)
def prepare(request: Request) -> HttpResponse:
    """Review the addresses that would take the flows' places, and let a worker create them."""
    flows = _selected_flows(request)
    judgements = judge_flows(flows)
    counts = Counter(flow.account_sid for flow in flows)
    rows = [review_flow(flow, judgements[flow.sid], counts[flow.account_sid]) for flow in flows]
    needs_key = any(row.flow.channel_type == "web" and not row.refusal for row in rows)
    if needs_key and len(rows) > 1:
        _refuse_web_chats(rows)
        needs_key = False
    form = PrepareForm(request.POST if request.method == "POST" else None, needs_key=needs_key)
    if request.method == "GET":
        return _render_prepare(request, rows, form)
    if not form.is_valid() or _lacks_reason(form, flows):
        return _render_prepare(request, rows, form, status=422)
    possible = [row.flow for row in rows if not row.refusal]
    with page_if_unrecorded(lambda: _render_prepare(request, rows, form, status=503)):
        started = [
            services.prepare(
                flow=flow,
                deployment_key=form.cleaned_data.get("deployment_key", ""),
                reason=form.cleaned_data["reason"],
                actor=get_actor(request),
            )
            for flow in possible
        ]
    return _after_start(request, [each for each in started if each is not None], "prepared")


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=MigrationAction.SWITCH)
def switch(request: Request) -> HttpResponse:
    """Review how long customers are unserved at most, and let a worker switch over."""
    flows = _selected_flows(request)
    judgements = judge_flows(flows)
    counts = Counter(flow.account_sid for flow in flows)
    rows = [review_switch(flow, judgements[flow.sid], counts[flow.account_sid]) for flow in flows]
    needs_hand = any(
        reason.effect == Effect.NEEDS_HAND for row in rows for reason in row["reasons"]
    )
    form = SwitchForm(request.POST if request.method == "POST" else None, needs_hand=needs_hand)
    if request.method == "GET":
        return _render_switch(request, rows, form)
    if not form.is_valid() or _lacks_reason(form, flows):
        return _render_switch(request, rows, form, status=422)
    started = []
    with page_if_unrecorded(lambda: _render_switch(request, rows, form, status=503)):
        for row in rows:
            if row["refusal"]:
                continue
            try:
                services.switch(
                    migration=row["migration"],
                    reason=form.cleaned_data["reason"],
                    actor=get_actor(request),
                )
            except NotPossible:  # another user was faster
                continue
            started.append(row["migration"])
    return _after_start(request, started, "switched over")


def _lacks_reason(form: MigrationForm, flows: Iterable[Flow]) -> bool:
    """Add an error to a valid form without the reason that a policy requires. Return True then."""
    error = change_guard.missing_reason(
        (flow.account_sid for flow in flows), form.cleaned_data["reason"]
    )
    if error:
        form.add_error("reason", error)
    return bool(error)


def _selected_flows(request: Request) -> list[Flow]:
    """Return the selected flows in the accounts where the user may change flows."""
    source = request.POST if request.method == "POST" else request.GET
    sids = source.getlist("sid")[:MAX_FLOWS]
    flows = twilio_accounts.filter_scope(
        Flow.objects.filter(sid__in=sids, gone_at=None), request.scope
    )
    return list(flows.order_by("name_folded", "sid"))


def review_flow(flow: Flow, judgement: Judgement, flows_at_once: int = 1) -> PreparedFlow:
    """`flows_at_once` is how many flows of this account the user prepares."""
    row = PreparedFlow(flow)
    row.refusal = _find_refusal(flow, judgement, flows_at_once)
    if not row.refusal:
        row.reasons = judgement.open_reasons
        key = KEY_TO_COME if flow.channel_type == "web" else ""
        try:
            values = plan_address(flow.resource, key)
        except CannotMigrate as refusal:
            row.refusal = str(refusal)
        else:
            row.values = [_displayed(name, value) for name, value in values.items()]
            name_sids(((flow.account_sid, each) for each in row.values), ["value"])
    return row


def _find_refusal(flow: Flow, judgement: Judgement, flows_at_once: int) -> str:
    """Return why a flow's migration can't be prepared, as far as it is known without reading."""
    restriction = restrictions.find_restriction(flow.account_sid, "update")
    if restriction is not None:
        return restriction.sentence
    policy_refusal = change_guard.guard().series_refusal(flow.account_sid, flows_at_once)
    if policy_refusal:
        return policy_refusal
    if services.open_migration(flow.sid) is not None:
        return "Its migration is in progress."
    worst = judgement.main_reason
    if worst is not None and worst.effect == Effect.BLOCKS:
        return f"{worst.sentence} {worst.to_do}"
    if not is_on(flow.resource):
        return "The flow is off, so no message arrives through it. Turn it on first, or delete it."
    return ""


def _refuse_web_chats(rows: Iterable[PreparedFlow]) -> None:
    for row in rows:
        if row.flow.channel_type == "web" and not row.refusal:
            row.refusal = (
                "A web chat needs the deployment key of its website: prepare it on its own."
            )


def _displayed(name: str, value: Any) -> dict[str, Any]:
    entry = ADDRESS_CONFIGURATION.field(name)
    redacted = redact_field(name, value)
    return {
        "label": entry.label,
        "is_sid": entry.kind == "sid",
        "value": labels.display_value(ADDRESS_CONFIGURATION, name, redacted),
    }


def review_switch(flow: Flow, judgement: Judgement, flows_at_once: int = 1) -> dict[str, Any]:
    """`flows_at_once` is how many flows of this account the user switches over."""
    migration = services.open_migration(flow.sid)
    row: dict[str, Any] = {
        "flow": flow,
        "account": twilio_accounts.account_or_removed(flow.account_sid),
        "migration": migration,
        "refusal": "",
        "seconds": 0,
        "reasons": (),
    }
    restriction = restrictions.find_restriction(flow.account_sid, "update")
    policy_refusal = change_guard.guard().series_refusal(flow.account_sid, flows_at_once)
    if restriction is not None:
        row["refusal"] = restriction.sentence
    elif policy_refusal:
        row["refusal"] = policy_refusal
    elif migration is None or migration.status != MigrationStatus.READY:
        status = migration.get_status_display() if migration else "Not prepared"
        row["refusal"] = f"{status}: only a migration that is ready can be switched over."
    else:
        steps = load_steps(migration)
        row["reasons"] = judgement.open_reasons
        row["unserved"] = describe_unserved(steps, load_states(steps))
        row["seconds"] = longest_unserved_seconds(step for step in steps if step.done_at is None)
    return row


def _render_prepare(
    request: Request, rows: Sequence[PreparedFlow], form: PrepareForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "rows": rows,
        "form": form,
        "has_several_accounts": twilio_accounts.only_account() is None,
        "count": sum(not row.refusal for row in rows),
        "max_flows": MAX_FLOWS,
    }
    return render(request, "migration/prepare.html", context, status=status)


def _render_switch(
    request: Request, rows: Sequence[dict[str, Any]], form: SwitchForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "rows": rows,
        "form": form,
        "has_several_accounts": twilio_accounts.only_account() is None,
        "count": sum(not row["refusal"] for row in rows),
        "needs_care": any(row["reasons"] for row in rows),
        "total": describe_seconds(sum(row["seconds"] for row in rows)),
        "lost_answer": LOST_ANSWER,
        "max_flows": MAX_FLOWS,
    }
    return render(request, "migration/switch.html", context, status=status)


def _after_start(
    request: Request, started: Sequence[FlowMigration], participle: str
) -> HttpResponse:
    """Go to the page of the migration, or to the board with these flows if there are several."""
    if not started:
        messages.info(request, "Nothing was started.")
        return redirect("migration:board")
    if len(started) == 1:
        return redirect("migration:steps", sid=started[0].flow_sid)
    messages.success(
        request,
        f"{len(started)} flows are being {participle}, one by one. Reload this page to see how far "
        "they are.",
    )
    chosen = [("sid", each.flow_sid) for each in started] if len(started) <= MAX_SIDS else []
    return redirect(f"{reverse('migration:board')}?{urlencode(chosen)}")
