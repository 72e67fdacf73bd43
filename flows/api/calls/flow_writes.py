"""Calls that create, change and delete flows, by the same services as the pages.

`If-Match` is the version that the client has seen, and `Idempotency-Key` the change's id.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.api.access import VIEW_FLOWS, require_change, visible_flow
from flows.api.calls.flow_reads import router
from flows.api.change_results import replayed_response, submit
from flows.api.flow_bodies import etag_of
from flows.api.paging import json_response
from flows.api.problems import check_version, clean_reason, invalid
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import (
    ChangeBody,
    ChangedFlow,
    ChangeHeaders,
    ChangeParameters,
    CreationHeaders,
    Deletion,
    DeletionParameters,
    DryRun,
    FlowCreation,
    FlowEdit,
    FlowSid,
    Requested,
    responses,
)
from flows.audit.access import get_actor
from flows.changes import change_guard, flow_changes
from flows.changes.change_guard import ProposedChange
from flows.changes.cleaning import clean
from flows.checks.findings import warnings_of
from flows.checks.flow_surroundings import check_with_surroundings
from flows.mirror.models import Flow
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

OTHER_FIELDS = ("reason", "account_sid")


@router.post(
    "flows",
    response=responses(
        {200: DryRun, 201: ChangedFlow, 202: ChangeBody | Requested}, is_change=True
    ),
    summary="Create a flow",
)
def create_flow(
    request: HttpRequest,
    body: Body[FlowCreation],
    headers: Header[CreationHeaders],
    parameters: Query[ChangeParameters],
) -> HttpResponse:
    """Create a flow. 202 means that the outcome isn't known yet: read the change again."""
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, "flow.create")
    if replay is not None:
        return replayed_response(replay)
    sent = body.model_dump(exclude_unset=True)
    account_sid = _choose_account(request, sent.get("account_sid"))
    require_change(request, "flows.add_flow", account_sid, action="flow.create")
    values = clean_values({name: sent[name] for name in sent if name not in OTHER_FIELDS})
    reason = clean_reason(body.reason)
    if parameters.dry_run:
        return _dry_run_response(request, account_sid, "", {}, values)
    return submit(
        lambda: flow_changes.create_flow(
            values=values,
            account_sid=account_sid,
            reason=reason,
            change_id=change_id,
            actor=get_sender(request),
        ),
        task="create the flow",
        as_request=parameters.as_request,
    )


@router.patch(
    "flows/{sid}",
    response=responses({200: ChangedFlow | DryRun, 202: ChangeBody | Requested}, is_change=True),
    summary="Change a flow",
)
def edit_flow(
    request: HttpRequest,
    sid: Path[FlowSid],
    body: Body[FlowEdit],
    headers: Header[ChangeHeaders],
    parameters: Query[ChangeParameters],
) -> HttpResponse:
    """Change the fields that the body has. Others keep their values; null clears a field.

    Changes that someone else made to other fields in the meantime are kept.
    """
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, "flow.update", sid)
    if replay is not None:
        return replayed_response(replay)
    flow = visible_flow(request, sid)
    require_change(request, "flows.change_flow", flow.account_sid, action="flow.update", sid=sid)
    check_version(etag_of(flow), headers.if_match)
    sent = body.model_dump(exclude_unset=True, exclude=set(OTHER_FIELDS))
    values = clean_values(sent, flow)
    reason = clean_reason(body.reason)
    if parameters.dry_run:
        return _dry_run_response(request, flow.account_sid, sid, flow.resource, values)
    return submit(
        lambda: flow_changes.update_flow(
            sid=sid,
            base=flow.resource,
            values=values,
            account_sid=flow.account_sid,
            reason=reason,
            change_id=change_id,
            actor=get_sender(request),
        ),
        task="change the flow",
        sid=sid,
        as_request=parameters.as_request,
    )


@router.delete(
    "flows/{sid}",
    response=responses({200: DryRun, 202: ChangeBody | Requested, 204: None}, is_change=True),
    summary="Delete a flow",
)
def delete_flow(
    request: HttpRequest,
    sid: Path[FlowSid],
    headers: Header[ChangeHeaders],
    parameters: Query[DeletionParameters],
    body: Body[Deletion | None] = None,
) -> HttpResponse:
    """Delete a flow, unless someone changed it since you read it."""
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, "flow.delete", sid)
    if replay is not None:
        return replayed_response(replay)
    flow = visible_flow(request, sid)
    require_change(request, "flows.delete_flow", flow.account_sid, action="flow.delete", sid=sid)
    check_version(etag_of(flow), headers.if_match)
    reason = clean_reason(body.reason if body else parameters.reason)
    if parameters.dry_run:
        values = dict.fromkeys(FLEX_FLOW.writable_names)
        return _dry_run_response(
            request, flow.account_sid, sid, flow.resource, values, is_deletion=True
        )
    return submit(
        lambda: flow_changes.delete_flow(
            sid=sid,
            base=flow.resource,
            account_sid=flow.account_sid,
            reason=reason,
            change_id=change_id,
            actor=get_sender(request),
        ),
        task="delete the flow",
        sid=sid,
        as_request=parameters.as_request,
    )


def _choose_account(request: HttpRequest, account_sid: str | None) -> str:
    """Return the account of a new flow. Raise `Problem`."""
    accounts = twilio_accounts.visible_accounts(scope_of(request.user, VIEW_FLOWS))
    if not accounts:
        raise PermissionDenied
    sids = [account.sid for account in accounts]
    if account_sid is None and len(twilio_accounts.all_accounts()) == 1:
        return sids[0]
    if account_sid not in sids:
        raise invalid({"account_sid": ["Send the SID of one of your accounts."]})
    return account_sid


def clean_values(sent: Mapping[str, Any], flow: Flow | None = None) -> dict[str, Any]:
    """Return the validated values of a new flow, or those to set in one. Raise `Problem`."""
    result = clean(FLEX_FLOW, sent, current=flow.resource if flow else None)
    errors = {name: [message] for name, message in result.errors.items()}
    for name in _inapplicable(sent, result.values.keys() | errors.keys()):
        label = FLEX_FLOW.label_of(name)
        errors[name] = [f"{label} doesn't apply to this integration type."]
    if errors:
        raise invalid(errors)
    return {name: result.values[name] for name in sent if name in result.values}


def _inapplicable(sent: Mapping[str, Any], applicable: Iterable[str]) -> list[str]:
    """Return the fields with a value that the flow's integration type doesn't take."""
    names = set(applicable)
    return [name for name, value in sent.items() if value is not None and name not in names]


def _dry_run_response(
    request: HttpRequest,
    account_sid: str,
    sid: str,
    base: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    is_deletion: bool = False,
) -> HttpResponse:
    """Return the differences between a flow and its new values, and warnings about the result."""
    names = FLEX_FLOW.differing_fields(base, values, values)
    current, new = redact_fields(dict(base)), redact_fields(dict(values))
    differences = [
        {"field": name, "current": current.get(name), "new": new.get(name)} for name in names
    ]
    warnings: list[str] = []
    if not is_deletion:
        result = Snapshot({**base, **values})
        warnings = warnings_of(check_with_surroundings(account_sid, sid, result, is_planned=True))
    change = ProposedChange(
        resource=FLEX_FLOW,
        operation="delete" if is_deletion else "update" if sid else "create",
        account_sid=account_sid,
        sid=sid,
        parent_sid="",
        before=base if sid else None,
        requested=None if is_deletion else {name: values[name] for name in names},
        reason="-",
        actor=get_actor(request),
        change_id=uuid.uuid4(),
    )
    body = {
        "dry_run": True,
        "differences": differences,
        "warnings": warnings,
        "request_reason": change_guard.why_requested(change),
    }
    return json_response(body)
