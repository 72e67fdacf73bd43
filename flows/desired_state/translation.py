"""Files that were exported from another account: its SIDs become those of the account to apply to.

The counterparts come from the map of SIDs, which copies of flows fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.desired_state.file_errors import FileError, InvalidFile
from flows.desired_state.flow_file import FileEntry
from flows.sid_map.fields import PREFIX_BY_FIELD
from flows.sid_map.mappings import Direction, load_map
from flows.twilio.sids import is_sid


def translate_entries(
    entries: tuple[FileEntry, ...], direction: Direction, target_name: str
) -> tuple[FileEntry, ...]:
    """Return the entries as the target account has them, without the SIDs of their flows.

    A SID that already is one of the target account stays. Raises `InvalidFile` for each SID that
    the map doesn't have.
    """
    counterparts = load_map(direction)
    errors: list[FileError] = []
    translated = []
    for entry in entries:
        fields = {name: value for name, value in entry.fields.items() if name != "sid"}
        if fields.get("account_sid") == direction.source:
            fields["account_sid"] = direction.target
        errors += _translate_fields(entry, fields, counterparts, target_name)
        translated.append(replace(entry, fields=fields))
    if errors:
        raise InvalidFile(errors)
    return tuple(translated)


def _translate_fields(
    entry: FileEntry, fields: dict[str, Any], counterparts: Mapping[str, str], target_name: str
) -> list[FileError]:
    """Translate the SIDs of an entry in place. Return an error for each that has no counterpart."""
    errors = []
    for name, prefix in PREFIX_BY_FIELD.items():
        sid = fields.get(name)
        if not is_sid(prefix, sid) or sid in counterparts.values():
            continue
        counterpart = counterparts.get(str(sid))
        if counterpart is None:
            message = f"{sid} has no counterpart in {target_name}. Copy a flow that uses it once, "
            message += "which asks for it, or write the SID that it has there."
            errors.append(FileError(entry.place_of(name), message))
        else:
            fields[name] = counterpart
    return errors
