"""The action that changes the map of SIDs between two accounts."""

from __future__ import annotations

from flows.audit.action_registry import Action


class SidMapAction(Action):
    CHANGE = "sid_map.change", "Changed SID mapping", "Change SID mapping"
