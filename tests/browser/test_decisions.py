"""Pages about unknown outcomes and refused reads, in every look: accessible and not too wide."""

import contextlib

import pytest

from flows.audit.models import OpenChange
from flows.availability import restrictions
from flows.changes import reconcile
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.faults.acting import NEW_FLOW, OMAR, create_flow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def lost_creation(sandbox, **values):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    return create_flow(values=values).event


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, flow_sid, scheme, width):
    decided = lost_creation(sandbox)
    (created_sid,) = (sid for sid in sandbox.flows if sid != flow_sid)
    sandbox.add_flow(**{name: value for name, value in NEW_FLOW.items() if value is not None})
    reconcile.reconcile()
    change = OpenChange.objects.select_related("attempt__payload").get()
    reconcile.resolve_manually(
        change=change, applied=True, sid=created_sid, reason="The Console's log", actor=OMAR
    )
    undecided = lost_creation(sandbox, friendly_name="Lost", contact_identity="+99")
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", times=None, status=403, code=20003))
    with contextlib.suppress(FlexError):
        reconcile.reconcile()
    restrictions.record_response(ACCOUNT, "fetch", RequestRefused(status=403, code=20003))
    paths = {
        "decided": f"/audit/{decided.event_id}/",
        "undecided, nothing can be read": f"/audit/{undecided.event_id}/",
        "form that could not be sent": f"/flows/{flow_sid}/edit/",
        "flow that Twilio does not show": f"/flows/{flow_sid}/",
        "list without actions": "/flows/",
        "overview with restrictions": "/",
    }
    page = open_page("admin", scheme=scheme, width=width)
    findings = {}
    for name, path in paths.items():
        page.goto(path)
        findings[name] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
