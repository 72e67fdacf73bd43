"""The resources that a change of something else changes as well, and that have no pages.

Before a number gets another handler, it is detached from the present one, and it can be put back.
The log has these changes like all others.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.resource import Resource

PAGELESS_RESOURCES: Final[tuple[Resource, ...]] = (PHONE_NUMBER_SETTINGS, SERVICE_MEMBERSHIP)
