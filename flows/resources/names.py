"""The names of the objects that those of the Flex API point to, by their SIDs.

Those of flows are in the mirror, those of Studio Flows, services and workflows among the names that
are read with the flows. Those of other objects of the Flex API are read from Twilio.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from flows.mirror import live
from flows.mirror.models import Flow
from flows.names.lookup import names_for
from flows.redaction.redacted import redact_snapshot
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.flex_resources import FLEX_RESOURCES
from flows.twilio.paging import FIRST_PAGE
from flows.twilio.resource import Resource

MAX_NAMED: Final = 1000  # objects whose names are read


def load_names(
    resource: Resource, account_sid: str, snapshots: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the names of what these objects point to, by SID.

    What can't be read from Twilio has no name: its SID is shown then.
    """
    names = _load_flow_names(resource, account_sid, snapshots)
    names |= _load_stored_names(resource, account_sid, snapshots)
    for other in _resources_pointed_to(resource, snapshots):
        with contextlib.suppress(FlexError):
            page = live.list_page(other, account_sid, FIRST_PAGE, page_size=MAX_NAMED)
            items = map(redact_snapshot, page.objects)
            names |= {item["sid"]: other.name_of(item) for item in items}
    return names


def find_resource(sid: str) -> Resource | None:
    """Return the resource with pages that has SIDs with this prefix, or None."""
    if FLEX_FLOW.is_sid(sid):
        return FLEX_FLOW
    return next((resource for resource in FLEX_RESOURCES if resource.is_sid(sid)), None)


def _load_flow_names(
    resource: Resource, account_sid: str, snapshots: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the names of the account's flows that these objects point to, with one query."""
    fields = [field.name for field in resource.fields if field.sid_prefix == FLEX_FLOW.sid_prefix]
    values = [one.get(name) for one in snapshots for name in fields]
    sids = {value for value in values if FLEX_FLOW.is_sid(value)}
    if not sids:
        return {}
    flows = Flow.objects.filter(sid__in=sids, account_sid=account_sid).exclude(friendly_name="")
    return dict(flows.values_list("sid", "friendly_name"))


def _load_stored_names(
    resource: Resource, account_sid: str, snapshots: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the names of other products' objects that these objects point to, with one query."""
    fields = [
        field.name
        for field in resource.fields
        if field.kind == "sid" and field.name not in ("sid", "account_sid")
    ]
    values = [one.get(name) for one in snapshots for name in fields]
    sids = {value for value in values if isinstance(value, str)}
    names = names_for(account_sid, sids) if sids else {}
    return {sid: name.name for sid, name in names.items() if name.name}


def _resources_pointed_to(
    resource: Resource, snapshots: Sequence[Mapping[str, Any]]
) -> Iterator[Resource]:
    """Yield the resources that fields of these objects point to, and that have names to list."""
    prefixes = set()
    for field in resource.fields:
        if field.name != "sid" and any(one.get(field.name) for one in snapshots):
            prefixes.add(field.sid_prefix)
    for other in FLEX_RESOURCES:
        name_field = other.by_name.get(other.name_field)
        has_names = name_field is not None and name_field.is_returned
        if has_names and other.sid_prefix in prefixes:
            yield other
