"""The fields of a flow whose SIDs belong to one account, so that another one has others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sids import is_sid
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL

# By the name of the field, the prefix of its SIDs. A task channel can also be a unique name, which
# is the same in each account.
PREFIX_BY_FIELD: Final[Mapping[str, str]] = {
    **{field.name: field.sid_prefix for field in FLEX_FLOW.writable_fields if field.kind == "sid"},
    "integration_channel": TASK_CHANNEL.sid_prefix,
}
FIELD_BY_PREFIX: Final[Mapping[str, str]] = {
    prefix: name for name, prefix in PREFIX_BY_FIELD.items()
}


def account_sids_of(flow: Mapping[str, Any]) -> dict[str, str]:
    """Return the SIDs in a flow that belong to its account, by the name of their field.

    A field that the flow's integration type doesn't use has none.
    """
    variant = FLEX_FLOW.variant_of(flow)
    sids = {}
    for name, prefix in PREFIX_BY_FIELD.items():
        value = flow.get(name)
        if FLEX_FLOW.field(name).is_applicable(variant) and is_sid(prefix, value):
            sids[name] = str(value)
    return sids
