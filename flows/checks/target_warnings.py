"""Warnings about what a flow points to: deleted at Twilio, or a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from flows.core.safe_text import short
from flows.mirror.targets import TargetKind, find_target_values
from flows.names.lookup import Name, load_names
from flows.twilio.studio.studio_flow import STUDIO_FLOW

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
        targets.update((account_sid, value) for _, value in find_target_values(snapshot))
    for (account_sid, sid), name in load_names(targets).items():
        by_account[account_sid][sid] = name
    return dict(by_account)


def find_target_warnings(snapshot: Mapping[str, Any], names: NamesBySid) -> Iterator[str]:
    """Yield a sentence for each target that Twilio no longer has, or that is a draft."""
    for kind, value in find_target_values(snapshot):
        target = names.get(value)
        if target is None:
            continue
        if target.is_gone:
            yield _describe_gone(kind, target)
        elif target.resource == STUDIO_FLOW.name and target.status == "draft":
            yield _describe_draft(target)


def _describe_gone(kind: TargetKind, target: Name) -> str:
    words = kind.label if kind == TargetKind.STUDIO_FLOW else kind.label.lower()
    if target.name:
        return f"The {words} “{target.name}” was deleted at Twilio. Messages can't be handled."
    return f"Twilio has no {words} {short(target.sid)} in this account. Messages can't be handled."


def _describe_draft(target: Name) -> str:
    """Return the warning about a draft. Only a first revision proves that none was published."""
    if target.revision == 1:
        return f"The Studio Flow “{target.name}” was never published. Messages can't be handled."
    return (
        f"The latest revision of the Studio Flow “{target.name}” is a draft. "
        "Messages use the last published one, if there is one."
    )
