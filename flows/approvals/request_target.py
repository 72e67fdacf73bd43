"""The accounts of the change request, or of the account, that a URL names."""

from __future__ import annotations

from flows.accounts import twilio_accounts
from flows.approvals.models import ChangeRequest
from flows.audit.access import Request
from flows.audit.audit_log import Payload


class ChangeRequestTarget:
    """A change request by its id."""

    def accounts(self, _request: Request, value: str, _permission: str) -> list[str]:
        rows = ChangeRequest.objects.filter(pk=value)
        return list(rows.values_list("account_sid", flat=True))

    def describe(self, value: str) -> Payload:
        request = ChangeRequest.objects.filter(pk=value).first()
        return Payload(friendly_name=request.friendly_name if request else "")


class AccountTarget:
    """One of the site's accounts by its SID."""

    def accounts(self, _request: Request, value: str, _permission: str) -> list[str]:
        return [each.sid for each in twilio_accounts.all_accounts() if each.sid == value]

    def describe(self, _value: str) -> Payload:
        return Payload()
