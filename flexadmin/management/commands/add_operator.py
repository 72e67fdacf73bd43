"""`add_operator NAME --role ROLE [--account AC…]`: adds a person, and puts that on record. The password comes from the environment's
OPERATOR_PASSWORD, or from standard input (asked for, unseen, on a terminal).
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from flexadmin import persons
from flexadmin.management.passwords import read_password
from flexadmin.names import validate_new_username
from flexadmin.passwords import validate_new_password
from flexadmin.roles import ROLES, ensure_groups
from flows import accounts
from flows.management.command_line import actor
from flows.services.audit import NotRecorded


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

    def handle(self, *_args: Any, name: str, role: str, account: list[str], **_options: Any) -> None:
        for sid in account:
            if sid not in {one.sid for one in accounts.every()}:
                raise CommandError(f"{sid} is not a configured account.")
        person = User(username=name)
        try:
            person.clean_fields(exclude=["password"])
            name = person.username = validate_new_username(name)
            password = read_password()
            validate_new_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        ensure_groups()
        try:
            persons.create(name=name, password=password, role=role, on_accounts=account, actor=actor())
        except NotRecorded:
            raise CommandError("Couldn't write to the audit log, so no user was added.") from None
        where = f" on {', '.join(account)}" if account else ""
        self.stdout.write(f"{name} can sign in as {role}{where}.")
