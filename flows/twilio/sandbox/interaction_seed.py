"""Interactions with their channels, of flows whose integration creates tasks.

A created interaction gets a channel that is being set up, and is active when it is read again. If the
customer's address ends in 0000, it fails instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio.flex.interaction import CHANNEL_TYPES, INTERACTION, INTERACTION_CHANNEL
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.rules import INVALID_PARAMETER
from flows.twilio.sandbox.store import Page, Store

if TYPE_CHECKING:
    from flows.twilio.sandbox.rules import Body, Values
    from flows.twilio.sandbox.store_files import StoreFiles

MAX_OBJECTS = 500
FAILING_END = "0000"  # of an address that can't be written to
FAILURE_CODE = 45770
FAILURE_MESSAGE = "The customer's address can't be reached"
# The name, the channel's type and its status.
INTERACTIONS = (
    ("Order 4711", "sms", "active"),
    ("Invoice 88", "whatsapp", "active"),
    ("Return 15", "web", "closed"),
    ("Callback 3", "sms", "failed"),
)


def make_stores(
    flows: Mapping[str, Body],
    *,
    account_sid: str,
    clock: Callable[[], datetime],
    files: StoreFiles,
    add_store: Callable[[Store], None],
) -> Iterator[Store]:
    """Yield the store of interactions and that of each one's channels.

    The tasks are in the workflows of these flows. `add_store` adds the channels of a created one.
    """

    def make_channels(interaction: Body, *, status: str, fails: bool = False) -> Store:
        resource = INTERACTION_CHANNEL
        store = ChannelStore(
            resource,
            account_sid=account_sid,
            parent_sid=interaction["sid"],
            clock=clock,
            limit=MAX_OBJECTS,
            file=files.file_of(resource, interaction["sid"]),
            seed=lambda: [_channel(interaction, status)],
        )
        store.fails = fails
        store.save()
        return store

    def complete(body: Body, values: Values) -> Body:
        if "links" in body:  # an update
            return body
        channel, routing = (json.loads(values.get(name) or "{}") for name in ("channel", "routing"))
        if not isinstance(channel, dict) or channel.get("type") not in CHANNEL_TYPES:
            message = "Invalid parameter Channel: type is missing or unknown"
            raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)
        body = _answer(body, channel["type"], routing.get("properties") or {})
        fails = any(
            str(one.get("address", "")).endswith(FAILING_END)
            for one in channel.get("participants") or []
        )
        add_store(make_channels(body, status="setup", fails=fails))
        return body

    interactions = Store(
        INTERACTION,
        account_sid=account_sid,
        clock=clock,
        limit=MAX_OBJECTS,
        file=files.file_of(INTERACTION),
        seed=lambda: _interactions(flows),
        complete=complete,
    )
    interactions.save()
    yield interactions
    statuses = {make_sid("KD", name): status for name, _, status in INTERACTIONS}
    for sid, body in interactions.snapshot().items():
        yield make_channels(body, status=statuses.get(sid, "active"))


class ChannelStore(Store):
    """The channels of one interaction."""

    fails = False

    def page(self, **options: Any) -> Page:
        page = super().page(**options)
        with self._lock:
            for body in page.objects:
                if body["status"] == "setup":
                    self._replace(body["sid"], body | self._settled_state())
                    self._save()
        return page

    def _settled_state(self) -> Body:
        if not self.fails:
            return {"status": "active"}
        return {
            "status": "failed",
            "error_code": FAILURE_CODE,
            "error_message": FAILURE_MESSAGE,
        }


def _interactions(flows: Mapping[str, Body]) -> list[Body]:
    """Return the seeded interactions. Each has a task in the workflow of another flow."""
    routed = [flow for flow in flows.values() if flow.get("integration_workflow_sid")]
    bodies = []
    for position, (name, channel_type, _) in enumerate(INTERACTIONS):
        flow = routed[position % len(routed)] if routed else {}
        properties = {
            "workspace_sid": flow.get("integration_workspace_sid"),
            "workflow_sid": flow.get("integration_workflow_sid"),
            "task_channel_unique_name": "chat",
            "attributes": {"subject": name},
        }
        bodies.append(_answer({"sid": make_sid("KD", name)}, channel_type, properties))
    return bodies


def _answer(body: Body, channel_type: str, properties: Mapping[str, Any]) -> Body:
    """Return an interaction as Twilio answers it: with the channel and the task that it has."""
    task = {**properties, "sid": make_sid("WT", body["sid"]), "assignment_status": "pending"}
    answer = {"interaction_context_sid": None, "webhook_ttid": None} | body
    answer.pop("account_sid", None)
    return answer | {
        "channel": {"type": channel_type, "sid": make_sid("UO", body["sid"])},
        "routing": {"reservation": None, "properties": task},
        "links": {},
    }


def _channel(interaction: Body, status: str) -> Body:
    is_failed = status == "failed"
    return {
        "sid": interaction["channel"]["sid"],
        "interaction_sid": interaction["sid"],
        "type": interaction["channel"]["type"],
        "status": status,
        "error_code": FAILURE_CODE if is_failed else None,
        "error_message": FAILURE_MESSAGE if is_failed else None,
        "links": {},
    }
