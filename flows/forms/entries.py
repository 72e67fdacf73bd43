"""Flows from a JSON text, each checked by the same form as if somebody had typed it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError

from flows import words
from flows.flexapi import schema
from flows.flexapi.schema import Snapshot
from flows.forms.flow import FlowForm
from flows.masking import masked_field, storable

MOST: Final = 2_500  # flows of one text, as many as an account of Twilio's can have
_WRITABLE: Final = frozenset(entry.name for entry in schema.WRITABLE)


@dataclass(frozen=True, slots=True)
class Given:
    """One flow of the text: the fields that it gives, as they would be sent, or why it can't be had so."""

    sid: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    account_sid: str = ""


def parsed(text: str) -> list[Any]:
    """The entries of the text: {"flows": […]} as it is copied out here, or a list alone. Else a ValidationError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValidationError(
            f"This is not JSON{at}. Paste what “Copy out as JSON” gave, or a list like it."
        ) from error
    entries = data.get("flows") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise ValidationError(
            "There is no list of flows in it. It begins with {“flows”: […]} or is a list itself."
        )
    if not entries:
        raise ValidationError("The list of flows is empty.")
    if len(entries) > MOST:
        raise ValidationError(f"These are {len(entries)} flows; an account has {MOST} at most.")
    return entries


def sid_of(entry: Any) -> str:
    """The SID that an entry names, or nothing."""
    return str(entry.get("sid") or "") if isinstance(entry, dict) else ""


def read_entries(entries: list[Any], known: Mapping[str, Snapshot]) -> list[Given]:
    """Each entry, checked. `known` are the flows (secrets masked) by SID that the entries may change."""
    return [_read(entry, known.get(sid_of(entry))) for entry in entries]


def _read(entry: Any, flow: Snapshot | None) -> Given:
    if not isinstance(entry, dict):
        return Given(error="This entry is not a flow, but something else.")
    sid = sid_of(entry)
    values = {name: value for name, value in entry.items() if name in _WRITABLE}
    known = (
        {"friendly_name": entry.get("friendly_name")} if isinstance(entry.get("friendly_name"), str) else {}
    )
    if unknown := sorted(str(name) for name in entry.keys() - schema.BY_NAME.keys()):
        return Given(sid, known, f"There is no field {unknown[0]!r}.")
    if sid and not schema.is_sid("FO", sid):
        return Given(values=known, error="Its SID is none of a Flex Flow.")
    if wrong := next((name for name, value in values.items() if isinstance(value, dict | list)), ""):
        return Given(sid, known, f"{words.label(wrong)} must be one value.")
    if sid and flow is None:
        return Given(sid, values=known)  # the account has no such flow, which the plan says
    form = FlowForm(_typed(values, flow), base=flow)
    if not form.is_valid():
        return Given(sid, known, " ".join(message for _, message in form.error_list))
    given = {name: form.values[name] for name in values if name in form.values}
    if secret := next(
        (name for name, value in given.items() if masked_field(name, storable(value)) != storable(value)), ""
    ):
        return Given(
            sid,
            values=known,
            error=f"{words.label(secret)} has a secret in it, which a plan does not keep: use its form.",
        )
    if stray := next((name for name in values if name not in given and values[name] not in (None, "")), ""):
        return Given(
            sid,
            values=known,
            error=f"{words.label(stray)} has no place in a flow that is handled like this.",
        )
    account_sid = entry.get("account_sid")
    return Given(sid, given, account_sid=account_sid if isinstance(account_sid, str) else "")


def _typed(values: Mapping[str, Any], flow: Snapshot | None) -> dict[str, str]:
    """As a form sends it. What the entry leaves out stays as the flow has it."""
    had = {name: (flow or {}).get(name) for name in _WRITABLE}
    return {"change_id": str(uuid.uuid4())} | {
        name: ""
        if value is None
        else ("true" if value else "false")
        if isinstance(value, bool)
        else str(value)
        for name, value in {**had, **values}.items()
    }
