"""The Twilio account that a flow belongs to."""

from __future__ import annotations

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent
from flows.mirror.models import Flow


def find_account_sid(sid: str) -> str:
    """The account that a flow belongs to: as the copy has it, else the log, else the site's only one. Empty
    for a flow that neither knows on a site with several accounts: nothing guesses there (lookup.py asks)."""
    owner = Flow.objects.filter(pk=sid).values_list("account_sid", flat=True).first()
    told = AuditEvent.objects.filter(target_sid=sid).exclude(account_sid="")
    if owner := owner or told.values_list("account_sid", flat=True).first():
        return owner
    only = twilio_accounts.only_account()
    return only.sid if only else ""
