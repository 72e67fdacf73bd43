"""`demo`: run the whole product on one machine, without a Twilio account.

It starts a sandbox as Twilio, a worker for bulk changes and the site, with users, some weeks of
history (flexadmin/demo/history.py) and a database in .demo/. Ctrl-C stops everything.
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

from flexadmin.demo import history
from flexadmin.ops import worker_heartbeat
from flexadmin.users import services
from flexadmin.users.roles import ensure_groups
from flows.accounts import twilio_accounts
from flows.approvals import sweep
from flows.audit.models import AuditEvent
from flows.management import command_line
from flows.migration import execution as migrations
from flows.mirror.name_sync import sync_with_names
from flows.notifications import worker as notifications
from flows.plans import execution
from flows.schedules import worker as schedules
from flows.twilio.sandbox.server import Sandbox

DEMO_USERS = {"vera": "viewer", "omar": "operator", "aude": "auditor", "ada": "admin"}


class Command(BaseCommand):
    help = "Run the dashboard against a made-up Twilio, with nothing to set up."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="the site's port; the sandbox takes the next"
        )
        parser.add_argument(
            "--flows",
            type=command_line.parse_count,
            default=300,
            help="how many flows a fresh sandbox has",
        )
        parser.add_argument(
            "--staging", action="store_true", help="add a second account, on the port after that"
        )
        parser.add_argument(
            "--fresh", action="store_true", help="discard the data of an earlier demo"
        )

    def handle(self, *_args: Any, port: int, flows: int, **_options: Any) -> None:
        if not settings.FLEX_API_URL.startswith("http://127.0.0.1:"):
            raise CommandError(
                "The demo talks to its own sandbox only. Start it as `uv run manage.py demo`."
            )
        sandbox_port = urlsplit(settings.FLEX_API_URL).port or 0
        folder = Path(settings.DATABASES["default"]["NAME"]).parent
        server = _bind_server(port)
        sandbox = build_sandbox(port=sandbox_port, flows=flows, state_file=folder / "sandbox.json")
        sandboxes = [sandbox, *_build_other_sandboxes(folder, flows // 10)]
        try:
            for each in sandboxes:
                each.start()
        except OSError:
            server.server_close()
            raise CommandError(_port_taken_message(sandbox_port)) from None
        try:
            self._prepare(sandbox)
            self._announce(port)
            server.set_app(get_wsgi_application())
            # What was running when the demo stopped.
            execution.requeue_all()
            migrations.requeue_all()
            threading.Thread(target=_build_worker().run, name="worker", daemon=True).start()
            worker_heartbeat.start()
            sweep.start()
            notifications.start()
            schedules.start()
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("\nDemo stopped. The next start continues from here.")
        finally:
            server.server_close()
            for each in sandboxes:
                each.stop()

    def _prepare(self, sandbox: Sandbox) -> None:
        call_command("migrate", verbosity=0)
        if sandbox.flows and not AuditEvent.objects.exists():
            self.stdout.write("Creating a few weeks of history …")
            history.make_history(sandbox, add_users=_add_users)
        _add_users()
        for account in twilio_accounts.all_accounts():
            sync_with_names(account.sid)

    def _announce(self, port: int) -> None:
        self.stdout.write("\nDemo users:")
        for name, role in DEMO_USERS.items():
            self.stdout.write(f"  {name:<6} {demo_password(name):<12} {role}")
        self.stdout.write(f"\nThe dashboard is on http://127.0.0.1:{port}\nPress Ctrl-C to stop.\n")
        self.stdout.flush()


def build_sandbox(*, flows: int, port: int = 0, state_file: Path | None = None) -> Sandbox:
    """Return the sandbox of the demo's first account, with flows from before its history."""
    return Sandbox(
        port=port,
        flows=flows,
        seed_end_time=history.seed_end_time(),
        state_file=state_file,
        # The history replaces `timezone.now`, so it is looked up at each call.
        clock=lambda: timezone.now(),
    )


def _build_other_sandboxes(folder: Path, flows: int) -> list[Sandbox]:
    """Return a sandbox for each account of the demo except the first."""
    return [
        Sandbox(
            port=urlsplit(account.root).port or 0,
            account_sid=account.sid,
            flows=flows,
            seed=2,
            state_file=folder / f"sandbox-{account.name}.json",
        )
        for account in twilio_accounts.all_accounts()[1:]
    ]


def _add_users() -> None:
    """Add the missing users like `add_operator` does, but with simple passwords."""
    ensure_groups()
    existing_names = set(User.objects.values_list("username", flat=True))
    for name, role in DEMO_USERS.items():
        if name not in existing_names:
            services.create_user(
                name=name,
                password=demo_password(name),
                role=role,
                on_accounts=[],
                actor=command_line.command_actor(),
            )


def _build_worker() -> Worker:
    """Return the worker that `db_worker` runs on a real site. It runs in a thread of the demo."""
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


def demo_password(name: str) -> str:
    """Return a user's password. It is public: the demo listens only on this machine."""
    return f"demo-{name}"


def _bind_server(port: int) -> ThreadedWSGIServer:
    try:
        return ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler)
    except (OSError, OverflowError):
        raise CommandError(_port_taken_message(port)) from None


def _port_taken_message(port: int) -> str:
    return (
        f"Port {port} is taken. Stop what listens there, or choose another: "
        "`uv run manage.py demo --port 8100`."
    )
