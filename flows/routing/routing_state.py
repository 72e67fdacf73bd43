"""An account as routing sees it: its flows, numbers, senders and addresses, and what wasn't read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flows.checks.account_rules import AccountState
from flows.names.handling import Surroundings


@dataclass(frozen=True, slots=True)
class Address:
    """An Address Configuration: what Conversations does with a new message to an address.

    `kind` is its type, such as "sms". `integration` is "studio", "webhook" or "default". A host
    stands for a webhook, because the rest of its URL can hold secrets. `is_on` says that it creates
    conversations.
    """

    sid: str
    kind: str
    address: str
    name: str
    is_on: bool
    integration: str = ""
    studio_flow_sid: str = ""
    webhook_host: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoutingState:
    """All that could answer a message in one account.

    `open_changes` are the SIDs of flows with a change whose outcome isn't known. `is_mirror_complete`
    is False if not every flow was compared with Twilio by the last sync.
    """

    account: AccountState
    surroundings: Surroundings = field(default_factory=Surroundings)
    addresses: Mapping[str, Address] = field(default_factory=dict)
    open_changes: Collection[str] = ()
    is_mirror_complete: bool = True

    def is_read(self, resource: str) -> bool:
        """Return True if all objects of a resource, by its name, were read."""
        return resource in self.account.complete
