"""`changepassword NAME`: give a user a temporary password, recorded in the audit log.

It replaces Django's command. The password comes from OPERATOR_PASSWORD or from standard input.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from flexadmin.management.passwords import read_password
from flexadmin.signin.auth_events import normalize_username
from flexadmin.signin.password_rules import validate_new_password
from flexadmin.users import services
from flows.management.command_line import command_actor, required_log


class Command(BaseCommand):
    help = (
        "Give a user a temporary password. Ends their sessions; they change it when they sign in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user's name")
        parser.add_argument(
            "--reason", default="", help="shown in the audit log; up to 200 characters"
        )

    def handle(self, *_args: Any, name: str, reason: str, **_options: Any) -> None:
        user = User.objects.filter(username=normalize_username(name)).first()
        if user is None:
            raise CommandError(f"There is no user named {name}.")
        if len(reason) > 200:
            raise CommandError("The reason is longer than 200 characters.")
        password = read_password()
        try:
            validate_new_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        with required_log("the password was not changed"):
            services.set_temporary_password(
                person=user, password=password, actor=command_actor(), reason=reason
            )
        hours = settings.ONE_TIME_PASSWORD_HOURS
        self.stdout.write(
            f"{name} has a temporary password. It expires in {hours} hours; their sessions have "
            "ended."
        )
