"""Concurrent exports are limited, so that threads are left for other requests."""

import gc

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.audit.views.downloads import MAX_CONCURRENT_DOWNLOADS
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
def running_exports(client):
    """Start as many exports as are allowed."""
    return [client.post(EXPORT, FORM) for _ in range(MAX_CONCURRENT_DOWNLOADS)]


def test_export_beyond_the_limit_is_refused_and_not_logged(client, running_exports):
    response = client.post(EXPORT, FORM)

    assert (response.status_code, response["Retry-After"]) == (503, "30")
    page = squeezed(response.content.decode())
    assert "Other exports are running" in page
    assert 'name="after" value="3"' in page
    assert exports() == MAX_CONCURRENT_DOWNLOADS


def test_pages_work_while_exports_are_running(client, running_exports):
    assert client.get(EXPORT).status_code == 200


def test_finished_export_frees_its_slot(client, running_exports):
    list(running_exports[0].streaming_content)

    assert client.post(EXPORT, FORM).status_code == 200


@pytest.fixture
def _keep_connection():
    """Keep the database connection, which Django would close at the end of each request."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


@pytest.mark.usefixtures("_keep_connection")
def test_cancelled_export_frees_one_slot(client, running_exports):
    running_exports[0].close()
    running_exports[0].close()

    responses = [client.post(EXPORT, FORM) for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 503]


def test_garbage_collected_export_frees_its_slot(client, running_exports):
    running_exports.clear()
    gc.collect()

    assert client.post(EXPORT, FORM).status_code == 200


def test_export_that_cannot_be_recorded_keeps_no_slot(client, monkeypatch):
    def broken(*_args, **_kwargs):
        raise NotRecorded

    with monkeypatch.context() as patch:
        patch.setattr("flows.audit.export.audit_log.LogTransaction.append", broken)
        assert [
            client.post(EXPORT, FORM).status_code for _ in range(MAX_CONCURRENT_DOWNLOADS + 1)
        ] == [503] * (MAX_CONCURRENT_DOWNLOADS + 1)

    assert client.post(EXPORT, FORM).status_code == 200
