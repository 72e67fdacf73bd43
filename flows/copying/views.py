"""The page that copies flows to another account. Its form leads to the draft of a bulk change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.forms.boundfield import BoundField
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, deny, get_actor, require_permission
from flows.audit.audit_log import NotRecorded
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.changes import refusal_messages
from flows.changes.problem import Problem
from flows.copying.draft import CopyChoices, plan_copy
from flows.copying.flow_copies import FlowCopy, Selection, select_flows
from flows.copying.forms import CopyForm, kept_input
from flows.copying.query import CopyQuery
from flows.copying.sid_uses import SidUse, find_sid_uses
from flows.copying.target_objects import TargetObjects
from flows.names.lookup import names_for
from flows.names.named_sids import with_name
from flows.plans.actions import PlanAction
from flows.sid_map import mappings

MAX_ROWS: Final = 100  # flows on the page; all of them are copied
MAX_SIDS: Final = 60  # fields of SIDs on the page; a form of this site has 200 inputs at most
_NOT_RECORDED: Final = Problem(
    title="Couldn't write to the audit log, so nothing was changed",
    text="No draft was created.",
    advice=(
        "Your input is kept below. Try again in a moment. "
        "If this continues, contact your administrator."
    ),
)


@dataclass(frozen=True, slots=True)
class CopyPage:
    """The contents of the page of one request."""

    query: CopyQuery
    source: Account
    target: Account
    selection: Selection
    uses: list[SidUse]
    objects: TargetObjects

    @property
    def asked_uses(self) -> list[SidUse]:
        """The SIDs that the form has fields for. Those without a counterpart come first."""
        return self.uses[:MAX_SIDS]

    @property
    def later_count(self) -> int:
        """The number of SIDs without a counterpart that the form has no fields for yet."""
        return sum(not use.stored for use in self.uses[MAX_SIDS:])

    def all_counterparts(self, entered: Mapping[str, str]) -> dict[str, str]:
        """Return the counterparts of all SIDs: those of the map, and those just entered."""
        return {use.sid: use.stored for use in self.uses} | dict(entered)

    def form(
        self, data: QueryDict | None = None, initial: Mapping[str, Any] | None = None
    ) -> CopyForm:
        return CopyForm(
            data,
            initial=initial,
            selection=self.selection,
            uses=self.asked_uses,
            objects=self.objects,
            target_name=str(self.target),
        )


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=PlanAction.START)
def history_copy(request: Request) -> HttpResponse:
    """Show what a copy creates and updates, and ask for the SIDs that the target account has."""
    parameters = request.POST if request.method == "POST" else request.GET
    accounts = twilio_accounts.visible_accounts(scope_of(request.user, "flows.view_flow"))
    query = CopyQuery.from_parameters(parameters, {account.sid: account for account in accounts})
    if query.faults:
        messages.error(request, f"Nothing was copied. {query.faults[0]}.")
        return redirect(f"{reverse('flows:history-compare')}?compare=accounts")
    request.account_sid = query.target
    if request.scope is not None and query.target not in request.scope:
        deny(request, PlanAction.START, {})
    page = _load_page(query)
    if request.method == "GET":
        return _render(request, page, page.form())
    form = page.form(request.POST)
    if removed_sid := request.POST.get("remove", ""):
        return _remove_mapping(request, page, form, removed_sid)
    if not page.selection.copies or not form.is_valid():
        return _render(request, page, form, status=422)
    return _create_draft(request, page, form)


def _load_page(query: CopyQuery) -> CopyPage:
    same_sids = mappings.load_pairs(query.source, query.target)
    selection = select_flows(query, same_sids)
    objects = TargetObjects(query.target)
    return CopyPage(
        query,
        twilio_accounts.get_account(query.source),
        twilio_accounts.get_account(query.target),
        selection,
        find_sid_uses(selection.copies, query.direction, objects),
        objects,
    )


def _create_draft(request: Request, page: CopyPage, form: CopyForm) -> HttpResponse:
    """Store the counterparts and draft the copy. Its own page shows the rest."""
    try:
        mappings.change_map(page.query.direction, form.counterparts, get_actor(request))
    except OperationUnavailable as refusal:
        return _refuse(request, page, form, refusal)
    except NotRecorded:
        return _render(request, page, form, status=503, problem=_NOT_RECORDED)
    if page.later_count:
        remaining_sids = "1 SID is" if page.later_count == 1 else f"{page.later_count} SIDs are"
        messages.success(request, f"Saved. {remaining_sids} left.")
        page = _load_page(page.query)
        return _render(request, page, page.form(initial=kept_input(request.POST)))
    plan = plan_copy(
        copies=page.selection.copies,
        direction=page.query.direction,
        choices=CopyChoices(
            page.all_counterparts(form.counterparts),
            form.urls,
            turned_off=form.cleaned_data.get("turned_off", True),
            copies_identities=form.cleaned_data.get("copy_identities", False),
        ),
        created_by=request.user.get_username(),
        editable_scope=request.scope,
        visible_scope=scope_of(request.user, "flows.view_flow"),
    )
    if form.unchecked:
        messages.warning(
            request,
            f"{len(form.unchecked)} of the SIDs couldn't be checked, because not all names of "
            f"{page.target} have been read: {', '.join(form.unchecked[:5])}.",
        )
    return redirect("flows:plan", plan_id=plan.pk)


def _remove_mapping(
    request: Request, page: CopyPage, form: CopyForm, removed_sid: str
) -> HttpResponse:
    """Remove a SID from the map, and show the form with the rest of its input."""
    direction = page.query.direction
    if removed_sid not in mappings.load_map(direction):
        messages.info(request, "This SID is not in the mapping.")
    else:
        try:
            mappings.change_map(direction, {removed_sid: ""}, get_actor(request))
        except OperationUnavailable as refusal:
            return _refuse(request, page, form, refusal)
        except NotRecorded:
            return _render(request, page, form, status=503, problem=_NOT_RECORDED)
        messages.success(request, f"Removed {removed_sid} from the mapping.")
    page = _load_page(page.query)
    return _render(request, page, page.form(initial=kept_input(request.POST, removed_sid)))


def _refuse(
    request: Request, page: CopyPage, form: CopyForm, refusal: OperationUnavailable
) -> HttpResponse:
    problem = refusal_messages.change_unavailable(refusal.restriction, task="copy these flows")
    return _render(request, page, form, status=403, problem=problem)


def _render(
    request: Request,
    page: CopyPage,
    form: CopyForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    stored_uses = [use for use in page.asked_uses if use.stored]
    context = {
        "query": page.query,
        "source": page.source,
        "target": page.target,
        "at": page.query.at.at if page.query.moment_parameter else None,
        "zone": timezone.get_current_timezone(),
        "form": form,
        "problem": problem,
        "selection": page.selection,
        "rows": _flow_rows(page.selection.copies, form),
        "new_sids": _sid_rows(form, [use for use in page.asked_uses if not use.stored]),
        "known_sids": _sid_rows(form, stored_uses),
        "known_has_errors": any(form.field_of_sid(use).errors for use in stored_uses),
        "other_sids": _other_sids(page),
        "later_count": page.later_count,
        "restriction": restrictions.find_restriction(page.target.sid, mappings.OPERATION),
        "is_checked": all(page.objects.is_readable(use.prefix) for use in page.uses),
    }
    return render(request, "copying/copy.html", context, status=status)


def _flow_rows(copies: Sequence[FlowCopy], form: CopyForm) -> dict[str, Any]:
    """Return the rows of the flows. Those with a field are always among them."""
    rows = [{"copy": copy, "url": form.field_of_url(copy)} for copy in copies]
    rows.sort(key=lambda row: row["url"] is None)
    first_rows = [row for number, row in enumerate(rows) if row["url"] or number < MAX_ROWS]
    has_urls = any(row["url"] for row in rows)
    return {"shown": first_rows, "more": len(rows) - len(first_rows), "has_urls": has_urls}


def _sid_rows(form: CopyForm, uses: Sequence[SidUse]) -> list[dict[str, SidUse | BoundField]]:
    return [{"use": use, "field": form.field_of_sid(use)} for use in uses]


def _other_sids(page: CopyPage) -> list[dict[str, str]]:
    """Return the counterparts in the map that the form has no fields for."""
    asked_sids = {use.sid for use in page.asked_uses}
    stored = mappings.load_map(page.query.direction)
    counterparts = {sid: target for sid, target in stored.items() if sid not in asked_sids}
    names = names_for(page.query.source, list(counterparts))
    target_names = names_for(page.query.target, list(counterparts.values()))
    return [
        {"source": with_name(sid, names), "target": with_name(target, target_names)}
        for sid, target in counterparts.items()
    ]
