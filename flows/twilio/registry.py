"""The resources that this site knows. The file of a resource registers it."""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.resource import Resource

# The fields of all resources by name, of one of them where several have a field of that name.
KNOWN_FIELDS: Final[dict[str, Field]] = {}
# Those of resources that the site keeps copies of, which other records contain as parts.
MIRRORED_FIELDS: Final[dict[str, Field]] = {}
# Names of fields that this site's own events have as well, such as the name of a saved view or the
# address of a browser.
COMMON_NAMES: Final = frozenset(
    {"name", "description", "active", "address", "identity", "target", "questions"}
)
# The names by which an object of a resource is told from the details of such an event.
DISTINCTIVE_NAMES: Final[set[str]] = set()
_registered: Final[dict[str, Resource]] = {}


def register(resource: Resource) -> Resource:
    """Make a resource known to the log, to masking and to the resolution of its changes."""
    _registered[resource.name] = resource
    for field in resource.fields:
        KNOWN_FIELDS.setdefault(field.name, field)
        if resource.is_mirrored:
            MIRRORED_FIELDS.setdefault(field.name, field)
        if field.name not in COMMON_NAMES:
            DISTINCTIVE_NAMES.add(field.name)
    return resource


def unregister(resource: Resource) -> None:
    """Forget a resource again, such as one that a test made up."""
    del _registered[resource.name]
    KNOWN_FIELDS.clear()
    MIRRORED_FIELDS.clear()
    DISTINCTIVE_NAMES.clear()
    for other in _registered.values():
        register(other)


def is_object_url(text: str) -> bool:
    """Return True for the URL of an object in Twilio's API, of any resource that keeps its URL."""
    return any(
        resource.is_url(text) for resource in _registered.values() if resource.keeps_unknown_fields
    )


def resources_with_sid(sid: str) -> list[Resource]:
    """Return the resources whose objects can have this SID, without those of a whole account."""
    return [
        resource
        for resource in _registered.values()
        if resource.is_sid(sid) and not resource.is_singleton
    ]


def resource_of_action(action: str) -> Resource:
    """Return the resource that an action of the log is about. Raise KeyError if there is none."""
    return _registered[action.partition(".")[0]]


def is_about_resource(action: str) -> bool:
    """Return True for an action on an object at Twilio, such as `flow.update`."""
    return action.partition(".")[0] in _registered
