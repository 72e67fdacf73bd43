"""The Monitor Event resource: who did what in the account, as Twilio logged it.

`event_data`, which has the values before and after, can contain secrets, and a description can
quote them. Neither is read. Source: Twilio's OpenAPI document of Monitor v1, read 2026-11.
Assumption: Twilio logs changes of Flex Flows here. Its documentation says "virtually every action"
and has no list of actions that names them.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.named_fields import ACCOUNT_SID, named_resource, sid_field

RETENTION_DAYS: Final = 30  # 13 months with the paid editions

MONITOR_EVENT: Final = named_resource(
    name="monitor_event",
    title="Monitor event",
    plural="Monitor events",
    product="monitor",
    path="Events",
    list_key="events",
    list_filters={
        "ActorSid": "actor_sid",
        "EventType": "event_type",
        "ResourceSid": "resource_sid",
        "SourceIpAddress": "source_ip_address",
        "StartDate": "event_date",
        "EndDate": "event_date",
    },
    sid_prefix="AE",
    name_field="event_type",
    fields=(
        sid_field("AE", "Monitor event SID"),
        ACCOUNT_SID,
        Field(
            name="actor_sid",
            label="Actor",
            kind="text",
            pii=True,
            help="The user (US…) or the account (AC…) that did it.",
        ),
        Field(
            name="actor_type",
            label="Actor type",
            kind="text",
            help="Such as user, account or twilio-admin.",
        ),
        Field(
            name="source",
            label="Source",
            kind="text",
            help="Such as web for the Console, api or twilio.",
        ),
        Field(
            name="source_ip_address",
            label="IP address",
            kind="text",
            pii=True,
            help="The address that the request came from.",
        ),
        Field(
            name="event_type",
            label="Event type",
            kind="text",
            help="The kind of object and what was done, such as flex-flow.updated.",
        ),
        Field(
            name="resource_sid",
            label="Object",
            kind="text",
            help="The object that it was done to.",
        ),
        Field(name="event_date", label="Date", kind="datetime", help="When it was done, in UTC."),
    ),
)
