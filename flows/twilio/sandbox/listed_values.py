"""The values that the objects in a list must have, as a request names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.twilio.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Values


@dataclass(frozen=True, slots=True)
class DateRange:
    """The dates from `start` on and up to `end`, both included, None without a limit."""

    start: datetime | None
    end: datetime | None

    def includes(self, value: object) -> bool:
        """Return True if a date in Twilio's format is in the range."""
        moment = parse_datetime(value)
        if moment is None:
            return False
        is_late_enough = self.start is None or moment >= self.start
        return is_late_enough and (self.end is None or moment <= self.end)


def is_match(value: Any, expected: Any) -> bool:
    """Return True if a value is the expected one, or one of an expected range."""
    if isinstance(expected, DateRange):
        return expected.includes(value)
    return bool(value == expected)


def listed_values(resource: Resource, parameters: Mapping[str, str]) -> Values:
    """Return the values of the objects in a list: a name, and active ones unless others are asked.

    The date of an event is a range. A choice counts whatever its case, as Twilio's example has it.
    """
    values: Values = {}
    name = parameters.get("FriendlyName")
    if name:
        values[resource.name_field] = name
    includes_inactive = parameters.get("IncludeInactive", "").lower() == "true"
    if "active" in resource.by_name and not includes_inactive:
        values["active"] = True
    for parameter, field_name in resource.list_filters.items():
        field = resource.field(field_name)
        if not parameters.get(parameter):
            continue
        if field.kind == "datetime":
            dates = [parse_datetime(parameters.get(limit)) for limit in ("StartDate", "EndDate")]
            values[field_name] = DateRange(*dates)
        elif field.choices:
            values[field_name] = parameters[parameter].lower()
        else:
            values[field_name] = parameters[parameter]
    return values
