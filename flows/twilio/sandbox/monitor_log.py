"""The sandbox's Monitor: events about what was done to flows outside the dashboard.

Assumption: Twilio's own events about Flex Flows have this type. Actors and addresses are fictional.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from flows.twilio.monitor.monitor_event import MONITOR_EVENT
from flows.twilio.sandbox.named_bodies import SECRET, make_sid
from flows.twilio.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CONSOLE_USER_SID: Final = "US" + "c0" * 16
CONSOLE_ADDRESS: Final = "203.0.113.7"


class MonitorLog:
    """The events of one account, newest first in the list. Each is kept for ever."""

    def __init__(self, *, account_sid: str, clock: Callable[[], datetime]) -> None:
        self.store = Store(MONITOR_EVENT, account_sid=account_sid, clock=clock, limit=0)
        self._account_sid = account_sid
        self._numbers = count(1)

    def add(self, resource_sid: str, verb: str, **fields: Any) -> str:
        """Add an event about a flow that a user changed in the Console, and return its SID.

        `verb` is created, updated or deleted. `fields` replace fields of the event.
        """
        sid = make_sid("AE", f"{self._account_sid} {next(self._numbers)}")
        self.store.add({**self._build(sid, resource_sid, verb), **fields})
        return sid

    def _build(self, sid: str, resource_sid: str, verb: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "account_sid": self._account_sid,
            "actor_sid": CONSOLE_USER_SID,
            "actor_type": "user",
            "source": "web",
            "source_ip_address": CONSOLE_ADDRESS,
            "event_type": f"flex-flow.{verb}",
            "resource_type": "flex-flow",
            "resource_sid": resource_sid,
            "event_date": self.store.timestamp(),
            "description": None,
            "event_data": {"resource_properties": {"webhook_token": {"updated": SECRET}}},
            "links": {},
        }
