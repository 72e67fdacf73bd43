"""The start: what is missing stops it, with one line that says what to do; `.env.example` lists everything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_start_with_all_that_is_needed():
    assert started(**WHOLE).returncode == 0


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "AUDIT_KEY", "ALLOWED_HOSTS", "TWILIO_ACCOUNT_SID", "TWILIO_API_SECRET"]
)
def test_start_without_something_says_what(missing):
    ended = started(**{name: value for name, value in WHOLE.items() if name != missing})

    assert ended.returncode != 0
    assert missing in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_start_without_credentials_says_so():
    ended = started(**{name: value for name, value in WHOLE.items() if not name.startswith("TWILIO_API")})

    assert ended.returncode != 0
    assert "TWILIO_AUTH_TOKEN" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "AC"),
        ("TWILIO_API_KEY", "SK"),
        ("AUDIT_KEY", "short"),
        ("TWILIO_API_KEY", "AC" + "1" * 32),
    ],
)
def test_start_with_a_placeholder_says_which(name, value):
    ended = started(**{**WHOLE, name: value})

    assert ended.returncode != 0
    assert name in ended.stderr


def test_example_lists_every_variable():
    source = (ROOT / "flexadmin" / "settings.py").read_text()
    read = set(re.findall(r'(?:env(?:\.\w+)?|required)\(\s*"([A-Z_]+)"', source)) - {"ENV_FILE"}

    example = (ROOT / ".env.example").read_text()

    assert "SECRET_KEY" in read
    assert [name for name in sorted(read) if f"{name}=" not in example] == []
