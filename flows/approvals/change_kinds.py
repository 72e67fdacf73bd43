"""The kinds of changes that a policy can name, and those that a change is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import models

from flows.twilio.resource import Resource

DELETIONS: Final = ("delete", "archive")
SWITCH_FIELDS: Final = ("enabled", "auto_creation_enabled")


class ChangeKind(models.TextChoices):
    ANY = "any", "Any change"
    DELETE = "delete", "Deletions"
    SWITCH = "switch", "Turning on or off"
    IDENTITY = "identity", "Channel and contact identity"
    WEBHOOK = "webhook", "Webhook address"


def kinds_of(
    resource: Resource,
    operation: str,
    before: Mapping[str, Any] | None,
    requested: Mapping[str, Any] | None,
) -> set[ChangeKind]:
    """Return the kinds of a change. A deletion of an object that is on also turns it off."""
    kinds = {ChangeKind.ANY}
    if operation in DELETIONS:
        kinds.add(ChangeKind.DELETE)
        if any(_is_on(resource, name, before) for name in SWITCH_FIELDS):
            kinds.add(ChangeKind.SWITCH)
        return kinds
    values = requested or {}
    if any(name in values and _switches(resource, name, before, values) for name in SWITCH_FIELDS):
        kinds.add(ChangeKind.SWITCH)
    if values.keys() & {resource.identity_field, "channel_type"}:
        kinds.add(ChangeKind.IDENTITY)
    if _changes_webhook(resource, before, values):
        kinds.add(ChangeKind.WEBHOOK)
    return kinds


def _switches(
    resource: Resource, name: str, before: Mapping[str, Any] | None, values: Mapping[str, Any]
) -> bool:
    """Return True for each update of a switch, and for a creation that is on."""
    return before is not None or _is_on(resource, name, values)


def _is_on(resource: Resource, name: str, values: Mapping[str, Any] | None) -> bool:
    return resource.normalize_value(name, (values or {}).get(name)) is True


def _changes_webhook(
    resource: Resource, before: Mapping[str, Any] | None, values: Mapping[str, Any]
) -> bool:
    """Return True if a URL changes, or a variant that has one comes or goes."""
    if any(resource.field(name).kind == "url" for name in values):
        return True
    if not resource.variant_field or resource.variant_field not in values:
        return False
    variants = {
        resource.variant_of(before or {}),
        resource.variant_of({**(before or {}), **values}),
    }
    return any(
        field.kind == "url" and field.is_applicable(variant)
        for variant in variants
        for field in resource.nested_fields_of(variant)
    )
