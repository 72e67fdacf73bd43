"""Calls that read findings of the checks, accept them and show them again."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.api.access import chosen_accounts, require_change, require_scope, visible_flow
from flows.api.change_results import refused_response
from flows.api.paging import json_response, sorted_page
from flows.api.problems import Problem, clean_form
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import (
    CreationHeaders,
    FlowSid,
    PageParameters,
    Reason,
    StrictSchema,
    responses,
)
from flows.audit import audit_log
from flows.audit.access import get_actor
from flows.audit.audit_log import Actor
from flows.availability.restrictions import OperationUnavailable
from flows.checks import suppressions
from flows.checks.actions import FindingAction
from flows.checks.checking import RULES_BY_ID, check_accounts
from flows.checks.findings import Finding, Rule
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.forms import SuppressionForm
from flows.checks.suppressions import FindingChange
from flows.mirror.models import Flow

router = Router(tags=["Findings"])
RuleId = Annotated[str, SchemaField(pattern=r"^[a-z0-9-]+$", description="The id of a check.")]


class FindingBody(Schema):
    """A finding at a flow. `digest` names exactly this finding."""

    rule: str
    severity: str
    account_sid: str
    sid: str
    friendly_name: str
    message: str
    digest: str


class FindingPage(Schema):
    items: list[FindingBody]
    next_cursor: str | None = None


class Suppression(StrictSchema):
    """The acceptance of a check's findings at a flow."""

    until: Annotated[str, SchemaField(description="The last day in UTC, such as 2027-01-31.")]
    digests: Annotated[
        list[str], SchemaField(description="The “digest” of each finding that you accept.")
    ]
    reason: Reason


class SuppressionBody(Schema):
    """Findings of a check that are accepted until a day."""

    rule: str
    sid: str
    until: str
    digests: list[str]


@router.get("checks", response=responses({200: FindingPage}), summary="List findings of checks")
def list_findings(request: HttpRequest, parameters: Query[PageParameters]) -> HttpResponse:
    """List what looks wrong at the flows, the worst first, without what someone accepts."""
    accounts = chosen_accounts(parameters.account, require_scope(request).scope)
    findings, next_cursor = sorted_page(
        check_accounts(accounts).findings,
        parameters.cursor,
        parameters.limit,
        name="checks",
        key=lambda each: (each.severity.rank, each.rule.rule_id, *each.key),
    )
    items = [
        {
            "rule": each.rule.rule_id,
            "severity": each.severity.value,
            "account_sid": each.account_sid,
            "sid": each.sid,
            "friendly_name": each.flow_name,
            "message": each.message,
            "digest": each.key[1],
        }
        for each in findings
    ]
    return json_response({"items": items, "next_cursor": next_cursor})


@router.put(
    "checks/{rule_id}/{sid}/suppression",
    response=responses({200: SuppressionBody}, is_change=True),
    summary="Accept a finding",
)
def suppress_finding(
    request: HttpRequest,
    rule_id: Path[RuleId],
    sid: Path[FlowSid],
    body: Body[Suppression],
    headers: Header[CreationHeaders],
) -> HttpResponse:
    """Accept the findings of a check at a flow until a day. They aren't listed until then."""
    rule, flow = _find(request, rule_id, sid, FindingAction.SUPPRESS)
    change_id = headers.idempotency_key or uuid.uuid4()
    if find_replay(request, change_id, FindingAction.SUPPRESS, sid) is not None:
        return _replayed_response(rule, body, flow)
    findings = _findings_of(rule, flow)
    if not findings:
        raise Http404("The flow doesn't have this finding.")
    form = SuppressionForm(_form_data(body, findings, change_id), findings=findings)
    values = clean_form(form)
    if form.has_other_findings:
        detail = "The flow has other findings now. Read them again. Nothing was changed."
        raise Problem(409, detail, code="content_changed")
    change = _build_change(get_sender(request), rule, flow, values["reason"], change_id)
    try:
        suppressions.suppress(change, findings, values["until"])
    except audit_log.AlreadyRecorded:  # the same request, or another one, came in the meantime
        find_replay(request, change_id, FindingAction.SUPPRESS, sid)
        return _replayed_response(rule, body, flow)
    except OperationUnavailable as refusal:
        return refused_response(refusal, "suppress the finding")
    return _suppression_response(rule, sid, values["until"], [each.digest for each in findings])


@router.delete(
    "checks/{rule_id}/{sid}/suppression",
    response=responses({204: None}, is_change=True),
    summary="Show a finding again",
)
def end_suppression(
    request: HttpRequest, rule_id: Path[RuleId], sid: Path[FlowSid]
) -> HttpResponse:
    """Show findings again that were accepted."""
    rule, flow = _find(request, rule_id, sid, FindingAction.END)
    change = _build_change(get_actor(request), rule, flow, "", uuid.uuid4())
    try:
        event = suppressions.end_suppression(change)
    except OperationUnavailable as refusal:
        return refused_response(refusal, "show the finding again")
    if event is None:
        raise Http404("The finding was not accepted.")
    return HttpResponse(status=204)


def _find(request: HttpRequest, rule_id: str, sid: str, action: FindingAction) -> tuple[Rule, Flow]:
    """Return the check and the flow, which the token may change. Raise `Http404`."""
    flow = visible_flow(request, sid)
    rule = RULES_BY_ID.get(rule_id)
    if rule is None:
        raise Http404("There is no such check.")
    require_change(request, "flows.change_flow", flow.account_sid, action=action, sid=sid)
    return rule, flow


def _findings_of(rule: Rule, flow: Flow) -> list[Finding]:
    """Return the findings of a check at a flow, also accepted ones."""
    findings = check_with_surroundings(
        flow.account_sid, flow.sid, flow.resource, with_suppressed=True
    )
    return [each for each in findings if each.rule == rule]


def _form_data(body: Suppression, findings: list[Finding], change_id: uuid.UUID) -> dict[str, Any]:
    """Return the body as the page's form sends it, with the digests in the page's order."""
    digests = [each.digest for each in findings]
    is_same = sorted(digests) == sorted(body.digests)
    return {
        "until": body.until,
        "reason": body.reason,
        "seen": " ".join(digests if is_same else body.digests),
        "change_id": str(change_id),
    }


def _suppression_response(
    rule: Rule, sid: str, until: date | str, digests: list[str]
) -> HttpResponse:
    return json_response({"rule": rule.rule_id, "sid": sid, "until": until, "digests": digests})


def _replayed_response(rule: Rule, body: Suppression, flow: Flow) -> HttpResponse:
    """Return the response for the same request, which was recorded before."""
    response = _suppression_response(rule, flow.sid, body.until, body.digests)
    response["Idempotency-Replayed"] = "true"
    return response


def _build_change(
    actor: Actor, rule: Rule, flow: Flow, reason: str, change_id: uuid.UUID
) -> FindingChange:
    return FindingChange(
        account_sid=flow.account_sid,
        sid=flow.sid,
        rule=rule,
        reason=reason,
        actor=actor,
        change_id=change_id,
    )
