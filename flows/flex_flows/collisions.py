"""Flows that collide: on for the same channel and contact identity, of which Twilio allows one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet

from flows.core.identities import normalize_identity
from flows.flex_flows.states import is_on
from flows.mirror.models import Flow
from flows.redaction.masking import replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_COLLISIONS: Final = 5  # colliding flows that a page names


def colliding_flows(
    account_sid: str, channel_type: str, identity: str, *, except_sid: str
) -> QuerySet[Flow]:
    """Return the other flows that are on for this channel and identity, however it is spelled."""
    normalized = normalize_identity(identity)
    enabled_flows = Flow.objects.filter(
        account_sid=account_sid, channel_type=channel_type, enabled=True, gone_at=None
    )
    other_flows = enabled_flows.exclude(contact_identity="").exclude(sid=except_sid)
    identities = other_flows.values_list("sid", "contact_identity")
    sids = [
        sid
        for sid, other_identity in identities
        if normalize_identity(other_identity) == normalized
    ]
    return enabled_flows.filter(sid__in=sids)


def collision_warnings(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    """Return a warning for each flow that collides with `flow`, if that is to be on."""
    identity = replace_unstorable(FLEX_FLOW.identity_of(flow))
    if not identity or not is_on(flow):
        return []
    channel_type = str(replace_unstorable(flow.get("channel_type") or ""))
    other_flows = colliding_flows(account_sid, channel_type, identity, except_sid=sid)
    return [
        f"“{other}” is already on for the same channel and contact identity. "
        "Twilio may refuse this change."
        for other in other_flows[:MAX_COLLISIONS]
    ]
