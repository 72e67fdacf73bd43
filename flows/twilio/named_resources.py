"""The resources that are read for their names only: the targets of flows and their senders.

No request changes them. Of their fields, only those that a description here lists are kept. So
their webhooks, verification codes and configurations are never stored.
"""

from __future__ import annotations

from typing import Final

from flows.twilio import registry
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE

# The flow is registered first, because a field's label is that of the first resource that has it.
from flows.twilio.flex.flex_flow import FLEX_FLOW  # noqa: F401
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.resource import Resource
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

# isort: split
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION

NAMED_RESOURCES: Final[tuple[Resource, ...]] = (
    STUDIO_FLOW,
    WORKSPACE,
    WORKFLOW,
    TASK_CHANNEL,
    CONVERSATION_SERVICE,
    CHAT_SERVICE,
    INCOMING_PHONE_NUMBER,
    WHATSAPP_SENDER,
    MESSAGING_SERVICE,
)
# Those whose names are stored. Addresses have pages of their own and can be changed.
STORED_RESOURCES: Final = (*NAMED_RESOURCES, ADDRESS_CONFIGURATION)

for _resource in NAMED_RESOURCES:
    registry.register(_resource)
