"""`add_operator NAME --role ROLE`: adds a person. The password comes from the environment's
OPERATOR_PASSWORD, or from standard input (asked for, unseen, on a terminal).
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from flexadmin.roles import ROLES, ensure_groups


class Command(BaseCommand):
    help = "Add a person who may sign in, with one of the four roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--role", required=True, choices=list(ROLES))

    def handle(self, *_args: Any, name: str, role: str, **_options: Any) -> None:
        if User.objects.filter(username=name).exists():
            raise CommandError(f"There is a person called {name} already.")
        person = User(username=name)
        password = _password()
        try:
            person.clean_fields(exclude=["password"])
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        person.set_password(password)
        with transaction.atomic():
            ensure_groups()
            person.save()
            person.groups.set([Group.objects.get(name=role)])
        self.stdout.write(f"{name} may sign in as {role}.")


def _password() -> str:
    if given := os.environ.get("OPERATOR_PASSWORD"):
        return given
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
