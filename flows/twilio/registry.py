"""The resources that this site knows. The file of a resource registers it."""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.resource import Resource

# The fields of all resources by name, of one of them where several have a field of that name.
KNOWN_FIELDS: Final[dict[str, Field]] = {}
_registered: Final[dict[str, Resource]] = {}


def register(resource: Resource) -> Resource:
    """Make a resource known to the log, to masking and to the resolution of its changes."""
    _registered[resource.name] = resource
    for field in resource.fields:
        KNOWN_FIELDS.setdefault(field.name, field)
    return resource


def unregister(resource: Resource) -> None:
    """Forget a resource again, such as one that a test made up."""
    del _registered[resource.name]
    KNOWN_FIELDS.clear()
    for other in _registered.values():
        register(other)


def is_object_url(text: str) -> bool:
    """Return True for the URL of an object in Twilio's API, of any resource that keeps its URL."""
    return any(
        resource.is_url(text) for resource in _registered.values() if resource.keeps_unknown_fields
    )


def resource_of_action(action: str) -> Resource:
    """Return the resource that an action of the log is about. Raise KeyError if there is none."""
    return _registered[action.partition(".")[0]]


def is_about_resource(action: str) -> bool:
    """Return True for an action on an object at Twilio, such as `flow.update`."""
    return action.partition(".")[0] in _registered
