"""Two accounts with flows: production, which flows are copied from, and staging, and their names."""

from types import SimpleNamespace

from django.utils import timezone

from flows.core.normalization import normalize_text
from flows.mirror.sync import sync_account
from flows.names.models import NameReading, ResourceName
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE
from tests import ACCOUNT

STUDIO, SERVICE = "FW" + "1" * 32, "IS" + "1" * 32
STAGING_STUDIO, STAGING_SERVICE = "FW" + "e" * 32, "IS" + "e" * 32
URL = "/flows/history/copy/"
BASE = {
    "channel_type": "sms",
    "chat_service_sid": SERVICE,
    "enabled": True,
    "integration_type": "studio",
    "integration_flow_sid": STUDIO,
    "integration_retry_count": 3,
}


def name_object(account_sid, sid, name, resource=STUDIO_FLOW, parent_sid="", gone_at=None):
    ResourceName.objects.create(
        account_sid=account_sid,
        sid=sid,
        resource=resource.name,
        name=name,
        name_folded=normalize_text(name),
        parent_sid=parent_sid,
        gone_at=gone_at,
        changed_at=timezone.now(),
    )


def mark_as_read(account_sid, *resources):
    """Let the names of these resources be read completely."""
    for resource in resources or (STUDIO_FLOW, WORKSPACE, WORKFLOW, TASK_CHANNEL):
        NameReading.objects.create(
            account_sid=account_sid, resource=resource.name, read_at=timezone.now()
        )


def add_flows(sandbox, staging):
    """Add two flows to production, one of which staging has with another retry count."""
    left = [
        sandbox.add_flow(**BASE, friendly_name="Bookings", contact_identity="+33199000101"),
        sandbox.add_flow(**BASE, friendly_name="Returns", contact_identity="+33199000102"),
    ]
    fields = {**BASE, "chat_service_sid": STAGING_SERVICE, "integration_flow_sid": STAGING_STUDIO}
    fields |= {"integration_retry_count": 1}
    right = staging.add_flow(**fields, friendly_name="Returns", contact_identity="+33199000902")
    sync_both(staging)
    return SimpleNamespace(
        production=sandbox,
        staging=staging,
        target=staging.account_sid,
        sids=left,
        counterpart=right,
        query={"left": ACCOUNT, "right": staging.account_sid, "flow": left},
        data={
            "left": ACCOUNT,
            "right": staging.account_sid,
            "flow": left,
            f"sid_{STUDIO}": STAGING_STUDIO,
            f"sid_{SERVICE}": STAGING_SERVICE,
            "turned_off": "on",
        },
    )


def sync_both(staging):
    sync_account(ACCOUNT)
    sync_account(staging.account_sid)


def compare(client, staging, **parameters):
    """Return the pairs of the comparison of both accounts that differ."""
    query = {"compare": "accounts", "left": ACCOUNT, "right": staging.account_sid, **parameters}
    page = client.get("/flows/history/compare/", query)
    return {
        row.pair.label: (row.pair.result, row.pair.different_names) for row in page.context["rows"]
    }
