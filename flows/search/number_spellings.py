"""Flows that spell a number of their account in another way than Twilio does.

Nearly all flows have Twilio's spelling, which the database compares. The others are few, so they
are normalized here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from django.db.models import Count, Q, QuerySet

from flows.core.identities import normalize_identity
from flows.search.models import FlowEntry

# The account, a prefix such as "whatsapp", and the normalized identity.
NumberKey = tuple[str, str, str]
# The numbers of flows by spelling, for each number.
Spellings = Mapping[NumberKey, Counter[str]]

_PUNCTUATION: Final = " ()-./"


def find_odd_spellings(entries: QuerySet[FlowEntry]) -> Spellings:
    """Return the identities of these flows that can be a number in another spelling."""
    rows = entries.filter(is_odd_spelling()).values_list("account_sid", "identity_folded")
    spellings: dict[NumberKey, Counter[str]] = defaultdict(Counter)
    for account_sid, identity, flows in rows.annotate(flows=Count("pk")).order_by():
        spellings[number_key(account_sid, identity)][identity] += flows
    return spellings


def count_odd_spellings(spellings: Spellings, account_sid: str, number: str) -> int:
    """Return the number of flows that have this number in another spelling."""
    flow_counts = spellings.get(number_key(account_sid, number), Counter())
    return sum(flows for identity, flows in flow_counts.items() if identity != number)


def number_key(account_sid: str, identity: str) -> NumberKey:
    """Return what all spellings of a number share. A number and its WhatsApp sender differ."""
    prefix = identity.partition(":")[0] if ":" in identity else ""
    return account_sid, prefix, normalize_identity(identity)


def is_odd_spelling() -> Q:
    """Return the condition for identities with punctuation, or with a digit in place of a plus."""
    condition = Q()
    for start in ("", "whatsapp:"):
        condition |= Q(identity_folded__gte=f"{start}0", identity_folded__lt=f"{start}:")
    for character in _PUNCTUATION:
        condition |= Q(identity_folded__contains=character)
    return condition
