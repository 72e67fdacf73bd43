"""Slow clients: `python -m tests.faults.slow_clients [--seconds N]`.

A few clients send headers or a form, or read an export, one byte at a time. They connect to
gunicorn directly and through each proxy of deployment.md. They must not keep others from the site.
The exit status is 1 if a page for another user takes more than a second.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from flexadmin.users.roles import ensure_groups
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from tests.faults.acting import wait_for
from tests.faults.busy import DEPLOYED_OPTIONS, Site
from tests.faults.databases import temporary_databases, use_database
from tests.faults.fronts import FRONTS, HOST, Front
from tests.patience import HANG_TIMEOUT

MAX_WAIT_SECONDS: Final = 1.0  # until somebody else has their page
PAGES: Final = ("/health/live/", "/login/")
REQUEST_INTERVAL: Final = 0.2  # seconds, somebody else asks
EVENTS, EVENT_BYTES = (
    200,
    40_000,
)  # of the log that is exported: twice what a socket keeps by itself
MAX_READERS: Final = 16  # more exports at once would be a load, not slowness
UNUSED_API_URL: Final = "http://127.0.0.1:9/v1"


@dataclass(slots=True)
class Report:
    """Waiting times of other users in seconds, for a number of slow clients."""

    front: str
    attack: str
    clients: int
    waits: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    connected: int = 0  # slow clients, in the end
    max_wait: float = MAX_WAIT_SECONDS

    @property
    def late(self) -> int:
        return sum(wait > self.max_wait for wait in self.waits) + len(self.failed)

    @property
    def is_good(self) -> bool:
        return bool(self.waits) and not self.late and self.connected > 0


class SlowClient:
    """One slow client, which reconnects after being disconnected or refused."""

    def __init__(
        self, front: Front, greeting: bytes, more: bytes, *, is_reader: bool = False
    ) -> None:
        self._front, self._greeting, self._more, self._is_reader = front, greeting, more, is_reader
        self._socket: Any = None
        self._has_read = False

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    def begin(self) -> None:
        with suppress(OSError):
            connection = self._front.connect(
                seconds=10, receive_buffer=4096 if self._is_reader else 0
            )
            connection.sendall(self._greeting)
            connection.settimeout(0.01)
            self._socket, self._has_read = connection, False

    def go_on(self) -> None:
        """Send or read one more byte."""
        if self._socket is None:
            self.begin()
            return
        try:
            if self._is_reader:
                self._read()
            else:
                self._socket.sendall(self._more)
        except OSError:
            self.end()

    def _read(self) -> None:
        with suppress(TimeoutError):
            is_first, self._has_read = not self._has_read, True
            received = self._socket.recv(len("HTTP/1.1 503") if is_first else 1)
            if not received or received.endswith(b"503"):
                self.end()

    def end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


@dataclass(frozen=True, slots=True)
class AuditorSession:
    """Session of an auditor on the site behind a front."""

    key: str

    def export(self, front: Front) -> bytes:
        """Return a request for an export of the whole log. Each one is recorded."""
        name = "__Host-sessionid" if front.is_https else "sessionid"
        cookie = f"{name}={self.key}"
        status, page, cookies = _get(front, "/audit/export/", cookie)
        assert status == 200, f"the export's page answered {status}"
        (token,) = re.findall(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]
        body = b"csrfmiddlewaretoken=" + token + b"&format=ndjson&what=all"
        root = f"http{'s' if front.is_https else ''}://{front.host}"
        fields = {
            "Host": front.host, "Cookie": "; ".join([cookie, *cookies]), "Referer": f"{root}/audit/export/",
            "Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body)),
        }  # fmt: skip
        head = "".join(f"{header}: {value}\r\n" for header, value in fields.items())
        return f"POST /audit/export/ HTTP/1.1\r\n{head}\r\n".encode() + body


ClientFactory = Callable[[], SlowClient]


def slow_headers(front: Front, _session: AuditorSession) -> ClientFactory:
    head = f"GET /login/ HTTP/1.1\r\nHost: {front.host}\r\nX-Slow: ".encode()
    return lambda: SlowClient(front, head, b"a")


def slow_bodies(front: Front, _session: AuditorSession) -> ClientFactory:
    head = f"POST /login/ HTTP/1.1\r\nHost: {front.host}\r\nContent-Length: 100000\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n\r\nusername="
    return lambda: SlowClient(front, (head + form).encode(), b"a")


def slow_readers(front: Front, session: AuditorSession) -> ClientFactory:
    request = session.export(front)
    return lambda: SlowClient(front, request, b"", is_reader=True)


ATTACKS: Final[dict[str, Callable[[Front, AuditorSession], ClientFactory]]] = {
    "headers, byte by byte": slow_headers,
    "a form, byte by byte": slow_bodies,
    "an export, read byte by byte": slow_readers,
}


def simulate(
    *, fronts: Sequence[str], counts: Sequence[int], seconds: float, pause: float, folder: Path
) -> Iterator[Report]:
    """Run each attack with each number of clients on each front.

    `seconds` count from the connection of the last client. The site uses this process's own
    database.
    """
    session = _create_auditor()
    _fill_log()
    connection.close()  # so that SQLite's file has all of it
    for name in fronts:
        own = folder / name
        own.mkdir()
        with _run_site(name, own) as front:
            for attack, prepare in ATTACKS.items():
                most = MAX_READERS if prepare is slow_readers else max(counts)
                for count in sorted({min(count, most) for count in counts}):
                    report, make = Report(name, attack, count), prepare(front, session)
                    _attack(report, front, [make() for _ in range(count)], seconds, pause)
                    yield report


def _attack(
    report: Report, front: Front, clients: list[SlowClient], seconds: float, pause: float
) -> None:
    over = threading.Event()
    asking = threading.Thread(target=_request_pages, args=(report, front, over), daemon=True)
    asking.start()
    try:
        for client in clients:
            client.begin()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for client in clients:
                client.go_on()
            over.wait(pause)
        report.connected = sum(client.is_connected for client in clients)
    finally:
        over.set()
        asking.join(HANG_TIMEOUT)
        for client in clients:
            client.end()
    wait_for(lambda: _get(front, PAGES[0])[0] == 200)  # the next attack begins with an idle site


def _request_pages(report: Report, front: Front, over: threading.Event) -> None:
    """Request pages as other users do."""
    number = 0
    while not over.wait(REQUEST_INTERVAL):
        page, began = PAGES[number % len(PAGES)], time.monotonic()
        number += 1
        try:
            status, _, _ = _get(front, page, seconds=10 * MAX_WAIT_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            report.failed.append(f"{page}: {error!r}")
        else:
            report.waits.append(time.monotonic() - began)
            if status != 200:
                report.failed.append(f"{page}: {status}")


def _get(
    front: Front, path: str, cookie: str = "", *, seconds: float = HANG_TIMEOUT
) -> tuple[int, bytes, list[str]]:
    """Get a page over a new connection; return status, body and cookies."""
    line = http.client.HTTPConnection(front.host)
    line.sock = front.connect(seconds=seconds)
    try:
        line.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = line.getresponse()
        cookies = [one.partition(";")[0] for one in response.headers.get_all("Set-Cookie") or ()]
        return response.status, response.read(), cookies
    finally:
        line.close()


@contextmanager
def _run_site(name: str, folder: Path) -> Iterator[Front]:
    """Run the site as deployed, behind a front."""
    is_behind = name != "straight"
    environment = {
        "HTTPS_ONLY": "true" if is_behind else "false",
        "TRUSTED_PROXIES": "127.0.0.1" if is_behind else "",
        "ALLOWED_HOSTS": f"127.0.0.1,{HOST}",
    }
    with mock.patch.dict("os.environ", environment):
        site = Site(api=UNUSED_API_URL, folder=folder, options=DEPLOYED_OPTIONS)
    try:
        with FRONTS[name](int(site.root.rpartition(":")[2]), folder) as front:
            wait_for(lambda: _get(front, PAGES[0])[0] == 200)
            yield front
    finally:
        site.close()


def _create_auditor() -> AuditorSession:
    ensure_groups()
    user = User.objects.create_user("slow-auditor")
    user.groups.set([Group.objects.get(name="auditor")])
    client = Client()
    client.force_login(user)
    return AuditorSession(client.cookies[settings.SESSION_COOKIE_NAME].value)


def _fill_log() -> None:
    for number in range(EVENTS):
        audit_log.append(
            action="audit.export",
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=Actor(id="", label="slow clients"),
            payload=Payload(requested={"number": number, "filling": "x" * EVENT_BYTES}),
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.slow_clients", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=30, help="that each attack lasts")
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[16, 64], help="slow ones, at once"
    )
    parser.add_argument("--pause", type=float, default=5, help="seconds between two bytes")
    parser.add_argument(
        "--max-wait",
        type=float,
        default=MAX_WAIT_SECONDS,
        help="seconds after which another user's response is late",
    )
    parser.add_argument("--fronts", nargs="+", choices=[*FRONTS], default=[*FRONTS])
    options = parser.parse_args()
    console = Console()
    table = Table(title="Slow clients, and how long everybody else waits")
    for title in (
        "reached",
        "slow clients",
        "at once",
        "others asked",
        "median, s",
        "longest, s",
        "late or failed",
    ):
        table.add_column(title, justify="left" if title in ("reached", "slow clients") else "right")
    reports = []
    with (
        temporary_databases(1) as (own,),
        tempfile.TemporaryDirectory() as folder,
        console.status("Being slow"),
    ):
        use_database(own)
        for report in simulate(
            fronts=options.fronts,
            counts=options.clients,
            seconds=options.seconds,
            pause=options.pause,
            folder=Path(folder),
        ):
            report.max_wait = options.max_wait
            reports.append(report)
            table.add_row(*_build_row(report))
    console.print(table)
    for report in reports:
        for failure in report.failed[:3]:
            console.print(f"[red]{report.front}, {report.attack}: {failure}", highlight=False)
    return 0 if all(report.is_good for report in reports) else 1


def _build_row(report: Report) -> Sequence[str]:
    waits = sorted(report.waits) or [float("inf")]
    late = f"[bold red]{report.late}" if not report.is_good else "[green]0"
    return (
        report.front, report.attack, str(report.clients), str(len(report.waits) + len(report.failed)),
        f"{waits[len(waits) // 2]:.2f}", f"{waits[-1]:.2f}", late,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
