"""Names of targets, by what a flow has of them: a SID, or the contact identity of a sender."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from flows.accounts import twilio_accounts
from flows.names.models import ResourceName
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER

# Resources whose objects are known to flows by their number or address.
SENDERS = (INCOMING_PHONE_NUMBER.name, WHATSAPP_SENDER.name)


def find_name(value: str, scope: twilio_accounts.Scope) -> str:
    """Return the name of a target in the accounts of the scope, or ""."""
    named = find_named([value], scope).get(value)
    return named.name if named else ""


def find_named(values: Collection[str], scope: twilio_accounts.Scope) -> dict[str, ResourceName]:
    """Return what was read from Twilio in the accounts of the scope, by the value that flows have.

    An object that was never there has no name.
    """
    is_sender = Q(resource__in=SENDERS, reference__in=values)
    rows = ResourceName.objects.filter(Q(sid__in=values) | is_sender)
    return {
        row.reference if row.resource in SENDERS and row.reference in values else row.sid: row
        for row in twilio_accounts.filter_scope(rows, scope)
    }
