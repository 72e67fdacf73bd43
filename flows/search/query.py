"""A query of the flow list: its search, filters, order and page, as they stand in a URL."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.http import QueryDict

from flows.accounts import twilio_accounts
from flows.search import filters
from flows.search.filters import InvalidParameter

# The parameter of each sort order, and the column that it sorts by.
SORTS: Final = {
    "name": "name_folded",
    "channel": "channel_type",
    "identity": "identity_folded",
    "integration": "integration_type",
    "enabled": "enabled",
    "updated": "date_updated",
    "account": "account_sid",
}
FILTERS: Final = (
    "channel",
    "integration",
    "enabled",
    "account",
    "owner",
    "tag",
    "target",
    "warnings",
    "check",
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the flow list. It finds nothing if it has errors."""

    q: str = ""
    channel: str = ""
    integration: str = ""
    enabled: str = ""
    account: str = ""
    sort: str = "name"
    page: int = 1
    size: int | None = None  # rows of a page, or None for the default
    owner: str = ""
    tag: str = ""
    target: str = ""  # its kind and value, such as "webhook:hooks.example.com"
    warnings: str = ""  # "true" for flows with warnings
    check: str = ""  # the id of a check that found something, or "any"
    view: str = ""  # `ALL_FLOWS` to keep the list from showing a default view
    scope: twilio_accounts.Scope = None  # the accounts that the user may see; not in the URL
    errors: tuple[InvalidParameter, ...] = ()
    invalid_pairs: tuple[tuple[str, str], ...] = ()  # parameters of the URL without an attribute

    @classmethod
    def of(cls, parameters: Mapping[str, str], scope: twilio_accounts.Scope = None) -> Query:
        """Return the query that the parameters of a URL describe."""
        parsed = filters.parse_parameters(parameters, scope, SORTS)
        return cls(
            **parsed.values,
            scope=scope,
            errors=tuple(parsed.errors),
            invalid_pairs=tuple(parsed.invalid_pairs),
        )

    @classmethod
    def from_query_string(cls, text: str, scope: twilio_accounts.Scope = None) -> Query:
        """Return the query in a query string, which forms carry in a hidden field."""
        return cls.of(QueryDict(text.lstrip("?")), scope)

    @property
    def target_key(self) -> tuple[str, str]:
        """The kind and the value of the target, both "" without one."""
        kind, _, value = self.target.partition(":")
        return kind, value

    @property
    def error_text(self) -> str:
        """The errors as sentences, or "" if the query is valid."""
        return " ".join(error.sentence for error in self.errors)

    def has_error(self, name: str) -> bool:
        """Return True if the parameter `name` has an invalid value."""
        return any(error.name == name for error in self.errors)

    def url(self, **changes: str | int | None) -> str:
        """Return the query string with some values changed. It begins at page one."""
        values = {name: getattr(self, name) for name in _DEFAULTS}
        values |= {"page": 1, **changes}
        pairs = [(name, value) for name, value in values.items() if value != _DEFAULTS[name]]
        return "?" + urlencode([*pairs, *self._other_pairs(changes)])

    def without(self, name: str) -> Self:
        """Return the query without a parameter, valid or not."""
        default: dict[str, Any] = {name: _DEFAULTS[name]} if name in _DEFAULTS else {}
        other_errors = tuple(error for error in self.errors if error.name != name)
        other_pairs = self._other_pairs([name])
        return replace(self, errors=other_errors, invalid_pairs=other_pairs, **default)

    def _other_pairs(self, names: Container[str]) -> tuple[tuple[str, str], ...]:
        """Return the invalid pairs of parameters without these names."""
        return tuple(pair for pair in self.invalid_pairs if pair[0] not in names)


_DEFAULTS: Final[dict[str, Any]] = {
    field.name: field.default for field in fields(Query) if field.name in filters.LABELS
}
