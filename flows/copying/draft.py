"""The draft of a copy: a bulk change of the target account that creates and updates flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.copying.flow_copies import IDENTITY_FIELD, URL_FIELD, FlowCopy
from flows.mirror.models import Flow
from flows.plans import titles
from flows.plans.drafts import flows_by_sid
from flows.plans.import_draft import ImportEntry, plan_import
from flows.plans.import_entries import check_items
from flows.plans.import_text import ImportItem
from flows.plans.models import Plan
from flows.sid_map.mappings import Direction

NO_URL: Final = (
    "Its webhook contains a secret, and no other URL was entered. Clone this flow by itself."
)


@dataclass(frozen=True, slots=True)
class CopyChoices:
    """The user's answers.

    `counterparts` are the SIDs of the target account by those of the source account. `urls` are
    the webhooks of flows whose own ones contain a secret, by the SID of the flow.
    """

    counterparts: Mapping[str, str]
    urls: Mapping[str, str]
    turned_off: bool = True
    copies_identities: bool = False


def plan_copy(
    *,
    copies: Sequence[FlowCopy],
    direction: Direction,
    choices: CopyChoices,
    created_by: str,
    editable_scope: twilio_accounts.Scope,
    visible_scope: twilio_accounts.Scope,
) -> Plan:
    """Draft the bulk change that copies these flows. Only fields that differ are updated.

    Values are validated as those of an import. The scopes hold the accounts where the user may
    change flows, and may see them.
    """
    flows = flows_by_sid(
        (copy.counterpart.sid for copy in copies if copy.counterpart), visible_scope
    )
    return plan_import(
        entries=[_build_entry(copy, direction.target, choices, flows) for copy in copies],
        created_by=created_by,
        editable_scope=editable_scope,
        visible_scope=visible_scope,
        title_of=partial(titles.title_of_copy, target_sid=direction.target),
    )


def _build_entry(
    copy: FlowCopy, target_sid: str, choices: CopyChoices, flows: Mapping[str, Flow]
) -> ImportEntry:
    """Return the entry of a flow, with the values to set or the reason why it is skipped."""
    values = _translate(copy, choices)
    fields = {"account_sid": target_sid, **values}
    counterpart = copy.counterpart
    if counterpart is not None:
        fields["sid"] = counterpart.sid
    error = NO_URL if copy.has_hidden_url and copy.sid not in choices.urls else ""
    flow = flows.get(counterpart.sid) if counterpart else None
    current = {flow.sid: flow.resource} if flow else {}
    (entry,) = check_items([ImportItem("", fields, error)], current)
    return entry


def _translate(copy: FlowCopy, choices: CopyChoices) -> dict[str, Any]:
    """Return the values of a flow as the target account has them."""
    values = copy.values
    for name, sid in copy.account_sids.items():
        values[name] = choices.counterparts[sid]
    if copy.sid in choices.urls:
        values[URL_FIELD] = choices.urls[copy.sid]
    if copy.is_creation:
        if choices.turned_off:
            values["enabled"] = False
        return values
    values.pop("enabled", None)  # a copy doesn't turn an existing flow on or off
    if not choices.copies_identities:
        values.pop(IDENTITY_FIELD, None)
    return values
