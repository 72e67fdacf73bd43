"""Objects of the other products as Twilio sends them, with the fields that this site must not keep.

Every secret is fictional.
"""

from __future__ import annotations

import random
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from flows.twilio.sandbox.rules import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flows.twilio.sandbox.rules import Body

SECRET = "made-up-secret-4d7e"  # noqa: S105  # in every address and code that is not to be kept
HOOK_URL = f"https://twilio:{SECRET}@hooks.example.com/twilio"

DEAD_URL = "https://old-bot.example.net/inbound"
OFFLINE_REASON = {
    "code": 63_020,
    "message": "The business account has been locked",
    "more_info": "https://www.twilio.com/docs/errors/63020",
}


def make_sid(prefix: str, text: str) -> str:
    """Return the same SID for the same text."""
    generator = random.Random(f"{prefix} {text}")  # noqa: S311 - not a secret
    return f"{prefix}{generator.getrandbits(128):032x}"


class BodyFactory:
    """Makes the objects of one account. All of them were created and last changed at one time."""

    def __init__(self, account_sid: str, changed_at: datetime) -> None:
        self._account_sid = account_sid
        self._changed_at = changed_at

    def studio_flow(
        self, sid: str, name: str, *, is_draft: bool, revision: int, definition: Body
    ) -> Body:
        return self._common(sid, name) | {
            "author_sid": None,
            "definition": definition,
            "status": "draft" if is_draft else "published",
            "revision": revision,
            "commit_message": None,
            "valid": True,
            "errors": [],
            "warnings": [],
            "webhook_url": f"https://webhooks.example.com/{sid}",
            "links": {},
        }

    def workspace(self, sid: str, name: str) -> Body:
        return self._common(sid, name) | {
            "default_activity_name": "Offline",
            "default_activity_sid": make_sid("WA", sid),
            "event_callback_url": HOOK_URL,
            "events_filter": None,
            "multi_task_enabled": True,
            "prioritize_queue_order": "FIFO",
            "timeout_activity_name": "Offline",
            "timeout_activity_sid": make_sid("WA", sid),
            "links": {},
        }

    def workflow(self, sid: str, name: str, workspace_sid: str) -> Body:
        return self._common(sid, name) | {
            "workspace_sid": workspace_sid,
            "assignment_callback_url": HOOK_URL,
            "fallback_assignment_callback_url": None,
            "configuration": '{"task_routing": {"filters": []}}',
            "document_content_type": "application/json",
            "task_reservation_timeout": 120,
            "links": {},
        }

    def task_channel(self, unique_name: str, name: str, workspace_sid: str) -> Body:
        sid = make_sid("TC", f"{workspace_sid} {unique_name}")
        return self._common(sid, name) | {
            "workspace_sid": workspace_sid,
            "unique_name": unique_name,
            "channel_optimized_routing": True,
            "links": {},
        }

    def conversation_service(self, sid: str, name: str) -> Body:
        return self._common(sid, name) | {"links": {}}

    def chat_service(self, sid: str, name: str) -> Body:
        return self._common(sid, name) | {
            "post_webhook_url": HOOK_URL,
            "pre_webhook_url": None,
            "webhook_method": "POST",
            "webhook_filters": ["onMessageSent"],
            "limits": {"user_channels": 250, "channel_members": 100},
            "links": {},
        }

    def messaging_service(
        self, name: str, inbound_url: str | None, *, uses_number_webhook: bool
    ) -> Body:
        return self._common(make_sid("MG", name), name) | {
            "inbound_request_url": inbound_url,
            "inbound_method": "POST",
            "fallback_url": None,
            "status_callback": None,
            "use_inbound_webhook_on_number": uses_number_webhook,
            "usecase": "undeclared",
            "links": {},
        }

    def service_number(self, number: str, service_sid: str) -> Body:
        return self._member(make_sid("PN", number), service_sid) | {
            "phone_number": number,
            "country_code": "US",
            "capabilities": ["SMS", "Voice"],
        }

    def service_sender(self, sender_id: str, service_sid: str) -> Body:
        return self._member(make_sid("XE", sender_id), service_sid) | {
            "sender": sender_id,
            "sender_type": "WhatsApp",
            "country_code": "US",
        }

    def conversation_configuration(self, chat_service_sid: str) -> Body:
        return {
            "sid": self._account_sid,  # of the sandbox only; Twilio's answer has none
            "account_sid": self._account_sid,
            "default_chat_service_sid": chat_service_sid,
            "default_messaging_service_sid": make_sid("MG", self._account_sid),
            "default_inactive_timer": None,
            "default_closed_timer": None,
            "links": {},
        }

    @property
    def proxy_url(self) -> str:
        """The address of Flex Proxy, which hands messages to Flex Flows."""
        service_sid = make_sid("KS", self._account_sid)
        root = f"https://webhooks.twilio.com/v1/Accounts/{self._account_sid}"
        return f"{root}/Proxy/{service_sid}/Webhooks/Message"

    def phone_number(self, number: str, name: str, sms_url: str, application_sid: str) -> Body:
        return self._common(make_sid("PN", number), name, format_datetime) | {
            "phone_number": number,
            "sms_url": sms_url,
            "sms_method": "POST",
            "sms_application_sid": application_sid,
            "voice_url": "",
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
            "status": "in-use",
            "origin": "twilio",
            "beta": False,
            "api_version": "2010-04-01",
        }

    def whatsapp_sender(self, sender_id: str, status: str, callback_url: str) -> Body:
        return {
            "sid": make_sid("XE", sender_id),
            "sender_id": sender_id,
            "status": status,
            "configuration": {"waba_id": "100000000000001", "verification_code": SECRET},
            "webhook": {"callback_url": callback_url, "callback_method": "POST"},
            "profile": {"name": "Example Care", "about": None},
            "properties": {"quality_rating": "HIGH", "messaging_limit": "1K Customers/24hr"},
            "offline_reasons": [OFFLINE_REASON] if status == "OFFLINE" else None,
        }

    def _member(self, sid: str, service_sid: str) -> Body:
        date = format_timestamp(self._changed_at)
        return {
            "sid": sid,
            "account_sid": self._account_sid,
            "service_sid": service_sid,
            "date_created": date,
            "date_updated": date,
        }

    def _common(
        self, sid: str, name: str, format_date: Callable[[datetime], str] = format_timestamp
    ) -> dict[str, Any]:
        date = format_date(self._changed_at)
        return {
            "sid": sid,
            "account_sid": self._account_sid,
            "friendly_name": name,
            "date_created": date,
            "date_updated": date,
        }
