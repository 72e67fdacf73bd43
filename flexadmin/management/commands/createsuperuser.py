"""`createsuperuser`: refused, because a superuser would be an administrator without a role."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refused: superusers have no rights here. Use add_operator NAME --role admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the options of Django's command, so that a script gets the refusal."""
        for option in ("--username", "--email", "--database"):
            parser.add_argument(option)
        parser.add_argument("--noinput", "--no-input", action="store_true")

    def handle(self, **_options: Any) -> None:
        raise CommandError(
            "No superuser was created: superusers have no rights here. "
            "Use `add_operator NAME --role admin`, which is recorded in the audit log."
        )
