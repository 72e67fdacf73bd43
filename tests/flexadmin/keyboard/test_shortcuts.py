"""The list of shortcuts agrees with the scripts, and a browser remembers whether single keys are on."""

import re

import pytest
from django.conf import settings as django_settings

from flexadmin.keyboard.shortcuts import COOKIE_NAME, SHORTCUTS

pytestmark = pytest.mark.django_db
SCRIPT = (django_settings.BASE_DIR / "static" / "keyboard.js").read_text()
ALL_SHORTCUTS = [shortcut for section in SHORTCUTS.values() for shortcut in section]


def keys_of_script(name):
    """Return the keys of an object in the script."""
    body = re.search(rf"const {name} = \{{(.*?)\}};", SCRIPT, re.DOTALL)[1]
    return set(re.findall(r'(?:^|[\s,])"?([a-z/?])"?: ', body))


@pytest.mark.quick
def test_single_keys_are_those_of_the_script():
    single = [shortcut for shortcut in ALL_SHORTCUTS if shortcut.is_single_key]

    assert {one.keys[0] for one in single if not one.next_key} == keys_of_script("actions")
    assert {one.next_key for one in single if one.next_key} == keys_of_script("addresses")
    assert all(one.keys == ("g",) for one in single if one.next_key)


def test_page_lists_every_shortcut(client_of):
    html = client_of("viewer").get("/shortcuts/").content.decode()

    assert [one.label for one in ALL_SHORTCUTS if one.label not in html] == []
    assert html.count("<kbd>") >= sum(len(one.keys) for one in ALL_SHORTCUTS)


def test_dialog_gets_the_list_alone(client_of):
    response = client_of("viewer").get("/shortcuts/", headers={"HX-Request": "true"})

    assert "<html" not in response.content.decode()
    assert 'id="dialog-title"' in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_single_keys_are_turned_off_in_this_browser_and_on_again(client_of):
    client = client_of("viewer")
    assert "data-single-keys" not in client.get("/flows/").content.decode()

    response = client.post("/shortcuts/", {})

    assert response.url == "/shortcuts/"
    assert response.cookies[COOKIE_NAME]["httponly"]
    assert response.cookies[COOKIE_NAME]["max-age"] > 0
    assert 'data-single-keys="off"' in client.get("/flows/").content.decode()
    assert "(off)" in client.get("/shortcuts/").content.decode()
    client.post("/shortcuts/", {"single_keys": "on"})
    assert "data-single-keys" not in client.get("/flows/").content.decode()


def test_cookie_needs_https_where_the_site_does(client_of, settings):
    settings.SESSION_COOKIE_SECURE = True

    response = client_of("viewer").post("/shortcuts/", {})

    assert response.cookies[COOKIE_NAME]["secure"]
