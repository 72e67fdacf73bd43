"""The site as deployed, and Django admin, on one database with the sandbox's flows.

It uses gunicorn, compressed static files with hashed names, and DEBUG off. Everything is in a
folder of its own and listens on 127.0.0.1. This process itself needs no Django.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.twilio.sandbox.server import Sandbox
from tests.patience import HANG_TIMEOUT

ROOT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "ada", "made-up-password"
FLOWS = 300
SETTINGS_MODULES = ("tests.benchmarks.site_settings", "tests.benchmarks.admin_settings")


@dataclass(frozen=True, slots=True)
class DeployedSites:
    """Addresses of both sites. PERSON has all permissions in both."""

    site: str
    admin: str
    sandbox: Sandbox
    database: Path

    def expire_mirror(self) -> None:
        """Make the mirror old enough for the list to refresh it, as on a user's first visit."""
        with (
            closing(sqlite3.connect(self.database, timeout=HANG_TIMEOUT)) as connection,
            connection,
        ):
            connection.execute("UPDATE flows_syncstate SET synced_at = datetime('now', '-1 day')")


@contextmanager
def deploy_sites(folder: Path, *, flows: int = FLOWS) -> Iterator[DeployedSites]:
    """Run both sites with a number of flows while the context lasts.

    Raises RuntimeError with their log if one of them doesn't start.
    """
    database = folder / "db.sqlite3"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(flows=flows))
        variables = environment(folder, f"sqlite:///{database}", sandbox)
        run_module(variables, "tests.benchmarks.prepare")
        site, admin = (
            stack.enter_context(
                serve_site(folder, {**variables, "DJANGO_SETTINGS_MODULE": settings})
            )[0]
            for settings in SETTINGS_MODULES
        )
        yield DeployedSites(site, admin, sandbox, database)


def environment(folder: Path, database_url: str, sandbox: Sandbox) -> dict[str, str]:
    """Return an environment without any settings of a real account."""
    inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.admin_settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_KEY": secrets.token_urlsafe(48),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": "",
        "HTTPS_ONLY": "false",
        "DATABASE_URL": database_url,
        "STATIC_FOLDER": str(folder / "static"),
        "FLEX_API_URL": sandbox.url,
        "TWILIO_API_URL": sandbox.api_url,
        "TWILIO_ACCOUNT_SID": sandbox.account_sid,
        "TWILIO_API_KEY": sandbox.api_key,
        "TWILIO_API_SECRET": sandbox.api_secret,
        "TWILIO_AUTH_TOKEN": "",
        "LOG_LEVEL": "ERROR",
        "PERSON_NAME": USERNAME,
        "PERSON_PASSWORD": PASSWORD,
    }


def run_module(environment: dict[str, str], module: str, *arguments: str) -> str:
    """Run a module and return its standard output. Raises RuntimeError with its error output."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{module} broke off:\n{result.stderr[-4000:]}")
    return result.stdout


@contextmanager
def serve_site(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Start gunicorn as in deployment.md; return address and process after its first response."""
    log = folder / f"{environment['DJANGO_SETTINGS_MODULE']}.log"
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener, log.open("wb") as sink:
        command = [
            sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()", "--bind",
            f"fd://{listener.fileno()}", "--workers", "2", "--threads", "4", "--timeout", "90",
            "--worker-class", "flexadmin.http.buffering.BufferingWorker", "--no-control-socket",
            "--worker-tmp-dir", str(folder),
        ]  # fmt: skip
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            pass_fds=[listener.fileno()],
            stdout=sink,
            stderr=sink,
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            _wait_until_ready(address, process, log)
            yield address, process.pid
        finally:
            process.terminate()
            try:
                process.wait(HANG_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a response. The listener is open already, so the request waits for a worker."""
    try:
        _opener.open(f"{address}/nowhere/", timeout=HANG_TIMEOUT).close()
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError) and error.code < 500:
            return
        status = process.poll()
        raise RuntimeError(
            f"no answer ({error}, status {status}):\n{log.read_text()[-4000:]}"
        ) from None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
