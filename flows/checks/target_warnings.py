"""Warnings about what a flow points to: deleted at Twilio, or a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from flows.core.safe_text import short
from flows.names.lookup import Name, load_names
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.studio.studio_flow import STUDIO_FLOW

TARGET_FIELDS: Final = (
    "integration_flow_sid",
    "integration_workspace_sid",
    "integration_workflow_sid",
    "integration_channel",
    "chat_service_sid",
)
_TARGET_KINDS: Final = {
    "integration_flow_sid": "Studio Flow",
    "integration_workspace_sid": "workspace",
    "integration_workflow_sid": "workflow",
    "integration_channel": "task channel",
    "chat_service_sid": "chat service",
}
_FIELDS_BY_VARIANT: Final = {
    variant: tuple(name for name in TARGET_FIELDS if FLEX_FLOW.field(name).is_applicable(variant))
    for variant in FLEX_FLOW.field(FLEX_FLOW.variant_field).choices
}

NamesBySid = Mapping[str, Name]
NO_NAMES: Final[NamesBySid] = MappingProxyType({})


def load_target_names(flows: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, NamesBySid]:
    """Return the names of what flows point to, by account SID and SID, with one query.

    A flow is the SID of its account and its snapshot. Each account has an entry.
    """
    targets: set[tuple[str, str]] = set()
    by_account: dict[str, dict[str, Name]] = {}
    for account_sid, snapshot in flows:
        by_account[account_sid] = {}
        targets.update((account_sid, sid) for _, sid in find_target_sids(snapshot))
    for (account_sid, sid), name in load_names(targets).items():
        by_account[account_sid][sid] = name
    return dict(by_account)


def find_target_sids(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields in which a flow of its type points to something, each with its value."""
    variant = FLEX_FLOW.variant_of(snapshot)
    for name in _FIELDS_BY_VARIANT.get(variant, TARGET_FIELDS):
        value = snapshot.get(name)
        if isinstance(value, str) and value:
            yield name, value


def find_target_warnings(snapshot: Mapping[str, Any], names: NamesBySid) -> Iterator[str]:
    """Yield a sentence for each target that Twilio no longer has, or that is a draft."""
    for field_name, sid in find_target_sids(snapshot):
        target = names.get(sid)
        if target is None:
            continue
        if target.is_gone:
            yield _describe_gone(_TARGET_KINDS[field_name], target)
        elif target.resource == STUDIO_FLOW.name and target.status == "draft":
            yield _describe_draft(target)


def _describe_gone(kind: str, target: Name) -> str:
    if target.name:
        return f"The {kind} “{target.name}” was deleted at Twilio. Messages can't be handled."
    return f"Twilio has no {kind} {short(target.sid)} in this account. Messages can't be handled."


def _describe_draft(target: Name) -> str:
    """Return the warning about a draft. Only a first revision proves that none was published."""
    if target.revision == 1:
        return f"The Studio Flow “{target.name}” was never published. Messages can't be handled."
    return (
        f"The latest revision of the Studio Flow “{target.name}” is a draft. "
        "Messages use the last published one, if there is one."
    )
