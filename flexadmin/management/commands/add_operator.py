"""`add_operator NAME --role ROLE [--account AC…]`: add a user, recorded in the audit log.

The password comes from OPERATOR_PASSWORD or from standard input.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from flexadmin.management.passwords import read_password
from flexadmin.signin.password_rules import validate_new_password
from flexadmin.users import services
from flexadmin.users.roles import ROLES, ensure_groups
from flexadmin.users.usernames import validate_new_username
from flows.accounts import twilio_accounts
from flows.management.command_line import command_actor, required_log


class Command(BaseCommand):
    help = "Add a user with one of the four roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the username")
        parser.add_argument("--role", required=True, choices=list(ROLES))
        parser.add_argument(
            "--account",
            action="append",
            default=[],
            metavar="AC…",
            help="limit the role to this Twilio account; can be repeated",
        )

    def handle(
        self, *_args: Any, name: str, role: str, account: list[str], **_options: Any
    ) -> None:
        configured_sids = {one.sid for one in twilio_accounts.all_accounts()}
        for sid in account:
            if sid not in configured_sids:
                raise CommandError(f"{sid} is not a configured account.")
        user = User(username=name)
        try:
            user.clean_fields(exclude=["password"])
            name = user.username = validate_new_username(name)
            password = read_password()
            validate_new_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        ensure_groups()
        with required_log("no user was added"):
            services.create_user(
                name=name, password=password, role=role, on_accounts=account, actor=command_actor()
            )
        accounts = f" on {', '.join(account)}" if account else ""
        self.stdout.write(f"{name} can sign in as {role}{accounts}.")
