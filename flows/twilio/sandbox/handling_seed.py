"""Who answers messages to the seeded numbers and senders: mostly Flex Proxy, and some have a flaw.

Positions are those of the numbers and of the senders among themselves. Most tests use the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.twilio.sandbox.named_bodies import DEAD_URL, HOOK_URL, make_sid

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVAL = 20  # each flaw is at one number in so many
OWN_URL_POSITION = 3
NO_URL_POSITION = 9
APPLICATION_POSITION = 14
OWN_WEBHOOK_POSITION = 2  # of senders


@dataclass(frozen=True, slots=True)
class ServiceSeed:
    """A Messaging Service, and the positions of its numbers and senders."""

    name: str
    inbound_url: str | None
    uses_number_webhook: bool
    number_position: int
    sender_position: int | None = None


MESSAGING_SERVICES = (
    ServiceSeed("Customer notifications", HOOK_URL, False, 5),
    ServiceSeed("Marketing sender pool", None, True, 11),
    ServiceSeed("Low-volume mixed", DEAD_URL, True, 17, sender_position=4),
)


def sms_handler(position: int, proxy_url: str) -> tuple[str, str]:
    """Return the URL and the application that answer an SMS to the number at this position."""
    turn = position % INTERVAL
    sms_url = {OWN_URL_POSITION: HOOK_URL, NO_URL_POSITION: ""}.get(turn, proxy_url)
    application_sid = make_sid("AP", "Auto reply") if turn == APPLICATION_POSITION else ""
    return sms_url, application_sid


def sender_webhook(position: int, proxy_url: str) -> str:
    return HOOK_URL if position % INTERVAL == OWN_WEBHOOK_POSITION else proxy_url


def members_at(position: int | None, references: Sequence[str]) -> list[str]:
    """Return the numbers or senders of a service that has those at this position."""
    return [] if position is None else list(references[position::INTERVAL])
