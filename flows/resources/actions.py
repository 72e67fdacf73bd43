"""The actions of the log on objects at Twilio beside flows, one enumeration a resource."""

from __future__ import annotations

from typing import Any, Final, cast

from flows.audit.action_registry import Action
from flows.audit.field_labels import join_labels
from flows.audit.models import AuditEvent
from flows.twilio.flex_resources import PAGE_RESOURCES
from flows.twilio.pageless_resources import PAGELESS_RESOURCES
from flows.twilio.resource import Resource

_INFINITIVES: Final = {
    "create": "Create",
    "update": "Change",
    "archive": "Archive",
    "delete": "Delete",
}
_PAST: Final = {
    "create": "Created",
    "update": "Changed",
    "archive": "Archived",
    "delete": "Deleted",
}


class ResourceAction(Action):
    """Base of the enumerations of the resources."""

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. An update names the changed fields."""
        sentence = super().sentence(event)
        is_update = event.operation == "update" and event.changed_fields
        return f"{sentence}: {join_labels(event.changed_fields)}" if is_update else sentence


def build_actions(resource: Resource) -> type[ResourceAction]:
    """Return the enumeration of the changes of a resource, such as `channel.create`."""
    members = {
        operation.upper(): (resource.action(operation), *_labels(resource, operation))
        for operation in _PAST
        if operation in resource.operations
    }
    name = f"{resource.name.title().replace('_', '')}Action"
    # mypy takes the call that makes an enumeration for one that makes a member.
    return cast("type[ResourceAction]", cast(Any, ResourceAction)(name, members))


def _labels(resource: Resource, operation: str) -> tuple[str, str]:
    """Return the past tense and the infinitive of an operation."""
    label = resource.operation_labels.get(operation)
    if label is not None:
        return label.past, label.infinitive
    noun = resource.noun_with_article
    return f"{_PAST[operation]} {noun}", f"{_INFINITIVES[operation]} {noun}"


RESOURCE_ACTIONS: Final = tuple(
    build_actions(resource)
    for resource in (*PAGE_RESOURCES, *PAGELESS_RESOURCES)
    if not resource.operations.isdisjoint(_PAST)
)
