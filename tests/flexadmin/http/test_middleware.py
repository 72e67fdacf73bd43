"""Middleware: security headers, request ids, form encoding and size, sign-in."""

from unittest import mock
from urllib.parse import quote

import pytest

from tests.faults.acting import own_events

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def test_page_has_the_security_headers(client_of):
    page = client_of("viewer").get("/flows/")

    assert page["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Cache-Control"] == "no-store, private"


def test_page_and_event_have_the_same_request_id(client_of, sandbox, flow_sid):
    answer = client_of("viewer").post(f"/flows/{flow_sid}/delete/")

    assert answer["X-Request-Id"] == str(own_events().get().request_id)


@pytest.mark.parametrize(
    "body", [b"friendly_name=%ff%fe", b"friendly_name=\xff", b"friendly_name=%c3%28"]
)
def test_body_that_is_not_utf8_is_400(client_of, body):
    answer = client_of("operator").post("/flows/new/", body, content_type=FORM)

    assert answer.status_code == 400
    assert "not valid UTF-8" in answer.content.decode()


def test_multipart_body_that_is_not_utf8_is_400(client_of):
    body = b'--x\r\nContent-Disposition: form-data; name="friendly_name"\r\n\r\n\xff\r\n--x--\r\n'

    answer = client_of("operator").post(
        "/flows/new/", body, content_type="multipart/form-data; boundary=x"
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x; charset=utf-16", "multipart/form-data; boundary=x"]
)
def test_multipart_body_with_an_encoding_of_its_own_is_400(client_of, sandbox, kind):
    encoding = "Content-Transfer-Encoding: base64\r\n" if "charset" not in kind else ""
    body = f'--x\r\nContent-Disposition: form-data; name="friendly_name"\r\n{encoding}\r\n/w==\r\n--x--\r\n'

    answer = client_of("operator").post("/flows/new/", body.encode(), content_type=kind)

    assert answer.status_code == 400
    assert sandbox.requests == []


def part(name, value, file=""):
    more = f'; filename="{file}"' if file else ""
    return (
        f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        + value
        + b"\r\n"
    )


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([part("file", b"\xff\xfe[\x00]\x00", "a.csv")], 422),  # UTF-16, which has no flows in it
        ([part("entries", "é".encode()), part("file", b"\xff", "a.csv")], 422),
        ([part("entries", b"\xff"), part("file", b"\xff", "a.csv")], 400),
        ([part("entries", b"\xff"), part("file", b"[]", "a.csv")], 400),
        ([part("entr\xff", b"x"), part("file", b"\xff", "a.csv")], 422),
        ([part("file", b"[]", "a.csv"), part("other", b"[]", "b.csv")], 400),
    ],
)
def test_only_one_file_may_have_another_encoding(client_of, parts, status):
    body = b"".join(parts) + b"--x--\r\n"

    answer = client_of("operator").post(
        "/flows/plans/import/", body, content_type="multipart/form-data; boundary=x"
    )

    assert answer.status_code == status


def test_uploaded_file_is_never_written_to_the_disk(client_of, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    body = part("file", b"[" + b" " * 3_500_000, "a.json") + b"--x--\r\n"

    with mock.patch("tempfile.NamedTemporaryFile", side_effect=AssertionError):
        answer = client_of("operator").post(
            "/flows/plans/import/", body, content_type="multipart/form-data; boundary=x"
        )

    assert "invalid JSON" in answer.content.decode()


def test_address_that_is_not_utf8_is_400(client_of):
    assert client_of("viewer").get("/flows/?q=%ff").status_code == 400


def test_utf8_body_is_accepted(client_of):
    body = "friendly_name=" + quote("Ünïcödé 😀")

    assert client_of("operator").post("/flows/new/", body, content_type=FORM).status_code == 422


def test_body_too_large_is_413(client_of, settings):
    body = "friendly_name=" + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    answer = client_of("operator").post("/flows/new/", body, content_type=FORM)

    assert answer.status_code == 413
    assert "too large" in answer.content.decode()


def test_content_length_that_is_no_number_is_400(client_of):
    answer = client_of("operator").post(
        "/flows/new/", "a=b", content_type=FORM, CONTENT_LENGTH="-1"
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/flows/", "/flows/new/", "/flows/FO" + "1" * 32 + "/", "/audit/"]
)
def test_pages_require_sign_in(client, db, path):
    answer = client.get(path, follow=True)

    assert answer.redirect_chain[-1][0].startswith("/login/?next=/")


def test_ended_session_never_puts_the_sign_in_page_into_a_fragment(client, db):
    answer = client.get("/flows/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (204, "true", b"")


def test_sign_in_and_out(client, person):
    person("operator", "omar")

    wrong = client.post("/login/", {"username": "omar", "password": "wrong"})
    right = client.post("/login/?next=/audit/", {"username": "omar", "password": "omar-password"})
    out = client.post("/logout/")

    assert wrong.status_code == 200
    assert "Error:" in wrong.content.decode()
    assert right["Location"] == "/audit/"
    assert out["Location"] == "/login/"


def test_new_secret_key_signs_no_user_out(client_of, settings):
    client = client_of("viewer")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-" * 8

    assert client.get("/audit/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/audit/").status_code == 200  # signed anew at the first visit
    settings.SECRET_KEY = "a third one-" * 6
    assert client.get("/audit/").status_code == 302


def test_sign_in_never_leads_to_another_site(client, person):
    person("operator", "omar")

    answer = client.post(
        "/login/?next=//evil.example/", {"username": "omar", "password": "omar-password"}
    )

    assert answer["Location"] == "/"


def test_form_without_its_token_is_refused(person, sandbox):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator"))

    answer = client.post("/flows/new/", {"friendly_name": "x"})

    assert answer.status_code == 403
    assert sandbox.requests == []


def test_unknown_page_is_404_in_the_sites_design(client_of):
    answer = client_of("viewer").get("/nowhere/")

    assert answer.status_code == 404
    assert "<html" in answer.content.decode()
