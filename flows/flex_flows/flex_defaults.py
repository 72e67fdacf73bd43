"""Values that a new flow's form begins with: what the account's Flex configuration names."""

from __future__ import annotations

from typing import Final

from flows.accounts.permissions import has_permission, resource_permission
from flows.audit.access import Request
from flows.mirror import live
from flows.redaction.redacted import redact_snapshot
from flows.twilio.errors import FlexError
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sids import is_sid

DEADLINE: Final = 1.5  # seconds that the form waits for Twilio; without an answer it begins empty
# The fields of a flow, and the settings of Flex that have their usual value.
SETTINGS: Final = {
    "chat_service_sid": "chat_service_instance_sid",
    "integration_workspace_sid": "taskrouter_workspace_sid",
    "integration_workflow_sid": "taskrouter_target_workflow_sid",
}


def load_defaults(request: Request) -> dict[str, str]:
    """Return the usual values of a new flow in the request's account, by field.

    It is empty if Twilio doesn't answer in time, or if the user may not see the configuration.
    """
    account_sid = request.account_sid
    if not has_permission(request.user, resource_permission(CONFIGURATION, "view"), account_sid):
        return {}
    try:
        snapshot = live.fetch(
            CONFIGURATION, account_sid, account_sid=account_sid, deadline=DEADLINE
        )
    except FlexError:
        return {}
    settings = redact_snapshot(snapshot)
    values = {name: str(settings.get(setting)) for name, setting in SETTINGS.items()}
    return {
        name: value
        for name, value in values.items()
        if is_sid(FLEX_FLOW.field(name).sid_prefix, value)
    }
