"""The demo in a process of its own, with a copy of the source and free ports."""

import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from tests.markup import squeezed
from tests.patience import HANG_TIMEOUT

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def source(tmp_path):
    """Copy the product's files, so that a demo of the developer is not touched."""
    for name in ("flexadmin", "flows", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    return tmp_path


class Demo:
    """A running demo. `output` is its output until it accepted requests."""

    def __init__(self, source, port, *options):
        options = options if "--flows" in options else ("--flows", "40", *options)
        command = [sys.executable, "-u", "manage.py", "demo", "--port", str(port), *options]
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "", "PYTHONUNBUFFERED": "1"}
        env.pop("DJANGO_SETTINGS_MODULE")
        self.port = port
        self.process = subprocess.Popen(
            command,
            cwd=source,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def __enter__(self):
        for line in self.process.stdout:
            self.output += line
            if "Ctrl-C" in line:
                return self
        self.process.communicate(timeout=HANG_TIMEOUT)
        raise AssertionError(self.output)

    def __exit__(self, *_error):
        self.process.send_signal(signal.SIGINT)
        self.rest = self.process.communicate(timeout=HANG_TIMEOUT)[0]

    def get(self, path, cookie=""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_TIMEOUT)
        connection.request("GET", path, headers={"Cookie": cookie})
        return self._read(connection)

    def post(self, path, cookie="", **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_TIMEOUT)
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, urllib.parse.urlencode(fields), headers)
        return self._read(connection)

    @staticmethod
    def _read(connection):
        response = connection.getresponse()
        body = response.read().decode()
        cookies = "; ".join(
            cookie.split(";")[0] for cookie in response.headers.get_all("Set-Cookie") or []
        )
        connection.close()
        return response.status, body, cookies

    def sign_in(self, name):
        _, page, cookie = self.get("/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        status, _, cookies = self.post(
            "/login/",
            cookie,
            username=name,
            password=self.password(name),
            csrfmiddlewaretoken=token,
        )
        assert status == 302
        return cookies

    def password(self, name):
        return re.search(rf"^\s+{name}\s+(\S+)", self.output, re.MULTILINE)[1]


def free_port():
    """Return a free port whose next port is free as well, for the sandbox."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no two free ports side by side")


def events(source):
    with sqlite3.connect(source / ".demo" / "db.sqlite3") as database:
        (count,) = database.execute("SELECT count(*) FROM flows_auditevent").fetchone()
    database.close()
    return count


def actions(source):
    with sqlite3.connect(source / ".demo" / "db.sqlite3") as database:
        found = [
            row[0] for row in database.execute("SELECT action FROM flows_auditevent ORDER BY seq")
        ]
    database.close()
    return found


def test_demo_starts_and_a_second_start_keeps_the_data(source):
    with Demo(source, free_port()) as demo:
        cookie = demo.sign_in("omar")
        first = demo.get("/flows/", cookie)
        log = demo.get("/audit/", cookie)
    recorded = events(source)

    with Demo(source, free_port()) as again:
        second = again.get("/flows/", again.sign_in("vera"))

    assert f"http://127.0.0.1:{demo.port}" in demo.output
    assert first[0] == second[0] == log[0] == 200
    assert (
        re.search(r"\d\d flows", squeezed(first[1]))[0]
        == (re.search(r"\d\d flows", squeezed(second[1]))[0])
    )
    assert recorded > 40
    assert events(source) == recorded + 1  # the second sign-in
    assert "history" in demo.output
    assert "history" not in again.output
    assert demo.process.returncode == 0
    assert "Demo stopped" in demo.rest


@pytest.mark.long
def test_fresh_demo_discards_the_data(source):
    with Demo(source, free_port()):
        (source / ".demo" / "mark").touch()

    with Demo(source, free_port(), "--fresh") as demo:
        assert "history" in demo.output

    assert not (source / ".demo" / "mark").exists()


@pytest.mark.long
def test_demo_without_flows_is_an_empty_site(source):
    with Demo(source, free_port(), "--flows", "0") as demo:
        cookie = demo.sign_in("ada")
        status, page, _ = demo.get("/flows/", cookie)

    assert status == 200
    assert "No flows yet" in page
    assert "history" not in demo.output
    assert demo.process.returncode == 0
    assert actions(source) == ["people.create"] * 4 + ["auth.login"]


@pytest.mark.long
@pytest.mark.parametrize(("command", "flows"), [("demo", "-1"), ("sandbox", "some")])
def test_invalid_number_of_flows_is_refused(source, command, flows):
    env = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}

    ended = subprocess.run(
        [sys.executable, "manage.py", command, "--flows", flows],
        cwd=source, capture_output=True, text=True, timeout=HANG_TIMEOUT, check=False,
        env=env | ({} if command == "demo" else {"DJANGO_SETTINGS_MODULE": "flexadmin.demo.settings"}),
    )  # fmt: skip

    assert ended.returncode == 2
    assert f"{flows!r} is not a whole number (0 or higher)" in ended.stderr


@pytest.mark.parametrize("which", [0, 1])
def test_taken_port_is_named(source, which):
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + which))
        taken.listen()

        ended = subprocess.run(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=source, capture_output=True, text=True, timeout=HANG_TIMEOUT, check=False,
            env={key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        )  # fmt: skip

    assert ended.returncode != 0
    assert f"Port {port + which} is taken" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_demo_refuses_to_run_on_real_settings(settings):
    from django.core.management import call_command
    from django.core.management.base import CommandError

    settings.FLEX_API_URL = "https://flex-api.twilio.com/v1"

    with pytest.raises(CommandError, match="its own sandbox"):
        call_command("demo")
