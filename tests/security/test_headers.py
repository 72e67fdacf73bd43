"""Security headers of every response, for each URL and status, with a deployment's settings."""

import os
import runpy
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError

from flows.audit.audit_log import NotRecorded
from tests.security.markup import find_inline_code, read_body
from tests.security.places import METHODS, URL_NAMES, SampleSite, send_form

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
DEPLOYMENT_SETTINGS = (
    "SECURE_",
    "SESSION_COOKIE_",
    "CSRF_COOKIE_",
    "CSRF_USE_SESSIONS",
    "X_FRAME_",
    "LANGUAGE_COOKIE_",
)


@pytest.fixture
def deployed(settings):
    """Settings with HTTPS_ONLY, which is off in tests. Every response sets its cookies."""
    with mock.patch.dict(os.environ, {"HTTPS_ONLY": "true", "DEBUG": "false"}):
        deployment = runpy.run_path(str(django_settings.BASE_DIR / "flexadmin" / "settings.py"))
    for name, value in deployment.items():
        if name.startswith(DEPLOYMENT_SETTINGS):
            setattr(settings, name, value)
    settings.SESSION_SAVE_EVERY_REQUEST = True


def find_problems(response, *, is_static=False):
    """Return missing headers, unsafe cookies and inline code of a response."""
    problems = {
        name: response.get(name) for name, value in EXPECTED.items() if response.get(name) != value
    }
    if not is_static and "no-store" not in response.get("Cache-Control", ""):
        problems["Cache-Control"] = response.get("Cache-Control")
    for cookie in response.cookies.values():
        if not cookie.value:
            continue  # the cookie is being deleted
        faults = [flag for flag in ("secure", "httponly") if not cookie[flag]]
        faults += [] if cookie["samesite"] in ("Lax", "Strict") else ["samesite"]
        faults += ["domain"] if cookie["domain"] else []
        if faults:
            problems[f"cookie {cookie.key}"] = faults
    if response.get("Content-Type", "").startswith("text/html"):
        problems |= dict.fromkeys(find_inline_code(read_body(response).decode()), "inline")
    return problems


@pytest.mark.parametrize("name", URL_NAMES)
def test_every_response_of_every_url_has_the_headers(site: SampleSite, deployed, name):
    problems_by_response, cookies = {}, set()
    for who in ("anonymous", "nobody", "admin"):
        for method in METHODS:
            url, data = site.call(name, who)
            response = send_form(site.client(who), method, url, data, secure=True)
            cookies.update(response.cookies)
            problems = find_problems(response)
            if problems:
                problems_by_response[who, method, response.status_code] = problems

    assert problems_by_response == {}
    assert django_settings.SESSION_COOKIE_NAME in cookies or name.startswith("health")


@pytest.mark.quick
def test_every_status_has_the_headers(site: SampleSite, deployed):
    admin, sid = site.client("admin"), site.sid
    admin.raise_request_exception = False
    unknown_flow = "/flows/FO" + "0" * 32 + "/"
    broken = mock.patch("flows.search.flow_search.run_query", side_effect=RuntimeError)
    locked = mock.patch("flows.search.flow_search.run_query", side_effect=OperationalError)
    no_session = mock.patch(
        "django.contrib.sessions.backends.db.SessionStore.load", side_effect=OperationalError
    )
    no_log = mock.patch("flows.audit.export.start_export", side_effect=NotRecorded("full"))
    too_long = "x" * (django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    form = "application/x-www-form-urlencoded"

    def during(fault, send_request):
        with fault:
            return send_request()

    responses = {
        200: admin.get("/flows/", secure=True),
        301: admin.get("/flows/"),
        302: admin.get("/people/me/factors/", secure=True),
        400: admin.get("/flows/?q=%ff", secure=True),
        "400 of another host": admin.get("/flows/", secure=True, headers={"Host": "evil.example"}),
        "400 of another host, without HTTPS": admin.get("/flows/", headers={"Host": "evil.example"}),
        401: site.client("anonymous").post(f"/flows/{sid}/edit/", {"reason": "x"}, secure=True),
        403: site.client("viewer").get("/flows/new/", secure=True),
        "403 of a form without its token": site.client("admin", enforce_csrf_checks=True).post("/flows/new/", secure=True),
        404: admin.get(unknown_flow, secure=True),
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

    only_over_https = {
        "301": ["Strict-Transport-Security"],
        "400 of another host, without HTTPS": ["Strict-Transport-Security"],
    }
    problems_by_response = {}
    for name, response in responses.items():
        assert str(response.status_code) == str(name)[:3]
        problems = find_problems(response)
        for header in only_over_https.get(str(name), []):  # sent over HTTPS only
            problems.pop(header, None)
        if problems:
            problems_by_response[name] = problems
    assert problems_by_response == {}


@pytest.mark.quick
@pytest.mark.parametrize("file", ["app.css", "app.js", "favicon.svg", "django_htmx/htmx-2.min.js"])
def test_static_file_has_the_headers(db, client, deployed, file):
    response = client.get(f"/static/{file}", secure=True)

    assert response.status_code == 200
    assert read_body(response)
    response.close()
    assert find_problems(response, is_static=True) == {}
    assert not response.cookies
