"""A process killed during a change.

The real site under gunicorn is killed with SIGKILL between attempt and call, or between call and
outcome.
"""

import os
import re
import socket
import subprocess
import sys
import uuid
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest

from flows.changes import in_flight
from tests.faults.acting import (
    NEW_FLOW,
    applied_writes,
    assert_chain_intact,
    database_url,
    own_events,
    own_stages,
    received_writes,
)
from tests.patience import HANG_TIMEOUT

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
NAME = "Réclamations Lyon"
PAGES = {
    "create": (
        "new/",
        {name: value for name, value in NEW_FLOW.items() if value is not None}
        | {"enabled": "false"},
    ),
    "update": ("{sid}/edit/", {"friendly_name": "Plaintes Lyon"}),
    "set_enabled": ("{sid}/enabled/", {"enabled": "false"}),
    "delete": ("{sid}/delete/", {"confirm_name": NAME}),
}


class Browser:
    """Client that signs in and submits the site's own forms."""

    def __init__(self, root):
        self.root = root
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()), ProxyHandler({}))

    def get(self, path):
        with self.opener.open(self.root + path, timeout=HANG_TIMEOUT) as answer:
            return answer.read().decode()

    def post(self, path, **data):
        with self.opener.open(
            self.root + path, urlencode(data).encode(), timeout=HANG_TIMEOUT
        ) as answer:
            return answer.geturl(), answer.read().decode()

    def hidden(self, path):
        """Return the hidden fields of a page's form: CSRF token, change_id and base."""
        page = self.get(path)
        names = ("csrfmiddlewaretoken", "change_id", "base")
        values = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
        return {name: match[1] for name, match in values.items() if match}

    def sign_in(self, name):
        self.post("/login/", **self.hidden("/login/"), username=name, password=f"{name}-password")


@pytest.fixture
def site(request, sandbox, settings, person, tmp_path):
    """Signed-in client of a site process with this test's database and sandbox."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    ]  # the site's own
    person("operator")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "flexadmin.settings",
            "DATABASE_URL": database_url(),
            "FLEX_API_URL": sandbox.url,
            "TWILIO_API_URL": sandbox.api_url,
            "DEBUG": "true",  # the static files are not collected here
            "KILL": request.param,
        }
        command = [
            sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "5",
            "--no-control-socket", "--worker-tmp-dir", str(tmp_path), "tests.faults.killable_site:application",
        ]  # fmt: skip
        with (tmp_path / "site.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=log,
            )
        try:
            browser = Browser(f"http://127.0.0.1:{listener.getsockname()[1]}")
            browser.sign_in("operator")
            yield browser
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(HANG_TIMEOUT)
            process.kill()
            process.wait()
            sys.stdout.write((tmp_path / "site.log").read_text())


@pytest.mark.quick("before-create")
@pytest.mark.parametrize("verb", PAGES)
@pytest.mark.parametrize(
    ("site", "sent"), [("before", 0), ("after", 1)], indirect=["site"], ids=["before", "after"]
)
def test_killed_site_leaves_one_attempt_and_no_outcome(
    site, sandbox, flow_sid, on_arrival, verb, sent
):
    page, fields = PAGES[verb]
    path = "/flows/" + page.format(sid=flow_sid)
    form = {**site.hidden(path), **fields, "reason": "because"}

    with pytest.raises(OSError):  # noqa: PT011 - however the line breaks
        site.post(path, **form)

    attempt = own_events().get()
    assert (attempt.stage, attempt.result, attempt.reason) == ("attempt", "pending", "because")
    assert attempt.change_id == uuid.UUID(form["change_id"])
    assert list(in_flight.pending_attempts()) == [attempt]
    assert (len(received_writes(sandbox)), len(applied_writes(sandbox))) == (sent, sent)
    assert on_arrival == [["attempt"]] * sent
    assert_chain_intact(1)
    another = {"long_lived": "true", "enabled": "true" if sent else "false"}
    # The process that takes its place knows the change, and sends nothing again.
    address, _ = site.post(path, **form)
    assert address.endswith(f"/audit/{attempt.event_id}/")
    if verb != "create" and not (verb == "delete" and sent):
        with pytest.raises(HTTPError) as refused:
            site.post(path, **{**form, **another, "change_id": uuid.uuid4()})
        assert refused.value.code == 409
        refused.value.close()
    assert "operator" in site.get("/audit/")
    assert len(received_writes(sandbox)) == sent
    assert own_stages() == [("attempt", "pending")]
