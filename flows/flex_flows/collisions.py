"""Flows that collide: on for the same channel and contact identity, of which Twilio allows one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.core.identities import normalize_identity
from flows.mirror.models import Flow
from flows.redaction.masking import replace_unstorable
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on

MAX_COLLISIONS: Final = 5  # colliding flows that a page names


def find_collisions(
    account_sid: str, channel_type: str, identity: str, *, except_sid: str
) -> list[Flow]:
    """Return the other flows that are on for this channel and identity, however it is spelled.

    No flow collides with one without an identity.
    """
    if not identity:
        return []
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
    return list(enabled_flows.filter(sid__in=sids)[:MAX_COLLISIONS])


def collision_warnings(account_sid: str, sid: str, flow: Mapping[str, Any]) -> list[str]:
    """Return a warning for each flow that collides with `flow`, if that is to be on."""
    if not is_on(flow):
        return []
    channel_type = to_text(replace_unstorable(flow.get("channel_type")))
    identity = replace_unstorable(FLEX_FLOW.identity_of(flow))
    other_flows = find_collisions(account_sid, channel_type, identity, except_sid=sid)
    return [
        f"“{other}” is already on for the same channel and contact identity. "
        "Twilio may refuse this change."
        for other in other_flows
    ]
