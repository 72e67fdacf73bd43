"""The resources that are read to know what surrounds flows, and that have no name of their own.

They are read one object at a time. No request changes them, and no snapshot of them is stored.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.messaging.service_members import SERVICE_NUMBER, SERVICE_SENDER
from flows.twilio.named_resources import STORED_RESOURCES
from flows.twilio.resource import Resource
from flows.twilio.studio.studio_definition import STUDIO_DEFINITION

SURROUNDING_RESOURCES: Final[tuple[Resource, ...]] = (
    STUDIO_DEFINITION,
    SERVICE_NUMBER,
    SERVICE_SENDER,
    CONVERSATION_CONFIGURATION,
    CONFIGURATION,
)
# All that a refresh of the names reads.
READ_RESOURCES: Final = (*STORED_RESOURCES, *SURROUNDING_RESOURCES)
