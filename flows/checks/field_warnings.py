"""Warnings that follow from the fields of a resource: unexpected and missing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flows.twilio import labels
from flows.twilio.resource import Resource


def find_unreadable_values(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each writable field whose value does not fit the field."""
    for field in resource.writable_fields:
        if not resource.is_readable(field.name, snapshot.get(field.name)):
            text = labels.value_to_text(snapshot[field.name])[:80]
            yield f"{field.label} has an unexpected value: “{text}”."


def find_missing_values(resource: Resource, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each field that the object's variant requires and that is not set."""
    variant = resource.variant_of(snapshot)
    for field in resource.nested_fields:
        is_unset = resource.normalize_value(field.name, snapshot.get(field.name)) is None
        if field.is_required(variant) and is_unset:
            yield f"{field.label} is missing. Messages can't be handled without it."
