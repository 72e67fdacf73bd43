"""Warnings that follow from the fields of a resource: unexpected and missing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.twilio import labels
from flows.twilio.fields import Field
from flows.twilio.resource import Resource

MAX_VALUE_LENGTH: Final = 80  # characters of a value that a warning quotes


def find_unreadable_values(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each writable field whose value does not fit the field."""
    for field in resource.writable_fields:
        value = snapshot.get(field.name)
        if value is None or resource.is_readable(field.name, value):
            continue
        text = labels.value_to_text(value)[:MAX_VALUE_LENGTH]
        yield f"{field.label} has an unexpected value: “{text}”."


def find_missing_values(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each field that the object's variant requires and that is not set.

    A field with a default at Twilio isn't among them.
    """
    for field in _unset_required_fields(resource, snapshot):
        if field.default is None:
            yield f"{field.label} is missing. Messages can't be handled without it."


def find_default_values(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each required field that is not set, and for which Twilio has a default."""
    for field in _unset_required_fields(resource, snapshot):
        if field.default is not None:
            yield f"{field.label} is not set. Twilio's default is “{field.default}”."


def _unset_required_fields(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[Field]:
    variant = resource.variant_of(snapshot)
    for field in resource.nested_fields:
        if field.is_required(variant) and is_unset(resource, snapshot, field.name):
            yield field


def is_unset(resource: Resource, snapshot: Mapping[str, Any], name: str) -> bool:
    """Return True if the object has no value for this field."""
    value = snapshot.get(name)
    return resource.normalize_value(name, value) is None
