"""The page of one flow's migration: the verdict, the request, the payload and what could answer."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, require_permission
from flows.migration.board_form import VERDICT_LABELS
from flows.migration.load_flow import FlowMove, load_flow_move
from flows.migration.places import Answers, Place
from flows.migration.status import ENDED_STATUSES, MigrationStatus
from flows.migration.verdict_reasons import Effect
from flows.migration.verdicts import Verdict
from flows.migration.views.board import CHANGE, FLOW_DELETED, VERDICT_SHAPES
from flows.mirror.models import Flow

EFFECT_SHAPES: Final = {
    Effect.BLOCKS: "bad",
    Effect.NEEDS_HAND: "doubt",
    Effect.UNREAD: "none",
    Effect.INFORMATION: "none",
}
ANSWER_SHAPES: Final = {
    Answers.YES: "good",
    Answers.PERHAPS: "doubt",
    Answers.NO: "none",
    Answers.UNKNOWN: "doubt",
}


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def migration_flow(request: Request, sid: str) -> HttpResponse:
    """Show how a flow can be moved to an address, and what could answer its messages."""
    flow = Flow.objects.filter(sid=sid).first()
    if flow is None:
        raise Http404("The flow is not in the mirror")
    account = twilio_accounts.account_or_removed(flow.account_sid)
    move = load_flow_move(account, flow)
    context = {
        "flow": flow,
        "move": move,
        "status": _status_of(move),
        "reasons": _reason_rows(move),
        "places": [_place_row(place) for place in move.places],
        "can_prepare": _can_prepare(request, move),
        **_verdict_context(move),
    }
    return render(request, "migration/flow.html", context)


def _can_prepare(request: Request, move: FlowMove) -> bool:
    """Return True if the user may start a migration of the flow, and an address can take its place."""
    is_open = move.migration is not None and move.migration.status not in ENDED_STATUSES
    if is_open or move.judgement is None or move.judgement.verdict == Verdict.BLOCKED:
        return False
    return has_permission(request.user, CHANGE, move.flow.account_sid)


def _verdict_context(move: FlowMove) -> dict[str, Any]:
    if move.judgement is None:
        return {"verdict": "", "verdict_shape": ""}
    verdict = move.judgement.verdict
    return {"verdict": VERDICT_LABELS[verdict], "verdict_shape": VERDICT_SHAPES[verdict]}


def _status_of(move: FlowMove) -> tuple[str, str]:
    """Return the status of the migration in words, and its shape."""
    if move.migration is None:
        return move.progress.label, move.progress.shape
    if move.flow.gone_at and move.migration.status != MigrationStatus.DONE:
        return FLOW_DELETED, move.progress.shape
    status = MigrationStatus(move.migration.status)
    return status.label, "bad" if status == MigrationStatus.STUCK else move.progress.shape


def _reason_rows(move: FlowMove) -> list[dict[str, Any]]:
    reasons = move.judgement.reasons if move.judgement else ()
    return [{"reason": each, "shape": EFFECT_SHAPES[each.effect]} for each in reasons]


def _place_row(place: Place) -> dict[str, Any]:
    return {"place": place, "shape": ANSWER_SHAPES[place.answers], "url": _place_url(place)}


def _place_url(place: Place) -> str:
    if place.sid.startswith("FO"):
        return reverse("flows:detail", args=[place.sid])
    return reverse("flex:address_configuration", args=[place.sid]) if place.sid else ""
