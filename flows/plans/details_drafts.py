"""Drafts of bulk changes of owners and tags, which are kept here and never sent to Twilio.

So neither an open change nor a deletion at Twilio prevents them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import MAX_TAGS, Details, clean_tags, sort_tags, tag_limit
from flows.local_details.merge import merge
from flows.local_details.reading import details_by_sid, load_details
from flows.plans.drafts import build_change, flows_by_sid, save_selection_draft, sort_by_name
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import ALREADY_SET, SkipFlow, check_permission, record_skip
from flows.redaction.redacted import Redacted, redact_fields

SET_OWNER: Final = "owner"
ADD_TAGS: Final = "add_tag"
REMOVE_TAGS: Final = "remove_tag"
DETAILS_KINDS: Final = (SET_OWNER, ADD_TAGS, REMOVE_TAGS)
TOO_MANY_TAGS: Final = f"A flow can have {MAX_TAGS} tags at most."


@dataclass(frozen=True, slots=True)
class DetailsAction:
    """One of `DETAILS_KINDS` for many flows. `value` is an owner, or tags separated by commas."""

    kind: str
    value: str

    @property
    def sentence(self) -> str:
        """The title of the bulk change, for `str.format` with `flows`."""
        value = self.value.replace("{", "{{").replace("}", "}}")  # braces that stay in the title
        tags = "tags" if "," in value else "tag"
        if self.kind == ADD_TAGS:
            return f"Add the {tags} {value} to {{flows}}"
        if self.kind == REMOVE_TAGS:
            return f"Remove the {tags} {value} from {{flows}}"
        return f"Set the owner of {{flows}} to {value}" if value else "Remove the owner of {flows}"

    def requested_values(self, current: Details) -> dict[str, Any]:
        """Return the new value of a field. Raises `SkipFlow` if the flow can't have it."""
        if self.kind == SET_OWNER:
            return {"owner": self.value}
        tags = clean_tags(self.value)
        if self.kind == REMOVE_TAGS:
            return {"tags": [tag for tag in current.tags if tag not in tags]}
        all_tags = sort_tags([*current.tags, *tags])
        if len(all_tags) > tag_limit(current):
            raise SkipFlow(TOO_MANY_TAGS)
        return {"tags": list(all_tags)}


def plan_details_action(
    *,
    action: DetailsAction,
    sids: Sequence[str],
    created_by: str,
    editable_scope: twilio_accounts.Scope = None,
) -> Plan:
    """Draft one change of owners or tags for many flows, sorted by name.

    `editable_scope` holds the accounts where the user may change flows.
    """
    sids = list(dict.fromkeys(sids))
    flows = flows_by_sid(sids)
    details = details_by_sid(flows)
    planned = []
    for flow in sort_by_name(flows):
        change = build_change(flow, LocalDetailsAction.CHANGE)
        current = details.get(flow.sid, Details())
        with record_skip(change):
            check_permission(flow.account_sid, editable_scope)
            _request(change, current, action.requested_values(current))
        planned.append(change)
    return save_selection_draft(action.sentence, planned, sids, created_by=created_by)


def request_former_details(change: PlannedChange, event: AuditEvent) -> None:
    """Request the details before an event. Tags that were added since then stay."""
    change.before = _pick(event.payload.values_after, event.changed_fields)
    change.requested = _pick(event.payload.values_before, event.changed_fields)


def request_details_again(change: PlannedChange, original: PlannedChange) -> None:
    """Request what a failed change requested, for the details as they are now.

    Raises `SkipFlow` if the flow has them already, or has no room for the tags.
    """
    current = load_details(original.target_sid)
    former = Details.from_values(original.before)
    merged = merge(base=former, mine=original.requested, theirs=current)
    if "tags" in merged.conflicts:
        raise SkipFlow(TOO_MANY_TAGS)
    values = dict(original.requested)
    if "tags" in values:
        values["tags"] = list(merged.details.tags)
    _request(change, current, values)


def _request(change: PlannedChange, current: Details, values: Mapping[str, Any]) -> None:
    """Set the values of a planned change. Raises `SkipFlow` if the flow has them already."""
    before = _pick(current.as_values(), values)
    if before == values:
        raise SkipFlow(ALREADY_SET)
    change.before = before
    change.requested = redact_fields(values)


def _pick(values: Mapping[str, Any], names: Iterable[str]) -> Redacted:
    return redact_fields({name: values.get(name) for name in names})
