"""The phone number resource (IncomingPhoneNumber), as far as this site reads it: number and name.

Who answers its messages is read as well (`flows.twilio.handling_resources`). Source: Twilio's OpenAPI
document of the API of 2010, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.api_styles import API_OF_2010
from flows.twilio.fields import Field
from flows.twilio.named_fields import (
    ACCOUNT_SID,
    DATE_UPDATED,
    FRIENDLY_NAME,
    named_resource,
    sid_field,
)

INCOMING_PHONE_NUMBER: Final = named_resource(
    name="phone_number",
    title="Phone number",
    plural="Phone numbers",
    product="api",
    version="2010-04-01",
    api_style=API_OF_2010,
    path="Accounts/{account_sid}/IncomingPhoneNumbers",
    list_key="incoming_phone_numbers",
    sid_prefix="PN",
    identity_field="phone_number",
    fields=(
        sid_field("PN", "Phone number SID"),
        ACCOUNT_SID,
        Field(
            name="phone_number",
            label="Phone number",
            kind="text",
            pii=True,
            help="The number in international form, such as +14155551234.",
        ),
        FRIENDLY_NAME,
        DATE_UPDATED,
    ),
)
