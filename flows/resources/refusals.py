"""Resources that an account doesn't have, or that its credentials may not read.

Twilio says so by refusing their list. The page of such a resource says it, and the overview of the
Flex API offers the resource again as soon as Twilio lists it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils import timezone

from flows.resources.models import ResourceRefusal
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.resource import Resource

REFUSAL_STATUSES: Final = frozenset({401, 403, 404})
_REASONS: Final = {
    401: "Twilio does not accept this site's credentials for it",
    403: "this site's credentials may not read it",
    404: "it is not set up in this account",
}


def record_listing(resource: Resource, account_sid: str, error: FlexError | None) -> None:
    """Note whether Twilio lists the resource in the account. Other errors say nothing about it."""
    rows = ResourceRefusal.objects.filter(account_sid=account_sid, resource=resource.name)
    refusal = rows.first()
    if error is None:
        if refusal:
            rows.delete()
    elif is_refusal(error) and (refusal is None or refusal.status != error.status):
        values = {"status": error.status, "code": error.code, "refused_at": timezone.now()}
        ResourceRefusal.objects.update_or_create(
            account_sid=account_sid, resource=resource.name, defaults=values
        )


def is_refusal(error: FlexError) -> bool:
    """Return True if Twilio refused the whole resource, not only one request."""
    return isinstance(error, RequestRefused) and error.status in REFUSAL_STATUSES


def explain_status(status: int | None) -> str:
    """Return the reason of a refusal, to follow "because"."""
    return _REASONS.get(status or 0, "Twilio refuses it")


def load_refusals(account_sids: Iterable[str]) -> dict[tuple[str, str], ResourceRefusal]:
    """Return the refusals by account and name of the resource."""
    rows = ResourceRefusal.objects.filter(account_sid__in=list(account_sids))
    return {(row.account_sid, row.resource): row for row in rows}
