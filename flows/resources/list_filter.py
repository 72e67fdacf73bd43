"""The filter of a list that Twilio applies itself, such as addresses of one type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from flows.resources import links
from flows.twilio.resource import Resource


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A value that limits a list, with the address of that list."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ListFilter:
    """The field that can limit the list of a resource, and the value that is chosen, or "".

    A resource without such a field has the name "".
    """

    resource: Resource
    name: str
    value: str

    @classmethod
    def from_query(cls, resource: Resource, query: Mapping[str, str]) -> Self:
        """Return the filter in the address of a page. An unknown value limits nothing."""
        field = resource.filter_field
        if field is None:
            return cls(resource, "", "")
        value = query.get(field.name, "")
        return cls(resource, field.name, value if value in field.choices else "")

    @property
    def label(self) -> str:
        """The label of the field."""
        return self.resource.label_of(self.name)

    @property
    def page_parameters(self) -> dict[str, str]:
        """The parameters of this site's addresses."""
        return {self.name: self.value} if self.value else {}

    @property
    def twilio_parameters(self) -> dict[str, str]:
        """The parameters of the request to Twilio."""
        names = {name: wire for wire, name in self.resource.list_filters.items()}
        return {names[self.name]: self.value} if self.value else {}

    def choices(self, account_sid: str) -> list[FilterChoice]:
        """Return all values with the addresses of their lists, first the list of all objects."""
        if not self.name:
            return []
        options = {"": "All", **self.resource.field(self.name).choices}
        choices = []
        for value, label in options.items():
            parameters = {self.name: value} if value else {}
            url = links.list_url(self.resource, account_sid, **parameters)
            choices.append(FilterChoice(label, url, value == self.value))
        return choices
