"""The response to an action that the audit log could not record."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from flexadmin.http.middleware import NotRecordedMiddleware
from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.audit.views.unrecorded import NotRecordedPage, page_if_unrecorded
from tests.faults.acting import received_writes


def fail(**_fields):
    raise NotRecorded("full")


@pytest.mark.django_db
def test_denial_that_cannot_be_recorded_is_503_and_keeps_the_input(
    client_of, sandbox, flow_sid, monkeypatch
):
    client = client_of("viewer")
    events = AuditEvent.objects.count()
    monkeypatch.setattr(audit_log, "append", fail)

    response = client.post(f"/flows/{flow_sid}/edit/", {"friendly_name": "Typed by hand"})

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    page = response.content.decode()
    assert "Couldn’t write to the audit log" in page
    assert 'value="Typed by hand"' in page
    assert received_writes(sandbox) == []
    assert AuditEvent.objects.count() == events


def test_page_of_a_view_takes_the_place_of_the_general_one():
    own_page = HttpResponse("the form again", status=503)
    middleware = NotRecordedMiddleware(lambda _request: HttpResponse())

    with pytest.raises(NotRecordedPage) as raised, page_if_unrecorded(lambda: own_page):
        fail()

    request = RequestFactory().post("/")
    assert middleware.process_exception(request, raised.value) is own_page


def test_other_errors_are_left_alone():
    middleware = NotRecordedMiddleware(lambda _request: HttpResponse())

    assert middleware.process_exception(RequestFactory().get("/"), ValueError()) is None
