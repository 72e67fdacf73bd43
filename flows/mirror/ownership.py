"""The Twilio account that a flow belongs to."""

from __future__ import annotations

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent
from flows.mirror.models import Flow


def find_account_sid(sid: str) -> str:
    """Return the account of a flow according to the mirror, else the log, else the only account.

    Return an empty string for an unknown flow on a site with several accounts. There, lookup.py
    searches them.
    """
    mirrored = Flow.objects.filter(pk=sid).values_list("account_sid", flat=True).first()
    if mirrored:
        return mirrored
    events = AuditEvent.objects.filter(target_sid=sid).exclude(account_sid="")
    recorded = events.values_list("account_sid", flat=True).first()
    if recorded:
        return recorded
    only = twilio_accounts.only_account()
    return only.sid if only else ""
