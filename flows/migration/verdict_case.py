"""A flow that is to be judged, with what its account has of the same identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.checks.account_state import is_read_since
from flows.core.safe_text import short
from flows.routing.routing_state import Address, RoutingState
from flows.twilio.flex.flex_flow import FLEX_FLOW


@dataclass(frozen=True, slots=True)
class Case:
    """A flow in its surroundings.

    `variant` is its integration type, "" for none. `others_on` are the SIDs of other flows that are
    on for the same channel and identity, and `addresses` those of the same type and identity.
    """

    sid: str
    flow: Mapping[str, Any]
    channel: str
    identity: str
    variant: str
    state: RoutingState
    others_on: Sequence[str] = ()
    addresses: Sequence[Address] = ()

    def has_read(self, resource: str) -> bool:
        """Return True if all objects of a resource, by its name, were read."""
        return self.state.is_read(resource)

    def has_read_since_change(self, resource: str) -> bool:
        """Return True if all of a resource was read, and not before the flow's last change.

        A number may have been bought together with that change, so an older list proves nothing.
        """
        read_at = self.state.account.read_at.get(resource)
        is_older = read_at is not None and not is_read_since(self.flow, read_at)
        return self.has_read(resource) and not is_older

    def value(self, name: str) -> Any:
        """Return a field of the flow, normalized."""
        return FLEX_FLOW.normalize_value(name, self.flow.get(name))

    def text(self, name: str) -> str:
        """Return a field of the flow as text, "" if it has none."""
        value = self.flow.get(name)
        return value.strip() if isinstance(value, str) else ""

    def name_of(self, sid: str) -> str:
        """Return an object's name in quotation marks, or its shortened SID."""
        named = self.state.account.names.get(sid)
        return f"“{named.name}”" if named and named.name else short(sid)
