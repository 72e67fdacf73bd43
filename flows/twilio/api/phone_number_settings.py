"""The settings of a phone number that say who answers its SMS, which a change can replace.

`INCOMING_PHONE_NUMBER` is the same object, read for its name. Twilio answers an unset URL as "", an
unset application as "" or null. An empty parameter unsets a setting. Source: Twilio's OpenAPI
document of the API of 2010, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.description import OperationLabel
from flows.twilio.fields import Field
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, FRIENDLY_NAME, sid_field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

METHODS: Final = {"GET": "GET", "POST": "POST"}

PHONE_NUMBER_SETTINGS: Final = register(
    Resource(
        name="number",
        title="Phone number",
        plural="Phone numbers",
        product=INCOMING_PHONE_NUMBER.product,
        version=INCOMING_PHONE_NUMBER.version,
        api_style=INCOMING_PHONE_NUMBER.api_style,
        path=INCOMING_PHONE_NUMBER.path,
        list_key=INCOMING_PHONE_NUMBER.list_key,
        sid_prefix="PN",
        operations=frozenset({"fetch", "update"}),
        keeps_unknown_fields=False,
        identity_field="phone_number",
        permission_owner="flow",
        operation_labels={
            "update": OperationLabel("Change", "Change a phone number", "Changed a phone number")
        },
        fields=(
            sid_field("PN", "Phone number SID"),
            ACCOUNT_SID,
            INCOMING_PHONE_NUMBER.by_name["phone_number"],
            FRIENDLY_NAME,
            Field(
                name="sms_url",
                label="SMS webhook URL",
                kind="url",
                wire="SmsUrl",
                set_by=("update",),
                help="Twilio sends it each incoming SMS, unless an application is set.",
            ),
            Field(
                name="sms_method",
                label="SMS webhook method",
                kind="enum",
                wire="SmsMethod",
                set_by=("update",),
                choices=METHODS,
                default="POST",
                help="How Twilio calls the SMS webhook URL.",
            ),
            Field(
                name="sms_application_sid",
                label="SMS application SID",
                kind="sid",
                sid_prefix="AP",
                wire="SmsApplicationSid",
                set_by=("update",),
                help="The application that gets each incoming SMS, in place of the SMS webhook URL. "
                "Starts with AP.",
            ),
            DATE_UPDATED,
        ),
    )
)
