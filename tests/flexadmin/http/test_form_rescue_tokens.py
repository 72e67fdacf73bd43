"""Rescue of a form whose CSRF token is older than the last sign-in."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.conftest import form_data
from tests.faults.acting import received_writes
from tests.flexadmin.http.rescued_forms import (
    CROSS_SITE,
    SAME_ORIGIN,
    each_form,
    fill_in,
    form_with,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client_with_old_token(person):
    """A signed-in client whose forms need their token, and the token of the page before it signed in again."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    person("operator")
    old = form_with(client.get("/login/"), "password")[1]["csrfmiddlewaretoken"]
    client.post(
        "/login/",
        {"username": "operator", "password": "operator-password", "csrfmiddlewaretoken": old},
    )
    assert "sessionid" in client.cookies
    return client, old


def test_old_token_does_not_replace_the_form(client_with_old_token, flow_sid):
    client, old = client_with_old_token
    path, form = fill_in(client, "flows:edit", flow_sid)
    stale = {**form, "update_fields": "1", "csrfmiddlewaretoken": old}

    answers = [
        client.post(path, stale, headers={"HX-Request": "true", **origin})
        for origin in (SAME_ORIGIN, CROSS_SITE)
    ]

    assert [answer.status_code for answer in answers] == [401, 403]
    assert answers[0].content == b""


@each_form
def test_form_older_than_the_sign_in_comes_back(client_with_old_token, sandbox, flow_sid, view):
    client, old = client_with_old_token
    path, form = fill_in(client, view, flow_sid)

    refused = client.post(path, {**form, "csrfmiddlewaretoken": old}, headers=SAME_ORIGIN)

    assert refused.status_code == 403
    assert "Nothing was sent." in refused.content.decode()
    action, fields = form_with(refused, "edit_again")
    back = client.post(action, fields)
    assert (back.status_code, action) == (200, path)
    assert form.items() <= form_data(back).items()
    assert received_writes(sandbox) == []


def test_form_older_than_a_sign_out_comes_back_through_the_sign_in(
    client_with_old_token, sandbox, flow_sid
):
    client, old = client_with_old_token
    path, form = fill_in(client, "flows:edit", flow_sid)
    Session.objects.all().delete()

    refused = client.post(path, {**form, "csrfmiddlewaretoken": old}, headers=SAME_ORIGIN)
    sign_in_page = client.post(*form_with(refused, "edit_again"))
    offer = sign_in(client, sign_in_page)
    back = client.post(*form_with(offer, "edit_again"))

    assert (refused.status_code, sign_in_page.status_code) == (403, 401)
    assert form.items() <= form_data(back).items()


def test_sign_in_sent_twice_still_offers_the_form(client_with_old_token, flow_sid):
    """The second page is reloaded, because the first sign-in changed the token."""
    client, _ = client_with_old_token
    path, form = fill_in(client, "flows:edit", flow_sid)
    token = form_with(client.get(path), "friendly_name")[1]["csrfmiddlewaretoken"]
    Session.objects.all().delete()
    sign_in_page = client.post(path, {**form, "csrfmiddlewaretoken": token})

    sign_in(client, sign_in_page)
    twice = sign_in(client, sign_in_page)

    assert twice.status_code == 403
    assert form.items() <= form_data(client.post(*form_with(twice, "edit_again"))).items()


@pytest.mark.parametrize(
    ("headers", "offers"),
    [
        (SAME_ORIGIN, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://testserver", **CROSS_SITE}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_refused_form_is_rescued_only_from_the_same_origin(
    client_with_old_token, flow_sid, headers, offers
):
    client, old = client_with_old_token
    path, form = fill_in(client, "flows:edit", flow_sid)
    canary = {**form, "friendly_name": "canary-name", "csrfmiddlewaretoken": old}

    refused = client.post(path, canary, headers=headers)

    assert refused.status_code == 403
    assert (
        form_with(refused, "edit_again") is not None,
        "canary-name" in refused.content.decode(),
    ) == (
        offers,
        offers,
    )
