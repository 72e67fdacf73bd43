"""SIDs that bring their name along to the page that shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self

from flows.names.lookup import Name, load_names
from flows.twilio.named_resources import NAMED_RESOURCES
from flows.twilio.sids import is_sid

_PREFIXES: Final = frozenset(resource.sid_prefix for resource in NAMED_RESOURCES)


class NamedSid(str):
    """A SID with the name of its object, for display. It is equal to the bare SID."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, sid: str, name: str) -> Self:
        named = super().__new__(cls, sid)
        named.name = name
        return named


def name_sids(rows: Iterable[tuple[str, dict[str, Any]]], keys: Sequence[str]) -> None:
    """Give the SIDs under these keys of the rows their names, with one query.

    A row comes with the SID of its account. Values without a name stay as they are.
    """
    sids = [
        (account_sid, key, row)
        for account_sid, row in rows
        for key in keys
        if _is_named_kind(row.get(key))
    ]
    names = load_names((account_sid, row[key]) for account_sid, key, row in sids)
    for account_sid, key, row in sids:
        row[key] = _with_name(row[key], names.get((account_sid, row[key])))


def with_name(value: Any, names: Mapping[str, Name]) -> Any:
    """Return a SID with its name, if it has one, and any other value as it is.

    `names` are those of an account by SID.
    """
    return _with_name(value, names.get(value)) if type(value) is str else value


def _with_name(sid: str, name: Name | None) -> str:
    return NamedSid(sid, name.name) if name is not None and name.name else sid


def _is_named_kind(value: object) -> bool:
    return type(value) is str and value[:2] in _PREFIXES and is_sid(value[:2], value)
