"""The start fails for a missing or invalid setting, with one line that says how to fix it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANG_TIMEOUT

ROOT = Path(__file__).resolve().parents[2]
WHOLE = {
    "SECRET_KEY": "x" * 50,
    "AUDIT_KEY": "y" * 32,
    "ALLOWED_HOSTS": "127.0.0.1",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_API_KEY": "SK" + "1" * 32,
    "TWILIO_API_SECRET": "s",
}


def started(**environment):
    env = {"ENV_FILE": "/dev/null", "PATH": "/usr/bin:/bin", **environment}
    command = [sys.executable, "manage.py", "check"]
    return run(command, env)


def run(command, env):
    """Run a command in the project's folder, with these environment variables only."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=HANG_TIMEOUT,
        check=False,
    )


def test_start_with_all_required_variables():
    assert started(**WHOLE).returncode == 0


@pytest.mark.parametrize(
    "missing",
    ["SECRET_KEY", "AUDIT_KEY", "ALLOWED_HOSTS", "TWILIO_ACCOUNT_SID", "TWILIO_API_SECRET"],
)
def test_missing_variable_is_named(missing):
    ended = started(**{name: value for name, value in WHOLE.items() if name != missing})

    assert ended.returncode != 0
    assert missing in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_missing_credentials_are_named():
    ended = started(
        **{name: value for name, value in WHOLE.items() if not name.startswith("TWILIO_API")}
    )

    assert ended.returncode != 0
    assert "TWILIO_AUTH_TOKEN" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "AC"),
        ("TWILIO_API_KEY", "SK"),
        ("AUDIT_KEY", "short"),
        ("TWILIO_API_KEY", "AC" + "1" * 32),
        ("TWILIO_API_URL", "https://studio.twilio.com"),
        ("TIME_ZONE", "Berlin"),
        ("TIME_ZONE", "../etc/passwd"),
    ],
)
def test_placeholder_is_named(name, value):
    ended = started(**{**WHOLE, name: value})

    assert ended.returncode != 0
    assert name in ended.stderr


SECRETS = ["SECRET_KEY", "AUDIT_KEY", "TWILIO_API_KEY", "TWILIO_API_SECRET"]
USES = """
import django
from django.conf import settings
django.setup()
print(settings.SECRET_KEY, settings.AUDIT_KEY, settings.DATABASES["default"]["PASSWORD"])
"""


def without(*names):
    return {name: value for name, value in WHOLE.items() if name not in names}


def shown(script, *, to=None, **environment):
    """Return the output of a script. Its log goes to the file `to`."""
    env = {
        "ENV_FILE": "/dev/null",
        "PATH": "/usr/bin:/bin",
        "DJANGO_SETTINGS_MODULE": "flexadmin.settings",
    }
    ended = run([sys.executable, "-c", script], {**env, **environment})
    ended.check_returncode()
    if to is not None:
        to.write_text(ended.stderr)
    return ended.stdout


def test_secrets_are_read_from_files(tmp_path):
    values = {"SECRET_KEY": "$ecret-$HOME-" + "x" * 50, "AUDIT_KEY": "$" + "y" * 31 + r"\$"}
    values["DATABASE_URL"] = "postgres://u:pass@127.0.0.1:1/n"
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
    files = {f"{name}_FILE": str(tmp_path / name) for name in values}

    said = shown(USES, **without(*values), **files)

    assert said.split() == [values["SECRET_KEY"], values["AUDIT_KEY"], "pass"]


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_can_be_in_a_file(tmp_path, name):
    (tmp_path / "it").write_text(f"{WHOLE[name]}\n")

    assert started(**without(name), **{f"{name}_FILE": str(tmp_path / "it")}).returncode == 0


def test_auth_token_in_a_file(tmp_path):
    (tmp_path / "it").write_text("token")

    ended = started(
        **without("TWILIO_API_KEY", "TWILIO_API_SECRET"),
        TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "it"),
    )

    assert ended.returncode == 0


def test_secret_given_twice_stops_the_start(tmp_path):
    (tmp_path / "it").write_text("x" * 50)

    ended = started(**WHOLE, SECRET_KEY_FILE=str(tmp_path / "it"))

    assert (ended.returncode, ended.stderr) == (
        1,
        "SECRET_KEY and SECRET_KEY_FILE are both set: keep one of them.\n",
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file or directory"), (b"\n", "is empty"), (b"\xff", "not UTF-8")],
)
def test_unreadable_or_empty_file_stops_the_start(tmp_path, content, why):
    if content is not None:
        (tmp_path / "it").write_bytes(content)

    ended = started(**without("AUDIT_KEY"), AUDIT_KEY_FILE=str(tmp_path / "it"))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"AUDIT_KEY_FILE: {tmp_path / 'it'} ")
    assert why in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


COOKIES = """
import django
from django.test import Client
django.setup()
from django.conf import settings
for cookie in Client().get("/login/", secure=True, headers={"host": "127.0.0.1"}).cookies.values():
    print(cookie.OutputString())
print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_SECURE,
    settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_SAMESITE, settings.SESSION_COOKIE_HTTPONLY)
"""


def test_cookies_are_limited_to_this_host(tmp_path):
    csrf, session = shown(
        COOKIES, **WHOLE, DEBUG="true", DATABASE_URL=f"sqlite:///{tmp_path}/db"
    ).splitlines()

    assert csrf.startswith("__Host-csrftoken=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(csrf.split("; "))
    assert "Domain" not in csrf
    assert session == "__Host-sessionid / True None Lax True"


def test_cookies_without_https_have_plain_names(tmp_path):
    said = shown(
        COOKIES, **WHOLE, DEBUG="true", HTTPS_ONLY="false", DATABASE_URL=f"sqlite:///{tmp_path}/db"
    )

    assert said.startswith("csrftoken=")


def test_proxy_that_is_no_address_stops_the_start():
    ended = started(**WHOLE, TRUSTED_PROXIES="127.0.0.1,everybody")

    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "everybody" in ended.stderr


HSTS = """
import django
from django.test import Client
django.setup()
print(Client().get("/login/", secure=True, headers={"host": "127.0.0.1"}).get("Strict-Transport-Security", "none"))
"""


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({}, "max-age=31536000"),
        ({"HSTS_SUBDOMAINS": "true"}, "max-age=31536000; includeSubDomains"),
        (
            {"HSTS_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"},
            "max-age=31536000; includeSubDomains; preload",
        ),
        ({"HSTS_SUBDOMAINS": "true", "HTTPS_ONLY": "false"}, "none"),
    ],
    ids=["none", "subdomains", "both", "without HTTPS"],
)
def test_hsts_covers_this_host_only_by_default(tmp_path, said, header):
    environment = {**WHOLE, "DEBUG": "true", "DATABASE_URL": f"sqlite:///{tmp_path}/db", **said}

    assert shown(HSTS, **environment) == f"{header}\n"


def test_preload_without_subdomains_stops_the_start():
    ended = started(**WHOLE, HSTS_PRELOAD="true")

    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "HSTS_PRELOAD needs HSTS_SUBDOMAINS" in ended.stderr


@pytest.mark.parametrize(
    "said", [{}, {"HSTS_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}], ids=["off", "on"]
)
def test_deployment_check_has_no_warnings(said):
    environment = {
        **WHOLE, "SECRET_KEY": "".join(map(chr, range(48, 122))), "PATH": "/usr/bin:/bin", "ENV_FILE": "/dev/null",
        "DATABASE_URL": "postgres://u:p@127.0.0.1:1/n", **said,
    }  # fmt: skip
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    ended = run(command, environment)

    assert (ended.returncode, ended.stderr) == (0, "")
