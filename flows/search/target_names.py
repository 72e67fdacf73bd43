"""Names of targets, by what a flow has of them: a SID, or the contact identity of a sender."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import F, Q

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

    Of several objects with one value, such as a number that moved to another account, it is one
    that Twilio still has, or the last one that it had. An object that was never there has no name.
    """
    named: dict[str, ResourceName] = {}
    for (_, value), row in _find_rows(values, scope):
        named.setdefault(value, row)
    return named


def find_named_by_account(
    values: Collection[str], scope: twilio_accounts.Scope
) -> dict[tuple[str, str], ResourceName]:
    """Return the same as `find_named` for each account, by its SID and the value."""
    named: dict[tuple[str, str], ResourceName] = {}
    for key, row in _find_rows(values, scope):
        named.setdefault(key, row)
    return named


def _find_rows(
    values: Collection[str], scope: twilio_accounts.Scope
) -> Iterator[tuple[tuple[str, str], ResourceName]]:
    """Yield the account, the value and the row of each object, those that Twilio has first."""
    is_sender = Q(resource__in=SENDERS, reference__in=values)
    rows = ResourceName.objects.filter(Q(sid__in=values) | is_sender)
    rows = rows.order_by(F("gone_at").desc(nulls_first=True), "account_sid", "sid")
    for row in twilio_accounts.filter_scope(rows, scope):
        is_reference = row.resource in SENDERS and row.reference in values
        yield (row.account_sid, row.reference if is_reference else row.sid), row
