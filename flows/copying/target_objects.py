"""The objects of the target account that a SID can be translated to, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flows.core.normalization import normalize_text
from flows.core.safe_text import short
from flows.flex_flows.target_choices import TargetChoices
from flows.flex_flows.target_picker import Option, OptionGroup
from flows.names.models import NameReading, ResourceName
from flows.sid_map.fields import FIELD_BY_PREFIX
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.resource import Resource
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

RESOURCES_BY_PREFIX: Final[Mapping[str, tuple[Resource, ...]]] = {
    "IS": (CONVERSATION_SERVICE, CHAT_SERVICE),
    "FW": (STUDIO_FLOW,),
    "WS": (WORKSPACE,),
    "WW": (WORKFLOW,),
    "TC": (TASK_CHANNEL,),
}


@dataclass(frozen=True, slots=True)
class TargetObject:
    """An object of the target account, as its names were last read."""

    sid: str
    name: str
    name_folded: str
    parent_sid: str
    is_gone: bool


class TargetObjects:
    """The named objects of an account, and which kinds of them are known completely."""

    def __init__(self, account_sid: str) -> None:
        self._account_sid = account_sid
        self._objects = _load_objects(account_sid)
        self._read = _load_read_resources(account_sid)
        self._choices: TargetChoices | None = None

    def is_readable(self, prefix: str) -> bool:
        """Return True if the last reading had all objects of this kind.

        Otherwise a SID without a name may exist nevertheless.
        """
        return all(resource.name in self._read for resource in RESOURCES_BY_PREFIX[prefix])

    def find(self, sid: str) -> TargetObject | None:
        """Return the object with this SID, also one that Twilio no longer has, or None."""
        return self._objects.get(sid)

    def find_by_name(self, prefix: str, name: str, parent_sid: str) -> str:
        """Return the SID of the only object of this kind and name, or "".

        With `parent_sid`, only objects of that workspace are considered.
        """
        folded = normalize_text(name)
        matching_sids = [
            item.sid
            for item in self._objects.values()
            if folded
            and item.sid.startswith(prefix)
            and item.name_folded == folded
            and not item.is_gone
            and parent_sid in ("", item.parent_sid)
        ]
        return matching_sids[0] if len(matching_sids) == 1 else ""

    def groups(self, prefix: str, chosen: str) -> list[OptionGroup]:
        """Return the options for a SID with this prefix, as the form of a flow offers them."""
        if prefix == TASK_CHANNEL.sid_prefix:
            return self._task_channel_groups()
        if self._choices is None:
            self._choices = TargetChoices(self._account_sid)
        return self._choices.groups(FIELD_BY_PREFIX[prefix], chosen, "")

    def _task_channel_groups(self) -> list[OptionGroup]:
        """Return the task channels by their workspace. A flow's form offers their unique names."""
        groups: dict[str, list[Option]] = {}
        for item in sorted(self._objects.values(), key=lambda item: item.name_folded):
            if item.sid.startswith(TASK_CHANNEL.sid_prefix) and not item.is_gone:
                option = Option(item.sid, f"{item.name} · {short(item.sid)}")
                groups.setdefault(item.parent_sid, []).append(option)
        return [
            OptionGroup(self._objects[sid].name if sid in self._objects else sid, options)
            for sid, options in groups.items()
        ]


def _load_objects(account_sid: str) -> dict[str, TargetObject]:
    resources = [each.name for kinds in RESOURCES_BY_PREFIX.values() for each in kinds]
    rows = ResourceName.objects.filter(account_sid=account_sid, resource__in=resources)
    return {
        sid: TargetObject(sid, name, name_folded, parent_sid, gone_at is not None)
        for sid, name, name_folded, parent_sid, gone_at in rows.values_list(
            "sid", "name", "name_folded", "parent_sid", "gone_at"
        )
    }


def _load_read_resources(account_sid: str) -> frozenset[str]:
    """Return the names of the resources whose last reading was complete."""
    readings = NameReading.objects.filter(
        account_sid=account_sid, read_at__isnull=False, failed_at=None
    )
    return frozenset(readings.values_list("resource", flat=True))
