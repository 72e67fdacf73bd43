"""Exports that are written at once: a few, so that there are threads for everybody else."""

import gc

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from flows.models import AuditEvent
from flows.services.audit import NotRecorded
from flows.views.downloads import AT_ONCE
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
EXPORT = "/audit/export/"
FORM = {"format": "ndjson", "what": "all", "after": "3"}


def exports():
    return AuditEvent.objects.filter(action="audit.export", result="succeeded").count()


@pytest.fixture
def client(client_of):
    return client_of("auditor")


@pytest.fixture
def busy(client):
    """As many exports as may be are being written."""
    return [client.post(EXPORT, FORM) for _ in range(AT_ONCE)]


def test_one_more_is_refused_and_not_on_record(client, busy):
    answer = client.post(EXPORT, FORM)

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    page = squeezed(answer.content.decode())
    assert "Other exports are running" in page
    assert 'name="after" value="3"' in page
    assert exports() == AT_ONCE


def test_pages_come_all_the_same(client, busy):
    assert client.get(EXPORT).status_code == 200


def test_export_that_is_written_makes_room(client, busy):
    list(busy[0].streaming_content)

    assert client.post(EXPORT, FORM).status_code == 200


@pytest.fixture
def _connection_stays():
    """The database's, which Django gives back at the end of each request."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


@pytest.mark.usefixtures("_connection_stays")
def test_export_that_is_given_up_makes_room_for_one(client, busy):
    busy[0].close()
    busy[0].close()

    answers = [client.post(EXPORT, FORM) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 503]


def test_export_that_is_forgotten_makes_room(client, busy):
    busy.clear()
    gc.collect()

    assert client.post(EXPORT, FORM).status_code == 200


def test_export_that_can_not_be_recorded_keeps_no_place(client, monkeypatch):
    def broken(*_args, **_kwargs):
        raise NotRecorded

    with monkeypatch.context() as patch:
        patch.setattr("flows.services.export.audit.append", broken)
        assert [client.post(EXPORT, FORM).status_code for _ in range(AT_ONCE + 1)] == [503] * (AT_ONCE + 1)

    assert client.post(EXPORT, FORM).status_code == 200
