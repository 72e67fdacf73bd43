"""Flows that something above the write protocol works on, such as a migration: what that forbids.

Upper packages can't be imported here. They register their holder (flows/apps.py). `ChangeAttempt`
asks it under the log's lock, so no page, bulk change or command can pass it by.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from flows.availability.restrictions import Restriction

HELD: Final = "held"  # the kind of a restriction of one flow
URL_LABEL: Final = "View the migration's steps"


@dataclass(frozen=True, slots=True)
class FlowHold:
    """What a holder says about a flow, in sentences. An empty one forbids or says nothing.

    `moved_at` is the time since when an address answers in the flow's place.
    """

    summary: str
    url: str
    address_sid: str = ""
    moved_at: datetime | None = None
    deletion_refusal: str = ""
    switch_refusal: str = ""  # it can't be turned on or off
    turn_on_warning: str = ""

    def find_refusal(self, operation: str, requested: Mapping[str, Any] | None) -> str:
        """Return why a change of the flow can't be sent, or ""."""
        if operation == "delete":
            return self.deletion_refusal
        is_switch = operation == "update" and "enabled" in (requested or {})
        return self.switch_refusal if is_switch else ""

    def find_warning(self, operation: str, requested: Mapping[str, Any] | None) -> str:
        """Return what a user has to know before the flow is turned on, or ""."""
        turns_on = operation == "update" and (requested or {}).get("enabled") is True
        return self.turn_on_warning if turns_on else ""

    def restriction(
        self, operation: str, requested: Mapping[str, Any] | None
    ) -> Restriction | None:
        """Return the refusal of a change, or None."""
        refusal = self.find_refusal(operation, requested)
        return Restriction(HELD, refusal, url=self.url) if refusal else None


class FlowHolder(Protocol):
    """Something that holds flows."""

    def find(self, sids: Iterable[str], /) -> dict[str, FlowHold]:
        """Return the holds of these flows, by the flow's SID."""

    def describe_use_of_address(self, address_sid: str, /) -> str:
        """Return what a user has to know before an address is changed, or ""."""

    def is_own_change(self, change_id: uuid.UUID, /) -> bool:
        """Return True if the holder sends this change itself."""


_holders: Final[list[FlowHolder]] = []


def register(holder: FlowHolder) -> None:
    """Ask this holder."""
    _holders[:] = [holder]


def find_holds(sids: Iterable[str]) -> dict[str, FlowHold]:
    """Return the holds of these flows, by the flow's SID."""
    return _holders[0].find(sids) if _holders else {}


def find_hold(sid: str) -> FlowHold | None:
    return find_holds([sid]).get(sid) if sid else None


def describe_use_of_address(address_sid: str) -> str:
    """Return what a user has to know before an address is changed, or ""."""
    return _holders[0].describe_use_of_address(address_sid) if _holders and address_sid else ""


def find_restriction(
    sid: str, operation: str, requested: Mapping[str, Any] | None, change_id: uuid.UUID
) -> Restriction | None:
    """Return why a change of a flow can't be sent, or None. The holder's own changes always can."""
    hold = find_hold(sid)
    restriction = hold.restriction(operation, requested) if hold else None
    if restriction is None or _holders[0].is_own_change(change_id):
        return None
    return restriction
