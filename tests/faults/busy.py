"""A site in its own processes, and simulated users who change flows through its forms."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from html import unescape
from pathlib import Path

import requests
from django.conf import settings

from tests.faults.acting import NEW_FLOW, database_url
from tests.patience import HANG_TIMEOUT
from tests.sandbox_addresses import sandbox_addresses

ROOT = Path(__file__).resolve().parents[2]
HIDDEN_FIELDS = re.compile(r'name="(csrfmiddlewaretoken|change_id|base)" value="([^"]*)"')
FLOW_PAGE_URL = re.compile(r"/flows/(FO[0-9a-f]{32})/$")
WORKERS, THREADS = 3, 4


# Workers that are killed all the time, and come back at once.
KILLABLE_OPTIONS = (
    "--preload", "--workers", str(WORKERS), "--threads", str(THREADS), "--graceful-timeout", "5",
    "--no-control-socket",
)  # fmt: skip
DEPLOYED_OPTIONS = ("--config", "flexadmin/gunicorn.py")


class Site:
    """gunicorn with its workers, on this process's database and the API at `api`.

    Several sites in one folder have names.
    """

    def __init__(
        self,
        *,
        api: str,
        folder: Path,
        options: Sequence[str] = KILLABLE_OPTIONS,
        name: str = "site",
        application: str = "tests.faults.busy_site:application",
        log_level: str = "CRITICAL",
    ) -> None:
        self._options, self._log = (*options, application), folder / f"{name}.log"
        self._listener = socket.create_server(
            ("127.0.0.1", 0), backlog=512
        )  # outlives the site, as a proxy would
        self._folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "flexadmin.settings",
            "DATABASE_URL": database_url(),
            **sandbox_addresses(api),
            "DEBUG": "true",  # the static files are not collected here
            "LOG_LEVEL": log_level,
        }
        self.root = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        command = [
            sys.executable, "-m", "gunicorn", *self._options, "--bind", f"fd://{self._listener.fileno()}",
            "--worker-tmp-dir", str(self._folder),
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._master = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                pass_fds=[self._listener.fileno()],
                stdout=log,
                stderr=log,
            )

    def workers(self) -> list[int]:
        pid = self._master.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def kill_worker(self, chance: random.Random) -> bool:
        """Kill one worker, which gunicorn replaces; return False if there was none."""
        workers = self.workers()
        if workers:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
        return bool(workers)

    def kill(self) -> None:
        """Kill the whole site, as when the machine crashes."""
        os.kill(self._master.pid, signal.SIGSTOP)  # or it would start a worker while the others die
        for worker in self.workers():
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self._master.kill()
        self._master.wait()

    def stop(self) -> None:
        """Ask the site to stop, as systemd does, without waiting for it."""
        self._master.terminate()

    def wait(self, seconds: float) -> int:
        """Wait for the end and return the exit status."""
        return self._master.wait(seconds)

    def close(self) -> None:
        self.stop()
        try:
            self.wait(HANG_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._listener.close()

    def log(self) -> str:
        return self._log.read_text()


class KnownFlows:
    """Flows that the users know."""

    def __init__(self, sids: list[str]) -> None:
        self._sids, self._lock = list(sids), threading.Lock()

    def any(self, chance: random.Random) -> str | None:
        with self._lock:
            return chance.choice(self._sids) if self._sids else None

    def add(self, sid: str) -> None:
        with self._lock:
            self._sids.append(sid)

    def drop(self, sid: str) -> None:
        with self._lock, suppress(ValueError):
            self._sids.remove(sid)


class SimulatedUser(threading.Thread):
    """User with a session who makes one change after the other.

    `heard` counts the responses: statuses, and connections that broke.
    """

    CHANGES = {
        "new": 30,
        "edit": 35,
        "enabled": 20,
        "delete": 13,
        "sync": 2,
    }  # of a hundred; pages are others

    def __init__(self, session: str, site: Site, flows: KnownFlows, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.heard: Counter[str] = Counter()
        self.error: Exception | None = None
        self._site, self._flows, self._chance = site, flows, chance
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set(settings.SESSION_COOKIE_NAME, session)
        self._enough = threading.Event()
        self._made = 0

    @property
    def root(self) -> str:
        """Return the address for the next request."""
        return self._site.root

    def stop(self) -> None:
        self._enough.set()

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                try:
                    self._change()
                except requests.RequestException:
                    self.heard["line broke"] += 1
        except Exception as error:  # noqa: BLE001 - whoever joins it looks
            self.error = error

    def _change(self) -> None:
        sid = self._flows.any(self._chance)
        kind = self._chance.choices([*self.CHANGES], [*self.CHANGES.values()])[0]
        self._made += 1
        name = f"{self.name} {self._made}"
        identity = f"+1555{self._chance.randrange(10**12):012}"
        if kind.startswith("/"):
            self.heard[
                str(self._session.get(self.root + kind, timeout=HANG_TIMEOUT).status_code)
            ] += 1
        elif kind == "sync":
            self._post("/flows/sync/", form="/flows/")
        elif kind == "new" or sid is None:
            fields = {key: str(value) for key, value in NEW_FLOW.items() if value is not None}
            own = {"friendly_name": name, "contact_identity": identity, "enabled": "false"}
            answer = self._post("/flows/new/", **fields | own)
            if created := FLOW_PAGE_URL.search(answer.url):
                self._flows.add(created[1])
        elif kind == "edit":
            edits = [
                {"friendly_name": name},
                {"contact_identity": identity},
                {"friendly_name": name, "long_lived": "true"},
            ]
            self._post(f"/flows/{sid}/edit/", **self._chance.choice(edits))
        elif kind == "enabled":
            self._post(f"/flows/{sid}/enabled/", enabled=self._chance.choice(["true", "false"]))
        else:
            self._flows.drop(sid)
            self._post(f"/flows/{sid}/delete/", confirm_name=sid)

    def _post(self, path: str, *, form: str = "", **typed: str) -> requests.Response:
        """Get the page with the form and submit it as a browser does."""
        page = self._session.get(self.root + (form or path), timeout=HANG_TIMEOUT)
        hidden = {name: unescape(value) for name, value in HIDDEN_FIELDS.findall(page.text)}
        data = {**hidden, **typed, "reason": "the load"}
        answer = self._session.post(self.root + path, data=data, timeout=HANG_TIMEOUT)
        assert "/login/" not in answer.url
        first = answer.history[0] if answer.history else answer
        self.heard[str(first.status_code)] += 1
        return answer
