"""A flow that an address names: its account, also where neither the mirror nor the log knows it."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.shortcuts import render

from flows.accounts.permissions import has_permission_anywhere, scope_of
from flows.audit.access import Request
from flows.audit.audit_log import Payload
from flows.mirror import lookup, ownership
from flows.mirror.models import Flow


class FlowTarget:
    """A flow, by its SID. One that nobody here knows is looked for in the accounts that the user may see."""

    def accounts(
        self, request: Request, value: str, permission: str
    ) -> list[str] | HttpResponseBase:
        if owner := ownership.find_account_sid(value):
            return [owner]
        if not has_permission_anywhere(request.user, permission):
            return []
        found = lookup.find_flow(value, scope=scope_of(request.user, "flows.view_flow"))
        if found.account is None or found.snapshot is None:
            return _not_found_page(request, value, found)
        request.readings[value] = found.snapshot
        return [found.account.sid]

    def describe(self, value: str) -> Payload:
        flow = Flow.objects.filter(sid=value).first() or Flow()
        return Payload(friendly_name=flow.friendly_name, contact_identity=flow.contact_identity)


def _not_found_page(request: Request, sid: str, found: lookup.LookupResult) -> HttpResponseBase:
    """Return the page about a flow that no account has, or that not every account could be asked for."""
    status = 502 if found.unasked else 404
    return render(request, "flows/not_found.html", {"sid": sid, "found": found}, status=status)
