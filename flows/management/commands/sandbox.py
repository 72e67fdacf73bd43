"""Command that serves a local Flex API with sample flows, and prints the settings to use it.

The API itself is in flows.twilio.sandbox.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from flows.management.command_line import parse_count
from flows.twilio.sandbox.named_seed import MinimumCounts
from flows.twilio.sandbox.server import Sandbox

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Serves a local Flex API with made-up flows until you press Ctrl-C."
    requires_system_checks = []  # needs neither database nor templates

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8001, help="0 takes a free one (default: 8001)"
        )
        parser.add_argument(
            "--flows", type=parse_count, default=300, help="how many made-up flows (default: 300)"
        )
        parser.add_argument(
            "--studio-flows",
            type=parse_count,
            default=0,
            help="how many Studio Flows at least (default: as many as flows point to)",
        )
        parser.add_argument(
            "--workflows",
            type=parse_count,
            default=0,
            help="how many workflows at least (default: as many as flows point to)",
        )
        parser.add_argument(
            "--latency-ms", type=int, default=0, help="wait before each answer (default: 0)"
        )
        parser.add_argument(
            "--lag-seconds",
            type=float,
            default=0,
            help="how far reads may lag behind writes (default: 0)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        sandbox = Sandbox(
            port=options["port"],
            flows=options["flows"],
            latency=options["latency_ms"] / 1000,
            lag=options["lag_seconds"],
            minimum_counts=MinimumCounts(options["studio_flows"], options["workflows"]),
        )
        try:
            sandbox.start()
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"The sandbox can't listen on port {options['port']}: {error}. "
                "Choose another with --port."
            ) from error
        with suppress(KeyboardInterrupt):
            self.stdout.write(
                f"Sandbox with {options['flows']} flows on {sandbox.url} (Ctrl-C stops it)\n"
                f"FLEX_API_URL={sandbox.url}\n"
                f"TWILIO_API_URL={sandbox.api_url}\n"
                f"TWILIO_ACCOUNT_SID={sandbox.account_sid}\n"
                f"TWILIO_API_KEY={sandbox.api_key}\n"
                f"TWILIO_API_SECRET={sandbox.api_secret}"
            )
            self.stdout.flush()
            self.wait()
        sandbox.stop()

    def wait(self) -> None:
        threading.Event().wait()
