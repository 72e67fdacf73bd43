"""The mirror: flows fetched one by one."""

import pytest

from flows.mirror import flow_rows, mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    clock_ahead,
    failing_inserts,
)

pytestmark = pytest.mark.django_db


def test_fetch_stores_the_flow(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    sandbox.add_flow(**{**was, "friendly_name": "Newer"})

    with clock_ahead():
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert (Flow.objects.get().friendly_name, Flow.objects.get().gone_at) == ("Newer", None)


def test_fetch_of_a_deleted_flow_marks_it_deleted(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    gone_at = Flow.objects.get().gone_at
    assert gone_at is not None
    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)
    assert Flow.objects.get().gone_at == gone_at


@pytest.mark.parametrize("fault", [
    Fault(FaultKind.REFUSE, status=404, code=20003),
    Fault(FaultKind.REFUSE, status=403, code=20404),
    Fault(FaultKind.HTML, status=404),
    Fault(FaultKind.SERVER_ERROR, times=None),
], ids=["another code", "another status", "a proxy's 404", "an error"])  # fmt: skip
def test_fetch_that_fails_for_another_reason_marks_nothing(sandbox, flow_sid, hurry, fault):
    sandbox.inject(fault)

    with pytest.raises(FlexError):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert Flow.objects.get().gone_at is None


@pytest.mark.django_db(transaction=True)
def test_fetch_returns_the_flow_though_the_mirror_cannot_be_written(sandbox, flow_sid, caplog):
    sandbox.edit_flow(flow_sid, friendly_name="Newer")

    with failing_inserts("flows_flow"):
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert "the mirror could not store" in caplog.text
    assert Flow.objects.get().friendly_name == "Réclamations Lyon"


def test_fetch_returns_a_flow_that_the_mirror_cannot_process(sandbox, flow_sid, monkeypatch):
    monkeypatch.setattr(flow_rows, "normalize_text", lambda text: 1 / 0)

    assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["sid"] == flow_sid
