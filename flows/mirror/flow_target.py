"""The flow that a URL names, and its account."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.shortcuts import render

from flows.accounts.permissions import has_permission_anywhere, scope_of
from flows.audit.access import Request
from flows.audit.audit_log import Payload
from flows.mirror import lookup, ownership
from flows.mirror.models import Flow


class FlowTarget:
    """A flow by its SID.

    Without a row in the mirror or the log, it is looked up in the user's accounts at Twilio.
    """

    def accounts(
        self, request: Request, value: str, permission: str
    ) -> list[str] | HttpResponseBase:
        if owner := ownership.find_account_sid(value):
            return [owner]
        if not has_permission_anywhere(request.user, permission):
            return []
        result = lookup.find_flow(value, scope=scope_of(request.user, "flows.view_flow"))
        if result.flow is None:
            return _not_found_page(request, value, result)
        request.readings[value] = result.flow.snapshot
        return [result.flow.account_sid]

    def describe(self, value: str) -> Payload:
        flow = Flow.objects.filter(sid=value).first() or Flow()
        return Payload(friendly_name=flow.friendly_name, contact_identity=flow.contact_identity)


def _not_found_page(request: Request, sid: str, result: lookup.LookupResult) -> HttpResponseBase:
    """Return status 404, or 502 if some account could not be searched."""
    status = 502 if result.unsearched_accounts else 404
    context = {"sid": sid, "lookup": result}
    return render(request, "flows/not_found.html", context, status=status)
