"""Changes that Twilio refuses: the event in the log, and the page."""

import pytest

from flows.audit.models import OpenChange
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import (
    VERBS,
    applied_writes,
    create_flow,
    delete_flow,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = {create_flow: "POST", rename_flow: "POST", switch_flow: "POST", delete_flow: "DELETE"}
every_verb = pytest.mark.parametrize("act", VERBS.values(), ids=VERBS)


def answer_with(sandbox, act, kind, **fault_options):
    sandbox.inject(Fault(kind, method=METHODS[act], times=None, **fault_options))


@every_verb
@pytest.mark.parametrize(
    ("status", "code"),
    [(405, 20004), (410, 20410), (412, 20001), (413, 20001), (415, 20001), (422, 45008)],
)
def test_refusal_in_twilios_words_is_failed_with_its_code(
    sandbox, flow_sid, client_of, act, status, code
):
    answer_with(sandbox, act, FaultKind.REFUSE, status=status, code=code, message="Not like this")

    event = act(flow_sid).event

    assert (event.result, event.remote_status, event.remote_code) == ("failed", status, code)
    assert event.payload.message == "Not like this"
    assert not OpenChange.objects.exists()
    page = client_of("viewer").get(f"/audit/{event.event_id}/").content.decode()
    assert str(code) in page
    assert "Not like this" in page


@every_verb
def test_flow_can_be_changed_again_after_it(sandbox, flow_sid, act):
    answer_with(sandbox, act, FaultKind.REFUSE, status=422, code=45008)
    act(flow_sid)
    sandbox.clear_faults()

    assert rename_flow(flow_sid).event.result == "succeeded"


@every_verb
@pytest.mark.parametrize("status", [405, 410, 412, 413, 414, 415, 422])
def test_gateway_does_not_speak_for_twilio(sandbox, flow_sid, act, status):
    answer_with(sandbox, act, FaultKind.HTML, status=status)

    event = act(flow_sid).event

    assert (event.result, event.remote_status, event.remote_code) == ("unknown", status, None)
    assert event.payload.message == f"Twilio answered with status {status}"
    assert OpenChange.objects.count() == 1


@every_verb
@pytest.mark.parametrize(("status", "code"), [(500, 20500), (503, 20503), (408, 45005)])
def test_unknown_outcome_keeps_the_status_the_code_and_the_words_that_came(
    sandbox, flow_sid, client_of, act, status, code
):
    answer_with(sandbox, act, FaultKind.REFUSE, status=status, code=code, message="Try me later")

    event = act(flow_sid).event

    assert (event.result, event.remote_status, event.remote_code) == ("unknown", status, code)
    assert event.payload.message == "Try me later"
    page = client_of("viewer").get(f"/audit/{event.event_id}/").content.decode()
    assert str(code) in page
    assert "Try me later" in page


@pytest.mark.parametrize("status", [200, 202, 203])
def test_deletion_that_is_only_accepted_is_unknown(sandbox, flow_sid, status):
    answer_with(sandbox, delete_flow, FaultKind.EMPTY, status=status)

    event = delete_flow(flow_sid).event

    assert (event.result, event.remote_status) == ("unknown", status)
    assert Flow.objects.get().gone_at is None


@pytest.mark.parametrize("act", [create_flow, rename_flow, switch_flow])
@pytest.mark.parametrize("status", [202, 204, 206])
def test_change_that_is_only_accepted_is_unknown(sandbox, flow_sid, act, status):
    answer_with(sandbox, act, FaultKind.EMPTY, status=status)

    event = act(flow_sid).event

    assert (event.result, event.remote_status, len(applied_writes(sandbox))) == (
        "unknown",
        status,
        1,
    )
    assert OpenChange.objects.count() == 1
