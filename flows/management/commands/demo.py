"""`demo`: the whole product on one machine, with no account and no server: the sandbox in Twilio's place,
a database in .demo/, people, some days of history, a worker for plans, and the site. Ctrl-C ends all of it.

The history is made in flows/management/demo_history.py, through the real services.
"""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker

from flexadmin import persons
from flexadmin.roles import ensure_groups
from flows import accounts
from flows.flexapi.sandbox import Sandbox
from flows.management import command_line, demo_history
from flows.models import AuditEvent
from flows.services import mirror, plans

PEOPLE = {"vera": "viewer", "omar": "operator", "aude": "auditor", "ada": "admin"}


class Command(BaseCommand):
    help = "Run the dashboard against a made-up Twilio, with nothing to set up."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="the site's port; the sandbox takes the next"
        )
        parser.add_argument(
            "--flows", type=command_line.count, default=300, help="how many flows a fresh sandbox has"
        )
        parser.add_argument(
            "--staging", action="store_true", help="add a second account, on the port after that"
        )
        parser.add_argument("--fresh", action="store_true", help="discard the data of an earlier demo")

    def handle(self, *_args: Any, port: int, flows: int, **_options: Any) -> None:
        if not settings.FLEX_API_URL.startswith("http://127.0.0.1:"):
            raise CommandError("The demo talks to its own sandbox only. Start it as `uv run manage.py demo`.")
        sandbox_port = urlsplit(settings.FLEX_API_URL).port or 0
        folder = Path(settings.DATABASES["default"]["NAME"]).parent
        server = _bound(port)
        sandbox = Sandbox(
            port=sandbox_port,
            flows=flows,
            state_file=folder / "sandbox.json",
            clock=lambda: timezone.now(),  # looked up at each call: the history tells it another time
        )
        others = [
            Sandbox(
                port=urlsplit(account.root).port or 0,
                account_sid=account.sid,
                flows=flows // 10,
                seed=2,
                state_file=folder / f"sandbox-{account.name}.json",
            )
            for account in accounts.every()[1:]
        ]
        try:
            for one in (sandbox, *others):
                one.start()
        except OSError:
            server.server_close()
            raise CommandError(_taken(sandbox_port)) from None
        try:
            self._prepare(sandbox)
            self._tell(port)
            server.set_app(get_wsgi_application())
            plans.resume()  # those that the last demo left under way
            threading.Thread(target=_worker().run, name="worker", daemon=True).start()
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("\nDemo stopped. The next start continues from here.")
        finally:
            server.server_close()
            for one in (sandbox, *others):
                one.stop()

    def _prepare(self, sandbox: Sandbox) -> None:
        call_command("migrate", verbosity=0)
        if sandbox.flows and not AuditEvent.objects.exists():
            self.stdout.write("Creating a few days of history …")
            demo_history.make(sandbox, add_people=_add_people)
        _add_people()
        for account in accounts.every():
            mirror.sync(account.sid)

    def _tell(self, port: int) -> None:
        self.stdout.write("\nDemo users:")
        for name, role in PEOPLE.items():
            self.stdout.write(f"  {name:<6} {password_of(name):<12} {role}")
        self.stdout.write(f"\nThe dashboard is on http://127.0.0.1:{port}\nPress Ctrl-C to stop.\n")
        self.stdout.flush()


def _add_people() -> None:
    """Add those who aren't there yet, on record as `add_operator` does it. Only their passwords are shorter."""
    ensure_groups()
    known = set(User.objects.values_list("username", flat=True))
    for name, role in PEOPLE.items():
        if name not in known:
            persons.create(
                name=name, password=password_of(name), role=role, on_accounts=[], actor=command_line.actor()
            )


def _worker() -> Worker:
    """What `db_worker` is on a real site, in a thread: it ends with the demo, and the next one goes on."""
    return Worker(
        queue_names=["default"],
        interval=0.5,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="demo",
        excluded_queue_names=[],
    )


def password_of(name: str) -> str:
    """The demo's passwords are no secret: its site listens on this machine only, and holds made-up data."""
    return f"demo-{name}"


def _bound(port: int) -> ThreadedWSGIServer:
    try:
        return ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler)
    except (OSError, OverflowError):
        raise CommandError(_taken(port)) from None


def _taken(port: int) -> str:
    return f"Port {port} is taken. Stop what listens there, or choose another: `uv run manage.py demo --port 8100`."
