"""Rescue of a form after a failure of the site or its database."""

import pytest

from flexadmin.http import form_rescue
from flows.changes.views import responses
from tests.conftest import form_data
from tests.faults.acting import received_writes
from tests.flexadmin.http.rescued_forms import (
    CROSS_SITE,
    SAME_ORIGIN,
    Forms,
    assert_restored_and_saved_once,
    each_form,
    fill_in,
    form_with,
    post_after_expiry,
    sign_in,
    unreachable_database,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of):
    client = client_of("operator")
    client.raise_request_exception = False
    return client


@each_form
def test_form_comes_back_from_a_failure_before_it_was_sent(
    client, sandbox, flow_sid, monkeypatch, view
):
    path, form = fill_in(client, view, flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses, "get_actor", None)
        failed = client.post(path, form, headers=SAME_ORIGIN)

    assert failed.status_code == 500
    assert "the change may have been sent" in squeezed(failed.content.decode())
    assert_restored_and_saved_once(client, failed, path, form, sandbox)


def test_form_sent_again_after_a_failure_shows_the_outcome(client, sandbox, flow_sid, monkeypatch):
    path, form = fill_in(client, "flows:edit", flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses.ChangeResponder, "_success_response", None)
        failed = client.post(path, form, headers=SAME_ORIGIN)

    back = client.post(*form_with(failed, "edit_again"))
    page = client.post(path, form_data(back), follow=True)

    assert failed.status_code == 500
    assert "This change was already saved." in page.content.decode()
    assert len(received_writes(sandbox)) == 1


def test_rescued_deletion_shows_that_the_flow_is_deleted(client, sandbox, flow_sid, monkeypatch):
    path, form = fill_in(client, "flows:delete", flow_sid)
    with monkeypatch.context() as broken:
        broken.setattr(responses.ChangeResponder, "_success_response", None)
        failed = client.post(path, form, headers=SAME_ORIGIN)

    action, fields = form_with(failed, "edit_again")
    page = client.post(action, fields, follow=True)

    assert "This flow was deleted at Twilio." in page.content.decode()
    assert len(received_writes(sandbox)) == 1


def test_failed_request_of_another_origin_is_not_rescued(client, flow_sid, monkeypatch):
    path, form = fill_in(client, "flows:edit", flow_sid)
    monkeypatch.setattr(responses, "get_actor", None)

    failed = client.post(path, {**form, "friendly_name": "canary-name"}, headers=CROSS_SITE)

    assert failed.status_code == 500
    assert form_with(failed, "edit_again") is None
    assert "canary-name" not in failed.content.decode()


def test_error_page_is_rendered_without_the_form_if_that_fails(client, flow_sid, monkeypatch):
    path, form = fill_in(client, "flows:edit", flow_sid)
    monkeypatch.setattr(responses, "get_actor", None)
    monkeypatch.setattr(form_rescue, "get_token", None)

    failed = client.post(path, form, headers=SAME_ORIGIN)

    assert failed.status_code == 500
    assert "Something went wrong on our side" in failed.content.decode()
    assert form_with(failed, "edit_again") is None


def test_error_page_of_a_get_offers_no_form(client, monkeypatch):
    monkeypatch.setattr("flexadmin.http.context_processors.get_role", None)

    failed = client.get("/flows/", headers=SAME_ORIGIN)

    assert failed.status_code == 500
    assert Forms(failed).forms == []


@pytest.mark.django_db(transaction=True)
@each_form
def test_form_comes_back_once_the_database_is_reachable(client, sandbox, flow_sid, tmp_path, view):
    path, form = fill_in(client, view, flow_sid)
    with unreachable_database(tmp_path):
        refused = client.post(path, form, headers=SAME_ORIGIN)
        too_early = client.post(*form_with(refused, "edit_again"), headers=SAME_ORIGIN)

    assert (refused.status_code, too_early.status_code) == (503, 503)
    assert "The database is unavailable" in too_early.content.decode()
    assert str(Forms(too_early).forms).count("edit_again") == 1
    assert_restored_and_saved_once(client, too_early, path, form, sandbox)


@pytest.mark.django_db(transaction=True)
def test_sign_in_during_a_database_failure_keeps_the_form(client, sandbox, flow_sid, tmp_path):
    sign_in_page, path, form = post_after_expiry(client, "flows:edit", flow_sid)
    with unreachable_database(tmp_path):
        refused = sign_in(client, sign_in_page)

    sign_in_page = client.post(*form_with(refused, "edit_again"))

    assert (refused.status_code, sign_in_page.status_code) == (503, 401)
    assert_restored_and_saved_once(client, sign_in(client, sign_in_page), path, form, sandbox)
