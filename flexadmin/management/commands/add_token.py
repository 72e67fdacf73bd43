"""`add_token USERNAME --scope read|write [--account AC…] --days N`: create an API token.

It prints `key.secret` once, on standard output.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from flexadmin.models import ApiToken
from flexadmin.users import api_tokens
from flexadmin.users.api_tokens import NewToken
from flows.accounts import twilio_accounts
from flows.management.command_line import command_actor, parse_count, required_log


class Command(BaseCommand):
    help = "Create an API token for a user and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--scope", required=True, choices=ApiToken.Scope.values)
        parser.add_argument(
            "--account",
            action="append",
            default=[],
            metavar="AC…",
            help="limit the token to this Twilio account; can be repeated",
        )
        parser.add_argument(
            "--days",
            required=True,
            type=parse_count,
            help=f"days until the token expires, 1 to {api_tokens.MAX_DAYS}",
        )
        parser.add_argument("--name", default="", help="what the token is for")

    def handle(
        self,
        *_args: Any,
        username: str,
        scope: str,
        account: list[str],
        days: int,
        name: str,
        **_options: Any,
    ) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {username}.")
        configured_sids = {one.sid for one in twilio_accounts.all_accounts()}
        for sid in account:
            if sid not in configured_sids:
                raise CommandError(f"{sid} is not a configured account.")
        if not 1 <= days <= api_tokens.MAX_DAYS:
            raise CommandError(f"--days must be a number from 1 to {api_tokens.MAX_DAYS}.")
        new = NewToken(scope=scope, days=days, name=name[:60], accounts=account)
        try:
            with required_log("no token was created"):
                _, credentials = api_tokens.create_token(user, new, actor=command_actor())
        except api_tokens.TooManyTokens:
            raise CommandError(
                f"{username} has {api_tokens.MAX_TOKENS} API tokens. Revoke one first."
            ) from None
        self.stdout.write(credentials)
