"""The Flex configuration of a fictional company, with fields that this site doesn't know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flows.twilio.sandbox.named_bodies import SECRET, make_sid
from flows.twilio.sandbox.rules import format_timestamp
from flows.twilio.sandbox.seed import DEMO_SIDS

if TYPE_CHECKING:
    from flows.twilio.sandbox.rules import Body

AGE = timedelta(days=400)


def make_configuration(account_sid: str, end_time: datetime, flows: Mapping[str, Body]) -> Body:
    """Return the configuration of an account, with the targets that most of its flows have."""

    def most_common(name: str) -> str:
        values = Counter(flow[name] for flow in flows.values() if flow.get(name))
        return values.most_common(1)[0][0] if values else DEMO_SIDS[name]

    return {
        "sid": account_sid,
        "account_sid": account_sid,
        "status": "ok",
        "flex_instance_sid": make_sid("GO", account_sid),
        "flex_url": None,
        "runtime_domain": "https://example-care-1234.twil.io",
        "service_version": "1.42.0",
        "ui_version": "~2.5.0",
        "ui_language": "en-US",
        "ui_attributes": {
            "custom_data": {"greeting": "Example Care", "features": {"callbacks": True}},
            "theme": {"isLight": True},
        },
        "ui_dependencies": {"react": "16.13.1", "react-dom": "16.13.1"},
        "attributes": {"region": "eu"},
        "public_attributes": {},
        "taskrouter_workspace_sid": most_common("integration_workspace_sid"),
        "taskrouter_target_workflow_sid": most_common("integration_workflow_sid"),
        "taskrouter_target_taskqueue_sid": make_sid("WQ", account_sid),
        "taskrouter_offline_activity_sid": make_sid("WA", account_sid),
        "taskrouter_skills": [
            {"name": "French", "multivalue": False, "minimum": None, "maximum": None},
            {"name": "Claims", "multivalue": False, "minimum": None, "maximum": None},
        ],
        "taskrouter_worker_channels": {
            "agent": [{"name": "chat", "availability": True, "capacity": 3}]
        },
        "taskrouter_worker_attributes": {},
        "messaging_service_instance_sid": make_sid("MG", account_sid),
        "chat_service_instance_sid": most_common("chat_service_sid"),
        "flex_service_instance_sid": make_sid("IS", f"{account_sid} flex"),
        "call_recording_enabled": False,
        "call_recording_webhook_url": None,
        "crm_enabled": True,
        "crm_type": "iframe",
        "crm_callback_url": "https://crm.example.com/flex",
        "crm_fallback_url": None,
        "crm_attributes": {"tenant": "example-care", "api_token": SECRET},
        "plugin_service_enabled": True,
        "plugin_service_attributes": {},
        "integrations": [],
        "outbound_call_flows": {
            "default": {
                "caller_id": "+12065550100",
                "queue_sid": make_sid("WQ", account_sid),
                "workflow_sid": make_sid("WW", account_sid),
                "location": "EU",
            }
        },
        "queue_stats_configuration": {},
        "notifications": {"enabled": True, "mode": "always"},
        "markdown": {"enabled": True, "mode": "readWrite"},
        "channel_configs": [],
        "offline_config": {},
        "flex_insights_hr": {},
        "serverless_service_sids": [],
        "date_created": format_timestamp(end_time - AGE),
        "date_updated": format_timestamp(end_time - AGE / 2),
    }
