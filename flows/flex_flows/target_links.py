"""Addresses of the pages of targets, and of the flows that use one in the list."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from django.urls import reverse

from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.mirror.targets import target_field_name

MAX_LENGTH: Final = 256  # characters, Twilio's limit; a longer value has no page
_SAFE_CHARACTERS: Final = "+:@"  # as Django's `reverse` leaves them


def target_url(kind: str, value: str) -> str:
    """Return the address of a target's page.

    It is "" for a value that has no page: one that is too long, or without visible characters.
    """
    if len(value) > MAX_LENGTH or not normalize_text(value):
        return ""
    return f"{reverse('flows:targets')}{kind}/{quote_value(value)}/"


def target_urls(flow: Flow) -> dict[str, str]:
    """Return the addresses of the pages of a flow's targets by the names of its fields."""
    return {target_field_name(kind): target_url(kind, value) for kind, value, _ in flow.targets}


def quote_value(value: str) -> str:
    """Return a target's value as it stands in the address of its page."""
    return quote(value, safe=_SAFE_CHARACTERS)


def target_list_url(kind: str, value: str, **filters: str) -> str:
    """Return the address of the list of flows that use a target."""
    return f"{reverse('flows:list')}?{urlencode({'target': f'{kind}:{value}', **filters})}"
