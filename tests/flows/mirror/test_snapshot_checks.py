"""The results of the checks that the mirror stores with each flow."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.mirror import snapshot_checks
from flows.mirror.consistency import mirror_columns
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.redaction.redacted import redact_fields
from tests import ACCOUNT

pytestmark = pytest.mark.django_db


def test_result_follows_the_flow(sandbox):
    sid = sandbox.add_flow(channel_type="sms", contact_identity="")

    sync_account(ACCOUNT)
    assert Flow.objects.get(sid=sid).has_warnings is True

    sandbox.edit_flow(sid, contact_identity="+442071838750")
    sync_account(ACCOUNT)
    assert Flow.objects.get(sid=sid).has_warnings is False


def test_migrate_checks_all_flows_again_because_checks_may_have_changed(flow_sid, monkeypatch):
    assert Flow.objects.get(sid=flow_sid).has_warnings is False
    monkeypatch.setattr(
        snapshot_checks, "_checks", [lambda snapshot: [f"{snapshot['sid']} is odd"]]
    )

    call_command("migrate", verbosity=0)

    assert Flow.objects.get(sid=flow_sid).has_warnings is True


def test_migrate_writes_no_flow_that_has_its_result(flow_sid):
    with CaptureQueriesContext(connection) as queries:
        snapshot_checks.check_again(using="default")

    assert [query["sql"] for query in queries if "UPDATE" in query["sql"]] == []


def test_flow_that_a_sync_checked_meanwhile_keeps_its_result(flow_sid, monkeypatch):
    def check(snapshot):
        flow = Flow.objects.get(sid=flow_sid)
        if snapshot["friendly_name"] == "Réclamations Lyon":  # a sync writes another state
            flow.resource = redact_fields({**flow.resource, "friendly_name": "Claims"})
            flow.save(update_fields=["resource"])
            return ["odd"]
        return []

    monkeypatch.setattr(snapshot_checks, "_checks", [check])

    snapshot_checks.check_again(using="default")

    flow = Flow.objects.get(sid=flow_sid)
    assert flow.resource["friendly_name"] == "Claims"
    assert flow.has_warnings is False


@pytest.mark.parametrize("stored", [True, None])
def test_verification_notices_a_wrong_result(flow_sid, stored):
    assert list(mirror_columns()) == []

    Flow.objects.filter(sid=flow_sid).update(has_warnings=stored)

    assert list(mirror_columns()) == [
        f"The mirror's has_warnings of flow {flow_sid} differs from its snapshot."
    ]
