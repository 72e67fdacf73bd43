"""The Address Configuration resource: what Twilio Conversations does with messages to an address.

Source: Twilio's OpenAPI document of Conversations v1, read 2026-11, and Terraform providers for
what each type of auto-creation requires. An account has one configuration of an address. The
nested object has only the fields of its type. Twilio writes some values in capitals.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, sid_field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

ADDRESS_TYPES: Final = {
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "messenger": "Facebook Messenger",
    "gbm": "Google Business Messages",
    "email": "E-mail",
    "rcs": "RCS",
    "apple": "Apple Messages",
    "chat": "Web chat",
}
AUTO_CREATION_TYPES: Final = {
    "studio": "Studio Flow",
    "webhook": "Webhook",
    "default": "Default",
}
METHODS: Final = {"get": "GET", "post": "POST"}
WEBHOOK_EVENTS: Final = {
    "onMessageAdded": "Message added",
    "onMessageUpdated": "Message changed",
    "onMessageRemoved": "Message removed",
    "onConversationUpdated": "Conversation changed",
    "onConversationStateUpdated": "Conversation's state changed",
    "onConversationRemoved": "Conversation removed",
    "onParticipantAdded": "Participant added",
    "onParticipantUpdated": "Participant changed",
    "onParticipantRemoved": "Participant removed",
    "onDeliveryUpdated": "Delivery changed",
}

ADDRESS_CONFIGURATION: Final = register(
    Resource(
        name="address_configuration",
        title="Address configuration",
        plural="Addresses",
        product="conversations",
        path="Configuration/Addresses",
        list_key="address_configurations",
        sid_prefix="IG",
        max_page_size=50,
        nested="auto_creation",
        variant_field="auto_creation_type",
        # Assumption: Twilio's documents don't name the type of an address without one.
        default_variant="default",
        identity_field="address",
        key_field="address",
        enabled_field="auto_creation_enabled",
        list_filters={"Type": "type"},
        summary="Numbers and other addresses at which Twilio Conversations takes messages itself, "
        "without a Flex Flow.",
        list_columns=(
            "friendly_name",
            "address",
            "type",
            "auto_creation_enabled",
            "auto_creation_type",
        ),
        sections=(
            ("Address", ("sid", "type", "address", "address_country", "friendly_name")),
            (
                "Auto-creation",
                (
                    "auto_creation_enabled",
                    "auto_creation_type",
                    "auto_creation_conversation_service_sid",
                    "auto_creation_studio_flow_sid",
                    "auto_creation_studio_retry_count",
                    "auto_creation_webhook_url",
                    "auto_creation_webhook_method",
                    "auto_creation_webhook_filters",
                ),
            ),
            ("Dates", ("date_created", "date_updated")),
        ),
        deletion_effect="Messages to the address no longer start conversations. They get an answer "
        "only if a Flex Flow or another handler has the same address. To keep the configuration for "
        "later, turn its auto-creation off instead.",
        fields=(
            sid_field("IG", "Address configuration SID"),
            ACCOUNT_SID,
            Field(
                name="type",
                label="Type",
                kind="enum",
                wire="Type",
                set_by=("create",),
                choices=ADDRESS_TYPES,
                required_on_create=True,
                help="Where messages come from. It can't be changed later.",
            ),
            Field(
                name="address",
                label="Address",
                kind="text",
                wire="Address",
                set_by=("create",),
                required_on_create=True,
                max_length=256,
                pii=True,
                help="The number or other address that customers write to, such as +14155551234, "
                "whatsapp:+14155551234 or messenger: and the ID of a page. It can't be changed "
                "later, and an account can have only one configuration of an address.",
            ),
            Field(
                name="address_country",
                label="Country of a short code",
                kind="text",
                wire="AddressCountry",
                set_by=("create",),
                max_length=2,
                help="Two letters, such as US. Only for short codes, which need it.",
            ),
            Field(
                name="friendly_name",
                label="Friendly name",
                kind="text",
                wire="FriendlyName",
                max_length=256,
                pii=True,
                is_free_text=True,
                help="A name to find this address by.",
            ),
            Field(
                name="auto_creation_enabled",
                label="Auto-creation",
                kind="boolean",
                wire="AutoCreation.Enabled",
                is_of_every_variant=True,
                choices={"true": "On", "false": "Off"},
                default=False,
                help="On: each message to the address that belongs to no open conversation starts "
                "one, also messages that aren't from customers, such as verification codes. A Flex "
                "Flow or a webhook of the same number may answer the same message as well, so turn "
                "those off first. Conversations that are open stay as they are.",
            ),
            Field(
                name="auto_creation_type",
                label="Auto-creation type",
                kind="enum",
                wire="AutoCreation.Type",
                is_of_every_variant=True,
                choices=AUTO_CREATION_TYPES,
                help="Handles a conversation that starts: a Studio Flow, a webhook, or neither "
                "(Default).",
            ),
            Field(
                name="auto_creation_conversation_service_sid",
                label="Conversation service SID",
                kind="sid",
                sid_prefix="IS",
                wire="AutoCreation.ConversationServiceSid",
                is_of_every_variant=True,
                help="The service in which conversations start. Starts with IS. Without it, they "
                "start in the account's default service, which for Flex has to be Flex's own.",
            ),
            Field(
                name="auto_creation_studio_flow_sid",
                label="Studio Flow SID",
                kind="sid",
                sid_prefix="FW",
                wire="AutoCreation.StudioFlowSid",
                takes=("studio",),
                requires=("studio",),
                help="For the type Studio Flow, which requires it. Starts with FW. The Studio Flow "
                "has to handle the trigger Incoming Conversation, not only Incoming Message.",
            ),
            Field(
                name="auto_creation_studio_retry_count",
                label="Studio retry count",
                kind="integer",
                wire="AutoCreation.StudioRetryCount",
                minimum=0,
                maximum=3,
                takes=("studio",),
                help="For the type Studio Flow: number of retries if it fails (0 to 3).",
            ),
            Field(
                name="auto_creation_webhook_url",
                label="Webhook URL",
                kind="url",
                wire="AutoCreation.WebhookUrl",
                max_length=2048,
                takes=("webhook",),
                requires=("webhook",),
                help="For the type Webhook, which requires it. Twilio sends events of the "
                "conversations to this URL.",
            ),
            Field(
                name="auto_creation_webhook_method",
                label="Webhook method",
                kind="enum",
                wire="AutoCreation.WebhookMethod",
                choices=METHODS,
                default="post",
                takes=("webhook",),
                help="For the type Webhook.",
            ),
            Field(
                name="auto_creation_webhook_filters",
                label="Webhook filter",
                kind="choices",
                wire="AutoCreation.WebhookFilters",
                choices=WEBHOOK_EVENTS,
                takes=("webhook",),
                requires=("webhook",),
                help="For the type Webhook, which requires at least one: the events that Twilio "
                "sends.",
            ),
            Field(
                name="date_created",
                label="Created",
                kind="datetime",
                help="When the configuration was created, in UTC.",
            ),
            DATE_UPDATED,
            Field(
                name="url",
                label="API URL",
                kind="url",
                help="The URL of this configuration in Twilio's API.",
            ),
        ),
    )
)
