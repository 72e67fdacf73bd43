"""The board of the migration: how far each account is, and every flow with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, has_permission_anywhere
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, require_permission
from flows.checks.stored_state import oldest_reading
from flows.migration.board import Board, BoardRow
from flows.migration.board_form import VERDICT_LABELS, BoardForm
from flows.migration.board_progress import Progress
from flows.migration.load_board import load_board, load_burn_down
from flows.migration.status import MigrationStatus
from flows.migration.verdicts import Verdict
from flows.mirror import freshness
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

PAGE_SIZE: Final = 50
CHANGE: Final = "flows.change_flow"
COUNT_LABELS: Final = {Verdict.BY_HAND: "with a step by hand"}  # after a number
ROW_LABELS: Final = {Verdict.BY_HAND: "By hand"}  # where a row has little space
FLOW_DELETED: Final = "Flow deleted"  # outside this dashboard
VERDICT_SHAPES: Final = {
    Verdict.BLOCKED: "bad",
    Verdict.BY_HAND: "doubt",
    Verdict.UNCERTAIN: "none",
    Verdict.AUTOMATIC: "good",
}


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def migration_board(request: Request) -> HttpResponse:
    """Show how many flows are moved, and every flow by its number with its verdict."""
    form = BoardForm(request.GET, twilio_accounts.visible_accounts(request.scope))
    accounts = form.selected_accounts
    board = load_board(accounts)
    rows = board.find(form.chosen_verdict, form.chosen_progress, form.sids)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    can_change = has_permission_anywhere(request.user, CHANGE)
    context = {
        "form": form,
        "progress_columns": list(Progress),
        "account_rows": _account_rows(form, board),
        "verdicts": _verdict_totals(form, board),
        "burn_down": load_burn_down(accounts),
        "rows": [
            {
                **_row_context(row, form.accounts),
                "can_move": can_change and _can_move(request, row),
            }
            for row in page
        ],
        "total": len(rows),
        "has_flows": bool(board.rows),
        "page": page,
        "previous_url": _query(form, page=page.previous_page_number())
        if page.has_previous()
        else None,
        "next_url": _query(form, page=page.next_page_number()) if page.has_next() else None,
        "freshness": freshness.select_worst(freshness.load_freshness(accounts)),
        "names_read_at": oldest_reading([account.sid for account in accounts]),
        "can_change": can_change,
    }
    return render(request, "migration/board.html", context)


def _can_move(request: Request, row: BoardRow) -> bool:
    can_go_on = row.progress != Progress.DONE and not row.is_gone
    return can_go_on and has_permission(request.user, CHANGE, row.account_sid)


def _account_rows(form: BoardForm, board: Board) -> list[dict[str, Any]]:
    """Return the counts of each account, and of all of them if there are several."""
    accounts: Sequence[Account | None] = form.selected_accounts
    if len(accounts) > 1:
        accounts = [*accounts, None]
    rows = []
    for account in accounts:
        sid = account.sid if account else ""
        counts = board.count_progress(sid)
        cells = [
            {
                "count": count,
                "progress": progress,
                "url": _query(form, account=sid, status=progress.value, verdict=""),
            }
            for progress, count in zip(Progress, counts, strict=True)
        ]
        rows.append({"account": account, "cells": cells, "total": sum(counts)})
    return rows


def _verdict_totals(form: BoardForm, board: Board) -> list[dict[str, Any]]:
    """Return the number of flows that aren't started with each verdict that some have."""
    not_started = Progress.NOT_STARTED.value
    return [
        {
            "label": COUNT_LABELS.get(verdict, VERDICT_LABELS[verdict].lower()),
            "shape": VERDICT_SHAPES[verdict],
            "count": count,
            "url": _query(form, verdict=verdict.value, status=not_started),
        }
        for verdict, count in board.count_verdicts().items()
        if count
    ]


def _row_context(row: BoardRow, accounts: dict[str, Account]) -> dict[str, Any]:
    verdict = row.judgement.verdict if row.judgement else None
    migration = row.migration
    is_stuck = migration is not None and migration.status == MigrationStatus.STUCK
    return {
        "row": row,
        "channel": CHANNEL_TYPES.get(row.channel, row.channel),
        "account": accounts[row.account_sid] if len(accounts) > 1 else None,
        "verdict": ROW_LABELS.get(verdict, VERDICT_LABELS[verdict]) if verdict else "",
        "verdict_shape": VERDICT_SHAPES[verdict] if verdict else "",
        "reason": row.judgement.main_reason if row.judgement else None,
        "status": _status_of(row),
        "status_shape": "bad" if is_stuck else row.progress.shape,
        "problem": migration.problem if migration and is_stuck else "",
    }


def _status_of(row: BoardRow) -> str:
    migration = row.migration
    if migration and row.is_gone and migration.status != MigrationStatus.DONE:
        return FLOW_DELETED
    if migration and row.progress == Progress.IN_PROGRESS:
        return MigrationStatus(migration.status).label
    return row.progress.label


def _query(form: BoardForm, **changes: str | int) -> str:
    """Return the address of the board with other filters. It begins at page one."""
    values = {**form.cleaned_data, **changes}
    parameters = {name: value for name, value in values.items() if value}
    return f"?{urlencode(parameters)}" if parameters else "?"
