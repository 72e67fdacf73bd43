"""Recovery codes as a file: only for their user, after the password, and never stored on the way."""

import pytest
from django.test import Client

from tests.flexadmin.signing_in import reauthenticate, set_up_app, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(person):
    person()
    browser = Client()
    sign_in(browser)
    return browser


def test_file_has_the_codes_of_the_page(client):
    set_up_app(client)
    codes = client.get("/people/me/codes/").context["unused_codes"]

    answer = client.get("/people/me/codes/text/")

    text = answer.content.decode()
    assert text.splitlines()[0] == "Recovery codes of operator at testserver"
    assert text.splitlines()[-10:] == codes
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert answer["Cache-Control"] == "no-store"


def test_file_asks_for_the_password_first(client):
    set_up_app(client)
    client.session["account_authentication_methods"] = []
    session = client.session
    session["account_authentication_methods"] = []
    session.save()

    answer = client.get("/people/me/codes/text/")

    assert answer.status_code == 302
    assert "/people/me/confirm/" in answer["Location"]


def test_user_without_codes_has_no_file(client):
    reauthenticate(client, "/people/me/app/add/")

    assert client.get("/people/me/codes/text/").status_code == 404
