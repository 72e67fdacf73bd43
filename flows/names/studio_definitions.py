"""Facts about the definition of a Studio Flow: where incoming messages lead.

A definition is a graph of widgets ("states"). Its trigger has a transition for each event, with the
name of the next widget or none. Nothing else of the definition is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.names.handling import INCOMING_CONVERSATION, INCOMING_MESSAGE, TEMPLATE
from flows.twilio.sids import is_sid

TRIGGER_TYPE: Final = "trigger"
SEND_TO_FLEX_TYPE: Final = "send-to-flex"
MAX_LENGTH: Final = 100  # characters of a name that is kept
MAX_WIDGETS: Final = 50  # Send to Flex widgets that are kept
_MESSAGE_EVENTS: Final = (INCOMING_MESSAGE, INCOMING_CONVERSATION)
_EVENT: Final = re.compile(r"[A-Za-z]{1,40}")
# Parts of a Programmable Chat message that a Conversation's message doesn't have.
_OLD_VARIABLE: Final = re.compile(r"trigger\.message\.(ChannelSid|InstanceSid|ChannelAttributes)\b")

_State = Mapping[str, Any]


def summarize_definition(definition: Any) -> dict[str, Any] | None:
    """Return the facts of a definition as JSON, or None if it isn't a definition."""
    states = _states_by_name(definition)
    trigger = _find_trigger(definition, states.values())
    if trigger is None:
        return None
    starts = {event: name for event, name in _transitions(trigger) if _EVENT.fullmatch(event)}
    reachable = {event: _reachable_from(starts.get(event, ""), states) for event in _MESSAGE_EVENTS}
    widgets = [state for state in states.values() if state.get("type") == SEND_TO_FLEX_TYPE]
    return {
        "trigger_events": sorted(starts),
        "send_to_flex": [
            _describe_widget(
                widget, [event for event in _MESSAGE_EVENTS if widget["name"] in reachable[event]]
            )
            for widget in widgets[:MAX_WIDGETS]
        ],
        "old_variables": sorted(set(_OLD_VARIABLE.findall(json.dumps(definition)))),
        "widget_count": sum(state is not trigger for state in states.values()),
    }


def _states_by_name(definition: Any) -> dict[str, _State]:
    states = definition.get("states") if isinstance(definition, dict) else None
    return {
        state["name"]: state
        for state in (states if isinstance(states, list) else ())
        if isinstance(state, dict) and isinstance(state.get("name"), str)
    }


def _find_trigger(definition: Any, states: Any) -> _State | None:
    """Return the widget that a Studio Flow begins with, or None."""
    triggers = [state for state in states if state.get("type") == TRIGGER_TYPE]
    if len(triggers) > 1:
        initial = definition.get("initial_state")
        triggers = [state for state in triggers if state["name"] == initial]
    return triggers[0] if triggers else None


def _transitions(state: _State) -> Iterator[tuple[str, str]]:
    """Yield each event of a widget that leads somewhere, with the name of the next widget."""
    transitions = state.get("transitions")
    for each in transitions if isinstance(transitions, list) else ():
        if not isinstance(each, dict):
            continue
        event, name = each.get("event"), each.get("next")
        if isinstance(event, str) and isinstance(name, str) and name:
            yield event, name


def _reachable_from(name: str, states: Mapping[str, _State]) -> set[str]:
    """Return the names of the widgets that can come after a transition to this one."""
    reachable: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in reachable or current not in states:
            continue
        reachable.add(current)
        waiting += [following for _, following in _transitions(states[current])]
    return reachable


def _describe_widget(widget: _State, events: list[str]) -> dict[str, Any]:
    properties = widget.get("properties")
    values = properties if isinstance(properties, dict) else {}
    return {
        "widget": widget["name"][:MAX_LENGTH],
        "workflow": _sid_or_template("WW", values.get("workflow")),
        "channel": _sid_or_template("TC", values.get("channel")),
        "events": events,
    }


def _sid_or_template(prefix: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        return ""
    return value.strip() if is_sid(prefix, value.strip()) else TEMPLATE
