"""The resources beside Flex Flows that have pages under `/flex/`: of the Flex API and of Conversations.

Each has one file under `flex/` or `conversations/`, which registers it. The pages are in
`flows.resources`.
"""

from __future__ import annotations

from typing import Final

# The flow is registered first, because a field's label is that of the first resource that has it.
from flows.twilio.flex.flex_flow import FLEX_FLOW  # noqa: F401

# isort: split
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.channel import CHANNEL
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.flex.interaction import INTERACTION, INTERACTION_CHANNEL
from flows.twilio.flex.plugin import PLUGIN, PLUGIN_VERSION
from flows.twilio.flex.plugin_configuration import CONFIGURED_PLUGIN, PLUGIN_CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.flex.question import QUESTION
from flows.twilio.flex.question_category import QUESTION_CATEGORY
from flows.twilio.flex.questionnaire import QUESTIONNAIRE
from flows.twilio.flex.web_channel import WEB_CHANNEL
from flows.twilio.resource import Resource

FLEX_RESOURCES: Final[tuple[Resource, ...]] = (
    CONFIGURATION,
    CHANNEL,
    WEB_CHANNEL,
    ADDRESS_CONFIGURATION,
    INTERACTION,
    PLUGIN_RELEASE,
    PLUGIN_CONFIGURATION,
    PLUGIN,
    QUESTIONNAIRE,
    QUESTION,
    QUESTION_CATEGORY,
)
# Resources that belong to an object of another one, on whose page they are listed.
CHILD_RESOURCES: Final[tuple[Resource, ...]] = (
    INTERACTION_CHANNEL,
    PLUGIN_VERSION,
    CONFIGURED_PLUGIN,
)
PAGE_RESOURCES: Final = (*FLEX_RESOURCES, *CHILD_RESOURCES)
