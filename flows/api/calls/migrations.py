"""Calls that read the board of the migration and take its steps, as the pages under /migration/ do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Path, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.api.access import chosen_accounts, require_change, require_scope
from flows.api.paging import json_response, sorted_page
from flows.api.problems import API_PREFIX, Problem, clean_form, invalid
from flows.api.schemas import FlowSid, PageParameters, Reason, StrictSchema, responses
from flows.audit.access import Request, get_actor
from flows.availability import restrictions
from flows.changes import change_guard
from flows.migration import services
from flows.migration.actions import MigrationAction
from flows.migration.board import BoardRow
from flows.migration.board_progress import Progress
from flows.migration.forms import (
    CloseForm,
    MigrationForm,
    PrepareForm,
    RollbackForm,
    SwitchForm,
    VerifyForm,
)
from flows.migration.load_board import load_board
from flows.migration.load_flow import judge_flows
from flows.migration.models import FlowMigration
from flows.migration.services import NotPossible
from flows.migration.status import MigrationStatus
from flows.migration.step_states import load_states, load_steps
from flows.migration.unserved import rollback_unserved
from flows.migration.verdict_reasons import Effect
from flows.migration.verdicts import Judgement, Verdict
from flows.migration.views.starting import review_flow, review_switch
from flows.mirror.models import Flow

router = Router(tags=["Migration"])


class BoardParameters(PageParameters):
    """The filters of the board."""

    verdict: Verdict | None = None
    progress: Progress | None = None


class ReasonBody(Schema):
    sentence: str
    to_do: str


class BoardRowBody(Schema):
    """A flow on the board. One that is deleted, or whose migration is done, has no verdict."""

    sid: str
    account_sid: str
    friendly_name: str
    channel: str
    address: str
    verdict: Verdict | None
    reasons: list[ReasonBody]
    progress: Progress
    status: MigrationStatus | None
    problem: str


class BoardPage(Schema):
    items: list[BoardRowBody]
    next_cursor: str | None = None


class StepBody(Schema):
    """One call to Twilio. Its change has the outcome."""

    kind: str
    target_sid: str
    state: str
    change_id: str
    skip_reason: str
    done_at: str | None


class MigrationBody(Schema):
    """The migration of a flow with its steps. `problem` says why it can't go on by itself.

    `unapproved_rollback_at` is when a rollback last started although the policy required approvals.
    """

    sid: str
    account_sid: str
    friendly_name: str
    status: MigrationStatus
    problem: str
    address_sid: str
    created_at: str
    prepared_at: str | None
    switched_at: str | None
    verified_at: str | None
    deletion_possible_at: str | None
    ended_at: str | None
    unapproved_rollback_at: str | None
    steps: list[StepBody]


class MigrationAct(StrictSchema):
    """What a user does with a migration."""

    reason: Reason = ""


class Preparation(MigrationAct):
    deployment_key: Annotated[str, SchemaField(description="Of a web chat.")] = ""


class SwitchOver(MigrationAct):
    """The confirmations of the page. `by_hand_done` is needed for flows with a step by hand."""

    handlers_checked: bool = False
    by_hand_done: bool = False


class Rollback(MigrationAct):
    """`unserved_accepted` is needed if customers get no answer for a moment."""

    unserved_accepted: bool = False


_ACT_RESPONSES = responses({200: MigrationBody, 202: MigrationBody}, is_change=True)


@router.get("migrations", response=responses({200: BoardPage}), summary="List migrations")
def list_migrations(request: HttpRequest, parameters: Query[BoardParameters]) -> HttpResponse:
    """List every flow with its verdict, and how far its migration is, by SID."""
    accounts = chosen_accounts(parameters.account, require_scope(request).scope)
    rows = load_board(accounts).find(parameters.verdict, parameters.progress)
    page, next_cursor = sorted_page(
        rows, parameters.cursor, parameters.limit, name="migrations", key=lambda row: (row.sid,)
    )
    return json_response({"items": list(map(_row_body, page)), "next_cursor": next_cursor})


@router.get(
    "migrations/{sid}", response=responses({200: MigrationBody}), summary="Read a migration"
)
def read_migration(request: HttpRequest, sid: Path[FlowSid]) -> HttpResponse:
    """Return the latest migration of a flow with its steps."""
    return json_response(_migration_body(_find_migration(require_scope(request), sid)))


@router.post("migrations/{sid}/prepare", response=_ACT_RESPONSES, summary="Prepare a migration")
def prepare_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[Preparation]
) -> HttpResponse:
    """Let a worker create the address that takes the flow's place. The flow still answers."""
    flow = _find_flow(require_scope(request), sid)
    api_request = _require_change(request, flow.account_sid, MigrationAction.PREPARE, sid)
    row = review_flow(flow, _judge(flow))
    _require_possible(row.refusal)
    form = PrepareForm(body.dict(), needs_key=flow.channel_type == "web")
    reason = _clean_reason(form, flow.account_sid)
    key = form.cleaned_data.get("deployment_key", "")
    services.prepare(flow=flow, deployment_key=key, reason=reason, actor=get_actor(api_request))
    return _act_response(_find_migration(api_request, sid))


@router.post("migrations/{sid}/switch", response=_ACT_RESPONSES, summary="Switch over")
def switch_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[SwitchOver]
) -> HttpResponse:
    """Let a worker turn the flow off and the address on."""
    flow = _find_flow(require_scope(request), sid)
    api_request = _require_change(request, flow.account_sid, MigrationAction.SWITCH, sid)
    row = review_switch(flow, _judge(flow))
    _require_possible(row["refusal"])
    needs_hand = any(reason.effect == Effect.NEEDS_HAND for reason in row["reasons"])
    form = SwitchForm(body.dict(), needs_hand=needs_hand)
    return _act(api_request, row["migration"], form, services.switch)


@router.post("migrations/{sid}/verify", response=_ACT_RESPONSES, summary="Verify a migration")
def verify_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[MigrationAct]
) -> HttpResponse:
    """Record what you saw after a test message, as the reason."""
    api_request, migration = _permitted_migration(request, sid, MigrationAction.VERIFY)
    return _act(api_request, migration, VerifyForm(body.dict()), services.verify)


@router.post("migrations/{sid}/rollback", response=_ACT_RESPONSES, summary="Roll a migration back")
def roll_back_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[Rollback]
) -> HttpResponse:
    """Let a worker take back all steps that were made."""
    api_request, migration = _permitted_migration(request, sid, MigrationAction.ROLL_BACK)
    form = RollbackForm(body.dict(), needs_care=bool(rollback_unserved(migration)))
    return _act(api_request, migration, form, services.roll_back)


@router.post("migrations/{sid}/delete", response=_ACT_RESPONSES, summary="Delete a moved flow")
def delete_moved_flow(
    request: HttpRequest, sid: Path[FlowSid], body: Body[MigrationAct]
) -> HttpResponse:
    """Let a worker delete the flow, 7 days after the verification."""
    api_request, migration = _permitted_migration(
        request, sid, MigrationAction.DELETE, permission="flows.delete_flow"
    )
    form = MigrationForm(body.dict())
    return _act(api_request, migration, form, services.delete, operation="delete")


@router.post("migrations/{sid}/resume", response=_ACT_RESPONSES, summary="Try a migration again")
def resume_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[MigrationAct]
) -> HttpResponse:
    """Let a worker try again what is left of a stuck migration."""
    api_request, migration = _permitted_migration(request, sid, MigrationAction.RESUME)
    return _act(api_request, migration, MigrationForm(body.dict()), services.resume)


@router.post("migrations/{sid}/close", response=_ACT_RESPONSES, summary="End a stuck migration")
def close_migration(
    request: HttpRequest, sid: Path[FlowSid], body: Body[MigrationAct]
) -> HttpResponse:
    """End a stuck migration that you finished by hand. The reason says what you did."""
    api_request, migration = _permitted_migration(request, sid, MigrationAction.CLOSE)
    return _act(api_request, migration, CloseForm(body.dict()), services.close)


@router.post("migrations/{sid}/stop", response=_ACT_RESPONSES, summary="Stop switch-overs")
def stop_migrations(request: HttpRequest, sid: Path[FlowSid]) -> HttpResponse:
    """Stop the switch-overs of the flow's account that no worker has begun."""
    api_request, migration = _permitted_migration(request, sid, MigrationAction.STOP)
    services.stop(account_sid=migration.account_sid, reason="", actor=get_actor(api_request))
    return _act_response(_find_migration(api_request, sid))


def _find_flow(request: Request, sid: str) -> Flow:
    """Return a flow that the token may see. Raise `Http404`."""
    flow = Flow.objects.filter(pk=sid, gone_at=None).first()
    if flow is None or (request.scope is not None and flow.account_sid not in request.scope):
        raise Http404("There is no such flow, or it hasn't been synced yet.")
    return flow


def _find_migration(request: Request, sid: str) -> FlowMigration:
    """Return the latest migration of a flow that the token may see. Raise `Http404`."""
    migration = services.latest_migration(sid)
    scope = request.scope
    if migration is None or (scope is not None and migration.account_sid not in scope):
        raise Http404("This flow has no migration.")
    return migration


def _permitted_migration(
    request: HttpRequest,
    sid: str,
    action: MigrationAction,
    *,
    permission: str = "flows.change_flow",
) -> tuple[Request, FlowMigration]:
    migration = _find_migration(require_scope(request), sid)
    account_sid = migration.account_sid
    return _require_change(request, account_sid, action, sid, permission), migration


def _require_change(
    request: HttpRequest,
    account_sid: str,
    action: MigrationAction,
    sid: str,
    permission: str = "flows.change_flow",
) -> Request:
    return require_change(request, permission, account_sid, action=action, sid=sid)


def _judge(flow: Flow) -> Judgement:
    return judge_flows([flow])[flow.sid]


def _require_possible(refusal: str) -> None:
    if refusal:
        raise Problem(409, f"{refusal} Nothing was changed.", code="not_possible")


def _clean_reason(form: MigrationForm, account_sid: str) -> str:
    """Return the reason of a form. Raise `Problem`, also without one that the policy requires."""
    reason = str(clean_form(form)["reason"])
    reason_error = change_guard.missing_reason([account_sid], reason)
    if reason_error:
        raise invalid({"reason": [reason_error]})
    return reason


def _act(
    request: Request,
    migration: FlowMigration,
    form: MigrationForm,
    act: Callable[..., None],
    *,
    operation: str = "update",
) -> HttpResponse:
    """Do what a user asked for, and return the migration as it is then. Raise `Problem`."""
    reason = _clean_reason(form, migration.account_sid)
    restriction = restrictions.find_restriction(migration.account_sid, operation)
    if restriction is not None:
        detail = f"Nothing was changed. {restriction.sentence}"
        raise Problem(403, detail, code="unavailable")
    try:
        act(migration=migration, reason=reason, actor=get_actor(request))
    except NotPossible as refusal:
        _require_possible(str(refusal))
    return _act_response(_find_migration(request, migration.flow_sid))


def _act_response(migration: FlowMigration) -> HttpResponse:
    """Return a migration. 202 means that a worker makes its steps."""
    status = 202 if migration.is_running else 200
    response = json_response(_migration_body(migration), status=status)
    response["Location"] = f"{API_PREFIX}migrations/{migration.flow_sid}"
    return response


def _row_body(row: BoardRow) -> dict[str, Any]:
    judgement, migration = row.judgement, row.migration
    reasons = judgement.reasons if judgement else ()
    return {
        "sid": row.sid,
        "account_sid": row.account_sid,
        "friendly_name": row.name,
        "channel": row.channel,
        "address": row.identity,
        "verdict": judgement.verdict.value if judgement else None,
        "reasons": [{"sentence": each.sentence, "to_do": each.to_do} for each in reasons],
        "progress": row.progress.value,
        "status": migration.status if migration else None,
        "problem": migration.problem if migration else "",
    }


def _migration_body(migration: FlowMigration) -> dict[str, Any]:
    states = load_states(load_steps(migration))
    return {
        "sid": migration.flow_sid,
        "account_sid": migration.account_sid,
        "friendly_name": migration.friendly_name,
        "status": migration.status,
        "problem": migration.problem,
        "address_sid": migration.address_sid,
        "created_at": migration.created_at,
        "prepared_at": migration.prepared_at,
        "switched_at": migration.switched_at,
        "verified_at": migration.verified_at,
        "deletion_possible_at": services.deletion_possible_at(migration),
        "ended_at": migration.ended_at,
        "unapproved_rollback_at": migration.unapproved_rollback_at,
        "steps": [
            {
                "kind": step.kind,
                "target_sid": step.target_sid,
                "state": state.value,
                "change_id": step.change_id,
                "skip_reason": step.skip_reason,
                "done_at": step.done_at,
            }
            for step, state in states.items()
        ],
    }
