"""The headers of every answer: each place, each status, with a deployment's settings over HTTPS."""

import os
import runpy
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError

from flows.audit.audit_log import NotRecorded
from tests.armour.markup import find_inline_code, read_body
from tests.armour.places import METHODS, URL_NAMES, SampleSite, send_form

pytestmark = pytest.mark.django_db
EXPECTED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}
OF_A_DEPLOYMENT = (
    "SECURE_",
    "SESSION_COOKIE_",
    "CSRF_COOKIE_",
    "CSRF_USE_SESSIONS",
    "X_FRAME_",
    "LANGUAGE_COOKIE_",
)


@pytest.fixture
def deployed(settings):
    """What the settings make of HTTPS_ONLY, which the tests' own have off. Each answer sets its cookies."""
    with mock.patch.dict(os.environ, {"HTTPS_ONLY": "true", "DEBUG": "false"}):
        made = runpy.run_path(str(django_settings.BASE_DIR / "flexadmin" / "settings.py"))
    for name, value in made.items():
        if name.startswith(OF_A_DEPLOYMENT):
            setattr(settings, name, value)
    settings.SESSION_SAVE_EVERY_REQUEST = True


def missing(response, *, is_static=False):
    """What an answer lacks of its armour."""
    found = {
        name: response.get(name) for name, value in EXPECTED.items() if response.get(name) != value
    }
    if not is_static and "no-store" not in response.get("Cache-Control", ""):
        found["Cache-Control"] = response.get("Cache-Control")
    for cookie in response.cookies.values():
        if not cookie.value:
            continue  # it is taken away
        lacks = [flag for flag in ("secure", "httponly") if not cookie[flag]]
        lacks += [] if cookie["samesite"] in ("Lax", "Strict") else ["samesite"]
        lacks += ["domain"] if cookie["domain"] else []
        if lacks:
            found[f"cookie {cookie.key}"] = lacks
    if response.get("Content-Type", "").startswith("text/html"):
        found |= dict.fromkeys(find_inline_code(read_body(response).decode()), "inline")
    return found


@pytest.mark.parametrize("name", URL_NAMES)
def test_every_answer_of_every_place_is_armoured(world: SampleSite, deployed, name):
    lacks, cookies = {}, set()
    for who in ("anonymous", "nobody", "admin"):
        for method in METHODS:
            url, data = world.call(name, who)
            response = send_form(world.client(who), method, url, data, secure=True)
            cookies.update(response.cookies)
            if found := missing(response):
                lacks[who, method, response.status_code] = found

    assert lacks == {}
    assert django_settings.SESSION_COOKIE_NAME in cookies or name.startswith("health")


@pytest.mark.quick
def test_every_status_is_armoured(world: SampleSite, deployed):
    admin, sid = world.client("admin"), world.sid
    admin.raise_request_exception = False
    gone = "/flows/FO" + "0" * 32 + "/"
    broken = mock.patch("flows.search.flow_search.run_query", side_effect=RuntimeError)
    locked = mock.patch("flows.search.flow_search.run_query", side_effect=OperationalError)
    no_session = mock.patch(
        "django.contrib.sessions.backends.db.SessionStore.load", side_effect=OperationalError
    )
    no_log = mock.patch("flows.audit.export.start_export", side_effect=NotRecorded("full"))
    too_long = "x" * (django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = "application/x-www-form-urlencoded"

    def during(fault, act):
        with fault:
            return act()

    answers = {
        200: admin.get("/flows/", secure=True),
        301: admin.get("/flows/"),
        302: admin.get("/", secure=True),
        400: admin.get("/flows/?q=%ff", secure=True),
        "400 of another host": admin.get("/flows/", secure=True, headers={"Host": "evil.example"}),
        "400 of another host, without HTTPS": admin.get("/flows/", headers={"Host": "evil.example"}),
        401: world.client("anonymous").post(f"/flows/{sid}/edit/", {"reason": "x"}, secure=True),
        403: world.client("viewer").get("/flows/new/", secure=True),
        "403 of a form without its token": world.client("admin", enforce_csrf_checks=True).post("/flows/new/", secure=True),
        404: admin.get(gone, secure=True),
        "404 of nothing": admin.get("/nowhere/", secure=True),
        "404 of a static file": admin.get("/static/nothing.js", secure=True),
        405: admin.delete("/flows/", secure=True),
        413: admin.post("/flows/new/", too_long, content_type=form, secure=True),
        422: admin.post("/flows/new/", {}, secure=True),
        500: during(broken, lambda: admin.get("/flows/", secure=True)),
        503: during(locked, lambda: admin.get("/flows/", secure=True)),
        "503 before any page": during(no_session, lambda: admin.get("/flows/", secure=True)),
        "503 of the log": during(no_log, lambda: admin.post("/audit/export/", {"format": "csv"}, secure=True)),
    }  # fmt: skip

    without = {
        "301": ["Strict-Transport-Security"],
        "400 of another host, without HTTPS": ["Strict-Transport-Security"],
    }
    lacks = {}
    for name, answer in answers.items():
        assert str(answer.status_code) == str(name)[:3]
        found = missing(answer)
        for header in without.get(str(name), []):  # only HTTPS can say it
            found.pop(header, None)
        if found:
            lacks[name] = found
    assert lacks == {}


@pytest.mark.quick
@pytest.mark.parametrize("file", ["app.css", "app.js", "favicon.svg", "django_htmx/htmx-2.min.js"])
def test_static_file_is_armoured(db, client, deployed, file):
    answer = client.get(f"/static/{file}", secure=True)

    assert answer.status_code == 200
    assert read_body(answer)
    answer.close()
    assert missing(answer, is_static=True) == {}
    assert not answer.cookies
