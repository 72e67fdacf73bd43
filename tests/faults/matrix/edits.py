"""Random changes of an operator: new flows, edits of each kind, and initial flows."""

from __future__ import annotations

import random
from typing import Any

from flows.twilio.flex.flex_flow import FLEX_FLOW, INTEGRATION_TYPES

CHANNELS = ("sms", "whatsapp", "facebook", "line", "custom")
NAMES = (
    "Störungsmeldung Köln",
    "Réclamations Lyon",
    "予約 東京",
    "Lost & found",
    "Billing #2",
    "Café ‘Ñandú’",
)


class FlowGenerator:
    """Generator of flows and edits for one run. `token` makes names and identities unique."""

    def __init__(self, chance: random.Random, token: str) -> None:
        self.chance, self.token = chance, token

    def flow(self) -> dict[str, Any]:
        """Return a flow as a form creates it."""
        kind = self.chance.choice(list(INTEGRATION_TYPES))
        values = {
            "friendly_name": self.name(),
            "chat_service_sid": self._sid("IS"),
            "channel_type": self.chance.choice(CHANNELS),
            "contact_identity": self.identity(),
            "enabled": self.chance.random() < 0.5,
            "long_lived": self.chance.choice([None, True, False]),
        }
        return values | {"integration_type": kind} | self.integration(kind)

    def edit(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return one edit of a flow, or two at once. Each of them changes something."""
        kind = str(before["integration_type"])
        other = self.chance.choice([name for name in INTEGRATION_TYPES if name != kind])
        edits: list[dict[str, Any]] = [
            {"friendly_name": self.name()},
            {"contact_identity": self.identity()},
            {"contact_identity": None},
            {"long_lived": not before.get("long_lived")},
            {"chat_service_sid": self._sid("IS")},
            {"integration_type": other, **self.integration(other)},
            self.integration(kind),
        ]
        one, another = self.chance.sample(edits, 2)
        both_of_integration = all(self._is_of_integration(edit) for edit in (one, another))
        return one | another if self.chance.random() < 0.3 and not both_of_integration else one

    def name(self) -> str:
        return f"{self.chance.choice(NAMES)} {self.token}-{self.chance.randrange(10**6)}"

    def identity(self) -> str:
        return f"+1555{self.chance.randrange(10**12):012}"

    def integration(self, kind: str) -> dict[str, Any]:
        """Return fields of an integration of this type."""
        if kind == "studio":
            return {
                "integration_flow_sid": self._sid("FW"),
                "integration_retry_count": self.chance.randrange(3),
            }
        if kind == "external":
            secret = f"{self.chance.getrandbits(64):016x}"
            host = self.chance.choice(["hooks.example.com", f"twilio:{secret}@hooks.example.com"])
            return {"integration_url": f"https://{host}/in?team=care&token={secret}"}
        return {
            "integration_workspace_sid": self._sid("WS"),
            "integration_workflow_sid": self._sid("WW"),
            "integration_channel": self.chance.choice(["default", "sms", "chat"]),
            "integration_priority": self.chance.randrange(1, 100),
        }

    @staticmethod
    def _is_of_integration(edit: dict[str, Any]) -> bool:
        return any(FLEX_FLOW.by_name[name].is_nested for name in edit)

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self.chance.getrandbits(128):032x}"
