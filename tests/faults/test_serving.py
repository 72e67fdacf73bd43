"""The site as gunicorn serves it with flexadmin/gunicorn.py: start, responses and shutdown."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import uuid
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from tests.faults.acting import (
    BackgroundCall,
    applied_writes,
    assert_chain_intact,
    own_stages,
    received_writes,
    wait_for,
)
from tests.faults.busy import DEPLOYED_OPTIONS, HIDDEN_FIELDS, ROOT, Site
from tests.flexadmin.test_settings import WHOLE
from tests.patience import HANG_TIMEOUT

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "metrics-token-0123456789"


@pytest.fixture
def site(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("LOG_FORMAT", "json")
    running = Site(api=sandbox.url, folder=tmp_path, options=DEPLOYED_OPTIONS)
    yield running
    running.close()


@pytest.fixture
def browser(person, settings):
    """Client of a signed-in operator."""
    person("operator")
    client = Client()
    client.force_login(User.objects.get(username="operator"))
    session = requests.Session()
    session.trust_env = False
    name = settings.SESSION_COOKIE_NAME
    session.cookies.set(name, client.cookies[name].value)
    with session:
        yield session


@pytest.fixture
def held(sandbox, monkeypatch):
    """Sandbox that holds each write: `come` is set on arrival, and the write waits for `go`."""
    come, go, respond = threading.Event(), threading.Event(), sandbox._api.respond

    def slowly(request, received):
        if request.method != "GET":
            come.set()
            go.wait(HANG_TIMEOUT)
        return respond(request, received)

    monkeypatch.setattr(sandbox._api, "respond", slowly)
    yield SimpleNamespace(come=come, go=go)
    go.set()


@pytest.mark.quick
def test_change_under_way_ends_before_the_site_does(site, browser, sandbox, flow_sid, held):
    address = f"{site.root}/flows/{flow_sid}/enabled/"
    form = dict(HIDDEN_FIELDS.findall(browser.get(address, timeout=HANG_TIMEOUT).text))
    form |= {"enabled": "false", "reason": "because", "change_id": str(uuid.uuid4())}
    request = BackgroundCall(
        lambda: browser.post(address, form, allow_redirects=False, timeout=HANG_TIMEOUT)
    )
    assert held.come.wait(HANG_TIMEOUT)

    site.stop()
    wait_for(lambda: "Handling signal: term" in site.log())
    held.go.set()

    assert request.outcome().status_code == 302
    assert site.wait(HANG_TIMEOUT) == 0
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert len(applied_writes(sandbox)) == len(received_writes(sandbox)) == 1
    assert_chain_intact(2)


def test_workers_share_their_counts_and_log_each_request_once(site, browser, sandbox, flow_sid):
    for _ in range(8):
        browser.get(f"{site.root}/flows/{flow_sid}/?token=c4n4ry", timeout=HANG_TIMEOUT)

    scraped = [
        requests.get(
            f"{site.root}/metrics",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=HANG_TIMEOUT,
        ).text
        for _ in range(4)
    ]

    counted = 'flexflow_twilio_call_seconds_count{result="succeeded",verb="fetch"} 8.0'
    assert all(counted in text for text in scraped)


def test_lines_are_json_without_queries(site, browser, flow_sid, monkeypatch):
    assert browser.get(f"{site.root}/flows/?q=c4n4ry", timeout=HANG_TIMEOUT).status_code == 200
    site.stop()
    site.wait(HANG_TIMEOUT)

    lines = [json.loads(line) for line in site.log().splitlines() if line.startswith("{")]

    assert "Handling signal: term" in [line["message"] for line in lines]
    assert "c4n4ry" not in site.log()


def test_header_that_is_no_proxys_changes_nothing(sandbox, tmp_path, monkeypatch):
    """gunicorn alone would trust this machine's own programs."""
    monkeypatch.setenv("HTTPS_ONLY", "true")
    site = Site(api=sandbox.url, folder=tmp_path, options=DEPLOYED_OPTIONS)
    claimed = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-For": "198.51.100.1",
    }

    try:
        answer = requests.get(
            f"{site.root}/login/",
            headers=claimed,
            allow_redirects=False,
            timeout=HANG_TIMEOUT,
            proxies={"no_proxy": "*"},
        )
    finally:
        site.close()

    assert (answer.status_code, answer.headers["Location"][:8]) == (301, "https://")


@pytest.mark.parametrize(
    "headers",
    [{"x-long": "b" * 9000}, {f"x-{number}": "b" for number in range(61)}],
    ids=["long", "many"],
)
def test_request_with_too_much_in_its_head_is_refused(site, headers):
    assert requests.get(
        f"{site.root}/health/live/", headers=headers, timeout=HANG_TIMEOUT
    ).status_code in (
        400,
        431,
    )


def test_refused_request_writes_no_line_of_its_own(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "line")
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    site = Site(api=sandbox.url, folder=tmp_path, options=DEPLOYED_OPTIONS)
    address = urlsplit(site.root)

    try:
        for raw_request in (
            b"G\x1b[2JET / HTTP/1.1",
            b"GET /a\x85b HTTP/1.1",
            b"GET / HTTP/1.1\r\nBad\rName: 1",
        ):
            with socket.create_connection(
                (address.hostname, address.port), timeout=HANG_TIMEOUT
            ) as line:
                line.sendall(raw_request + b"\r\n\r\n")
                assert line.recv(12) == b"HTTP/1.1 400"
    finally:
        site.close()

    lines = site.log().splitlines()
    assert sum("Invalid request from ip=127.0.0.1" in line for line in lines) == 3
    assert all(re.match(r"20\d\d-\d\d-\d\d |    ", line) and line.isprintable() for line in lines)


@pytest.mark.quick
def test_start_without_a_key_says_so_once(tmp_path):
    environment = {name: value for name, value in WHOLE.items() if name != "AUDIT_KEY"}

    result = subprocess.run(
        [sys.executable, "-m", "gunicorn", *DEPLOYED_OPTIONS],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=HANG_TIMEOUT,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("AUDIT_KEY is not set.")
    assert len(result.stderr.splitlines()) == 1
