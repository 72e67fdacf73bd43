"""The kinds of steps: the resource that each changes, its words, and the kind that takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import models

from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.resource import Resource


class StepKind(models.TextChoices):
    CREATE_ADDRESS = "create_address", "Create the address, still off"
    ADOPT_ADDRESS = "adopt_address", "Change the existing address, still off"
    DETACH_NUMBER = "detach_number", "Remove the number's SMS webhook"
    LEAVE_SERVICE = "leave_service", "Remove the number from its Messaging Service"
    TURN_OFF_FLOW = "turn_off_flow", "Turn the flow off"
    TURN_ON_ADDRESS = "turn_on_address", "Turn the address on"
    DELETE_FLOW = "delete_flow", "Delete the flow"
    DELETE_ADDRESS = "delete_address", "Delete the address"
    RESTORE_ADDRESS = "restore_address", "Restore the address's earlier values"
    ATTACH_NUMBER = "attach_number", "Restore the number's SMS webhook"
    JOIN_SERVICE = "join_service", "Add the number to its Messaging Service again"
    TURN_ON_FLOW = "turn_on_flow", "Turn the flow on"
    TURN_OFF_ADDRESS = "turn_off_address", "Turn the address off"


@dataclass(frozen=True, slots=True)
class Call:
    """The call to Twilio that a step makes."""

    resource: Resource
    operation: str  # create, update or delete


CALLS: Final = {
    StepKind.CREATE_ADDRESS: Call(ADDRESS_CONFIGURATION, "create"),
    StepKind.ADOPT_ADDRESS: Call(ADDRESS_CONFIGURATION, "update"),
    StepKind.DETACH_NUMBER: Call(PHONE_NUMBER_SETTINGS, "update"),
    StepKind.LEAVE_SERVICE: Call(SERVICE_MEMBERSHIP, "delete"),
    StepKind.TURN_OFF_FLOW: Call(FLEX_FLOW, "update"),
    StepKind.TURN_ON_ADDRESS: Call(ADDRESS_CONFIGURATION, "update"),
    StepKind.DELETE_FLOW: Call(FLEX_FLOW, "delete"),
    StepKind.DELETE_ADDRESS: Call(ADDRESS_CONFIGURATION, "delete"),
    StepKind.RESTORE_ADDRESS: Call(ADDRESS_CONFIGURATION, "update"),
    StepKind.ATTACH_NUMBER: Call(PHONE_NUMBER_SETTINGS, "update"),
    StepKind.JOIN_SERVICE: Call(SERVICE_MEMBERSHIP, "create"),
    StepKind.TURN_ON_FLOW: Call(FLEX_FLOW, "update"),
    StepKind.TURN_OFF_ADDRESS: Call(ADDRESS_CONFIGURATION, "update"),
}
REVERSALS: Final = {
    StepKind.CREATE_ADDRESS: StepKind.DELETE_ADDRESS,
    StepKind.ADOPT_ADDRESS: StepKind.RESTORE_ADDRESS,
    StepKind.DETACH_NUMBER: StepKind.ATTACH_NUMBER,
    StepKind.LEAVE_SERVICE: StepKind.JOIN_SERVICE,
    StepKind.TURN_OFF_FLOW: StepKind.TURN_ON_FLOW,
    StepKind.TURN_ON_ADDRESS: StepKind.TURN_OFF_ADDRESS,
}
PREPARING_KINDS: Final = (StepKind.CREATE_ADDRESS, StepKind.ADOPT_ADDRESS)
# In the order in which they are made.
SWITCHING_KINDS: Final = (
    StepKind.LEAVE_SERVICE,
    StepKind.DETACH_NUMBER,
    StepKind.TURN_OFF_FLOW,
    StepKind.TURN_ON_ADDRESS,
)
ADDRESS_KINDS: Final = tuple(
    kind for kind, call in CALLS.items() if call.resource is ADDRESS_CONFIGURATION
)
