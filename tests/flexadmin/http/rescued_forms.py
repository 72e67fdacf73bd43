"""Helpers of the tests of the form rescue: forms of pages, and a form that comes back."""

from html.parser import HTMLParser

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from tests.conftest import form_data
from tests.faults.acting import own_events, own_stages, received_writes
from tests.faults.test_database import connected

NAME = "Réclamations Lyon"
INPUT_BY_VIEW = {
    "flows:new": ("new/", {"friendly_name": 'Neu <b>&"', "channel_type": "web", "chat_service_sid": "IS" + "2" * 32}),
    "flows:edit": ("{sid}/edit/", {"friendly_name": "Plaintes Lyon", "integration_retry_count": "1"}),
    "flows:enabled": ("{sid}/enabled/", {"enabled": "false"}),
    "flows:delete": ("{sid}/delete/", {"confirm_name": NAME}),
}  # fmt: skip
SAME_ORIGIN, CROSS_SITE = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
each_form = pytest.mark.parametrize("view", INPUT_BY_VIEW)


class Forms(HTMLParser):
    """The forms of a page as (URL, [(name, value)]), including the names of buttons."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page.content.decode())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append((attributes.get("action", ""), []))
        elif tag in ("input", "button") and attributes.get("name") and self.forms:
            self.forms[-1][1].append((attributes["name"], attributes.get("value") or ""))


def form_with(page, name):
    """Return the form that has a field of this name, or None."""
    forms = [(action, dict(fields)) for action, fields in Forms(page).forms if name in dict(fields)]
    return forms[0] if forms else None


def fill_in(client, view, sid):
    """Return the path of a form, and its fields with what the user entered."""
    page, values = INPUT_BY_VIEW[view]
    path = "/flows/" + page.format(sid=sid)
    return path, {**form_data(client.get(path)), **values, "reason": "because of the weather"}


def sign_in(client, page, name="operator", **changes):
    """Submit the sign-in form of a page."""
    _, fields = form_with(page, "password")
    return client.post(
        "/login/",
        {**fields, "username": name, "password": f"{name}-password", **changes},
        headers=SAME_ORIGIN,
    )


def post_after_expiry(client, view, sid, **changes):
    """Post a form after its session has expired. Return the response and the form."""
    path, form = fill_in(client, view, sid)
    Session.objects.all().delete()
    return client.post(path, {**form, **changes}), path, form


def assert_restored_and_saved_once(client, page, path, form, sandbox):
    """Go back to the form with one button, which sends nothing; then send the form once."""
    action, fields = form_with(page, "edit_again")
    back = client.post(action, fields)

    assert action == path
    assert back.status_code == 200
    assert form.items() <= form_data(back).items()
    assert not back.context["form"].errors
    assert received_writes(sandbox) == []
    assert client.post(path, form_data(back)).status_code == 302
    assert len(received_writes(sandbox)) == 1
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert {str(event.change_id) for event in own_events()} == {form["change_id"]}


def unreachable_database(tmp_path):
    """Make the database unreachable_database, so that not even the user can be loaded."""
    if connection.vendor == "sqlite":
        return connected(NAME=str(tmp_path / "missing" / "database"))
    return connected(HOST="127.0.0.1", PORT="9")
