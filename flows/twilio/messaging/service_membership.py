"""A phone number's membership in a Messaging Service, which a change can end and restore.

The SID of a membership is that of its number, which the request that adds the number names. A
number is in one service at most. `SERVICE_NUMBER` is the same object, read for its SID. Source:
Twilio's OpenAPI document of Messaging v1, read 2026-11.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.description import ALL_OPERATIONS, OperationLabel
from flows.twilio.fields import Field
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_NUMBER
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, sid_field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

SERVICE_MEMBERSHIP: Final = register(
    Resource(
        name="service_membership",
        title="Messaging Service membership",
        plural="Messaging Service memberships",
        product=SERVICE_NUMBER.product,
        version=SERVICE_NUMBER.version,
        path=SERVICE_NUMBER.path,
        parent=MESSAGING_SERVICE,
        parent_field="service_sid",
        list_key=SERVICE_NUMBER.list_key,
        sid_prefix="PN",
        operations=ALL_OPERATIONS - {"update"},
        keeps_unknown_fields=False,
        name_field="phone_number",
        identity_field="phone_number",
        permission_owner="flow",
        operation_labels={
            "create": OperationLabel(
                "Add number",
                "Add a number to a Messaging Service",
                "Added a number to a Messaging Service",
            ),
            "delete": OperationLabel(
                "Remove number",
                "Remove a number from a Messaging Service",
                "Removed a number from a Messaging Service",
            ),
        },
        fields=(
            replace(
                sid_field("PN", "Phone number SID"),
                wire="PhoneNumberSid",
                set_by=("create",),
                required_on_create=True,
            ),
            ACCOUNT_SID,
            sid_field("MG", "Messaging Service SID", name="service_sid"),
            INCOMING_PHONE_NUMBER.by_name["phone_number"],
            Field(
                name="date_created",
                label="Created",
                kind="datetime",
                help="When the number was added to the service, in UTC.",
            ),
            DATE_UPDATED,
        ),
    )
)
