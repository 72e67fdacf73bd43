"""The pages of targets: their list, and the flows that use one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, require_permission
from flows.availability.offered_changes import AvailableActions
from flows.core.normalization import normalize_text
from flows.core.safe_text import short
from flows.flex_flows import list_columns
from flows.flex_flows.list_rows import build_rows
from flows.flex_flows.target_links import MAX_LENGTH, target_list_url, target_url
from flows.mirror.targets import TargetKind
from flows.names.models import ResourceName
from flows.search import flow_search
from flows.search.target_names import find_named, find_named_by_account
from flows.targets.forms import TargetFilterForm
from flows.targets.listing import PAGE_SIZE, RESOURCES, ListedTarget
from flows.targets.uses import AccountUse, count_uses
from flows.twilio.studio.studio_flow import STUDIO_FLOW

NUMBER_COLUMNS: Final = {"on": "Flows on", "off": "Flows off"}  # headings by sort order
MAX_ROWS: Final = 50  # flows on a target's page; the list has all of them


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def target_list(request: Request) -> HttpResponse:
    """List what flows point to, the most used first, or what no flow points to."""
    form = TargetFilterForm(request.GET, request.scope)
    targets: list[ListedTarget] = []
    total, page = 0, 1
    if form.is_valid():
        query = form.query()
        targets, total = query.run()
        last_page = max(1, -(-total // PAGE_SIZE))
        page = min(query.page, last_page)
        if page != query.page:
            targets, total = replace(query, page=page).run()
    is_unused = form.is_valid() and form.query().is_unused
    first = (page - 1) * PAGE_SIZE
    context = {
        "form": form,
        "rows": _target_rows(targets, request.scope),
        "total": total,
        "first": first + 1,
        "last": first + len(targets),
        "shows_account": form.has_accounts,
        "columns": _build_headings(request, _column_labels(form, is_unused=is_unused)),
        "is_unused": is_unused,
        "elsewhere": _search_elsewhere(request),
        "is_filtered": any(request.GET.get(name) for name in form.fields if name != "sort"),
        "previous_url": _list_url(request, page=str(page - 1)) if page > 1 else None,
        "next_url": _list_url(request, page=str(page + 1))
        if first + len(targets) < total
        else None,
    }
    return render(request, "targets/list.html", context)


def _column_labels(form: TargetFilterForm, *, is_unused: bool) -> dict[str, str]:
    """Return the heading of each column by the sort order that it stands for."""
    labels = {"name": "Target", "kind": "Kind"}
    if form.has_accounts:
        labels["account"] = "Account"
    return labels if is_unused else labels | NUMBER_COLUMNS


def _build_headings(request: Request, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the headings of the columns, each with the address that sorts by it.

    Numbers start with the highest one, as the list does.
    """
    sort = request.GET.get("sort", "")
    headings = []
    for key, label in labels.items():
        orders = (key, f"-{key}")
        directions = dict(zip(orders, ("ascending", "descending"), strict=True))
        first, second = reversed(orders) if key in NUMBER_COLUMNS else orders
        heading = {
            "key": key,
            "label": label,
            "is_number": key in NUMBER_COLUMNS,
            "direction": directions.get(sort),
            "url": _list_url(request, sort=second if sort == first else first),
        }
        headings.append(heading)
    return headings


def _search_elsewhere(request: Request) -> list[tuple[str, str]]:
    """Return the same search where this one doesn't look: among unused targets and numbers."""
    text = request.GET.get("q", "")
    if not text:
        return []
    places = {
        "targets that no flow uses": {"use": "none"},
        "contact identities": {"kind": TargetKind.IDENTITY.value},
    }
    return [
        (label, f"?{urlencode({'q': text, **place})}")
        for label, place in places.items()
        if not place.items() <= request.GET.dict().items()
    ]


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def target_detail(request: Request, kind: str, value: str) -> HttpResponse:
    """Show which flows use a target, by account. It exists if it has a flow or a name."""
    if len(value) > MAX_LENGTH:
        raise Http404("No target has such a long value")
    if not normalize_text(value):
        raise Http404("The value has no visible characters")
    uses = count_uses(kind, value, request.scope)
    named = find_named([value], request.scope).get(value)
    if not uses and not _is_named(kind, named):
        raise Http404("No flow uses this target, and it has no name")
    query = flow_search.Query(
        target=f"{kind}:{value}", sort="-enabled", size=MAX_ROWS, scope=request.scope
    )
    page = flow_search.find_page(query)
    rows = build_rows(page.rows, AvailableActions(request))
    shows_account = len(twilio_accounts.visible_accounts(request.scope)) > 1
    name = _distinct_name(value, named)
    context = {
        **_describe(kind, value, named),
        "title": name or (value if _is_text(kind) else short(value)),
        "name": name,
        "uses": [_use_row(use, kind, value) for use in uses],
        **_count_flows(uses),
        "list_url": target_list_url(kind, value),
        "gone_url": target_list_url(kind, value, enabled="gone"),
        "query": query,
        "query_string": query.url(size=None, sort="name").removeprefix("?"),
        "results": page,
        "rows": rows,
        "shows_account": shows_account,
        "columns": list_columns.plain_columns(shows_account=shows_account),
        "target_account": _only_account(uses, named),
    }
    return render(request, "targets/detail.html", context)


def _is_named(kind: str, named: ResourceName | None) -> bool:
    """Return True if something of this kind has this name at Twilio."""
    if named is None or not named.name:
        return False
    return named.resource in RESOURCES[TargetKind(kind)]


def _count_flows(uses: Sequence[AccountUse]) -> dict[str, int]:
    """Return the numbers of flows on, off and gone in all accounts."""
    names = ("flows_on", "flows_off", "flows_gone")
    return {name: sum(map(attrgetter(name), uses)) for name in names}


def _distinct_name(value: str, named: ResourceName | None) -> str:
    """Return the name, or "" if there is none or if it only repeats the value, as of a number."""
    return named.name if named and named.name != value else ""


def _describe(kind: str, value: str, named: ResourceName | None) -> dict[str, Any]:
    """Return what a page shows of a target apart from the flows that use it."""
    return {
        "kind": kind,
        "value": value,
        "kind_label": TargetKind(kind).label,
        "is_text": _is_text(kind),
        "is_gone": named is not None and named.gone_at is not None,
        "is_draft": named is not None
        and named.resource == STUDIO_FLOW.name
        and named.status == "draft",
    }


def _target_rows(
    targets: Sequence[ListedTarget], scope: twilio_accounts.Scope
) -> list[dict[str, Any]]:
    """Return these targets with their names and addresses, with one query."""
    values = [target.value for target in targets]
    names = find_named_by_account(values, scope) if targets else {}
    rows = []
    for target in targets:
        named = names.get((target.account_sid, target.value))
        row = {
            "target": target,
            "name": _distinct_name(target.value, named),
            "url": target_url(target.kind, target.value),
            "account": twilio_accounts.account_or_removed(target.account_sid),
            **_describe(target.kind, target.value, named),
        }
        rows.append(row)
    return rows


def _use_row(use: AccountUse, kind: str, value: str) -> dict[str, Any]:
    urls = {
        name: target_list_url(kind, value, account=use.account_sid, **filters)
        for name, filters in (
            ("on_url", {"enabled": "true"}),
            ("off_url", {"enabled": "false"}),
            ("gone_url", {"enabled": "gone"}),
        )
    }
    account = twilio_accounts.account_or_removed(use.account_sid)
    return {"use": use, "account": account, **urls}


def _only_account(uses: Sequence[AccountUse], named: ResourceName | None) -> Account | None:
    """Return the account of a target that only one has, or None."""
    sids = {use.account_sid for use in uses} or ({named.account_sid} if named else set())
    if len(sids) != 1:
        return None
    [sid] = sids
    return twilio_accounts.account_or_removed(sid)


def _is_text(kind: str) -> bool:
    """Return True for a kind whose values people read, unlike SIDs."""
    return kind in (TargetKind.WEBHOOK, TargetKind.IDENTITY)


def _list_url(request: Request, **changes: str) -> str:
    """Return the address of the list with some parameters changed. It begins at page one."""
    parameters = request.GET.copy()
    parameters.pop("page", None)
    for name, value in changes.items():
        parameters[name] = value
    return f"?{parameters.urlencode()}"
