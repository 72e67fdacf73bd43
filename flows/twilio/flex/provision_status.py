"""The ProvisionStatus resource: whether Flex is set up in an account. There is one of it.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Its answer has no SID, so it has the account's.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.resource import Resource

# Not registered: nothing of it is stored.
PROVISION_STATUS: Final = Resource(
    name="provision_status",
    title="provision status",
    plural="Provision status",
    path="account/provision/status",
    list_key="",
    sid_prefix="AC",
    name_field="",
    operations=frozenset({"fetch"}),
    is_singleton=True,
    has_sid=False,
    fields=(
        Field(
            name="status",
            label="Status",
            kind="enum",
            choices={
                "active": "Set up",
                "in-progress": "Being set up",
                "not-configured": "Not set up",
                "failed": "Set-up failed",
            },
            help="Whether Flex is set up in this account.",
        ),
    ),
)
