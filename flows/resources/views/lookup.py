"""The page of a resource that Twilio doesn't list: a look-up by SID, and what was found before."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from flows.accounts.clients import READ_DEADLINE
from flows.audit.access import Request
from flows.audit.object_links import object_url
from flows.changes import failure_messages
from flows.changes.problem import Problem
from flows.core.forms import error_summary
from flows.core.opened_forms import is_opening
from flows.mirror import flow_reads, live
from flows.resources import links, lookups, refusals
from flows.resources.access import require_resource_permission
from flows.resources.views.offered import can
from flows.resources.views.reading import account_choices
from flows.twilio.errors import FlexError
from flows.twilio.resource import Resource


class LookupForm(forms.Form):
    """The SID of an object."""

    when_refused = "Nothing was looked up"  # for the summary of errors

    sid = forms.CharField(
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono", "size": 36}
        ),
        max_length=200,
    )

    def __init__(self, *args: Any, resource: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.resource = resource
        field = self.fields["sid"]
        field.label = f"{resource.title} SID"
        field.help_text = resource.field("sid").help
        field.error_messages["required"] = f"Enter the SID of the {resource.noun}."

    def clean_sid(self) -> str:
        sid = str(self.cleaned_data["sid"]).strip()
        if not self.resource.is_sid(sid):
            raise forms.ValidationError(
                f"“{sid[:80]}” is not the SID of {self.resource.noun_with_article}: "
                f"{self.resource.sid_prefix} and 32 characters from 0-9 and a-f."
            )
        return sid

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return error_summary(self)


@require_http_methods(["GET", "POST"])
@require_resource_permission("view")
def resource_lookup(request: Request, resource: Resource) -> HttpResponse:
    """Open the page of an object by its SID."""
    if is_opening(request):
        return _render(request, resource, LookupForm(resource=resource))
    form = LookupForm(request.POST, resource=resource)
    if not form.is_valid():
        return _render(request, resource, form, status=422)
    sid, account_sid = form.cleaned_data["sid"], request.account_sid
    try:
        live.fetch(resource, sid, account_sid=account_sid, deadline=READ_DEADLINE)
    except FlexError as error:
        return _failure_response(request, resource, form, error)
    refusals.record_listing(resource, account_sid, None)
    lookups.remember(resource, account_sid, sid)
    return redirect(object_url(resource, sid, account_sid))


def _failure_response(
    request: Request, resource: Resource, form: LookupForm, error: FlexError
) -> HttpResponse:
    """Return the page with the reason why the object couldn't be read."""
    if flow_reads.is_not_found(error):
        form.add_error("sid", f"Twilio has no {resource.noun} with this SID in this account.")
        return _render(request, resource, form, status=422)
    if refusals.is_refusal(error):
        refusals.record_listing(resource, request.account_sid, error)
    fallback = f"The {resource.noun} was not opened."
    problem = failure_messages.read_failed(error, fallback=fallback, resource=resource)
    return _render(request, resource, form, problem=problem, status=502)


def _render(
    request: Request,
    resource: Resource,
    form: LookupForm,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    account_sid = request.account_sid
    context = {
        "resource": resource,
        "form": form,
        "problem": problem,
        "known": lookups.list_known(resource, account_sid),
        "new_url": links.new_url(resource, account_sid) if can(request, resource, "create") else "",
        "account_choices": account_choices(request, resource),
        "account_sid": account_sid,
    }
    return render(request, "resources/lookup.html", context, status=status)
