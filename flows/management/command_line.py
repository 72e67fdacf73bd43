"""Helpers for commands: the actor for the audit log, accounts, failures, arguments."""

from __future__ import annotations

import getpass
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from flows.accounts import twilio_accounts
from flows.audit.audit_log import Actor, NotRecorded
from flows.audit.audit_types import COMMAND_PREFIX


def command_actor() -> Actor:
    """Return the actor for the audit log, named after the machine's user that runs the command."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        name = "unknown"
    return Actor(id="", label=f"{COMMAND_PREFIX}{name})")


@contextmanager
def required_log(consequence: str) -> Iterator[None]:
    """End the command with exit status 1 and one line if the block raises `NotRecorded`.

    `consequence` ends the sentence, such as "nothing was exported".
    """
    try:
        yield
    except NotRecorded:
        raise CommandError(f"Couldn't write to the audit log, so {consequence}.") from None


def account_prefix(account_sid: str) -> str:
    """Return the account's name for the start of a line, or "" if the site has only one account."""
    if twilio_accounts.only_account():
        return ""
    names = {account.sid: str(account) for account in twilio_accounts.all_accounts()}
    return f"{names.get(account_sid, account_sid)}: "


def parse_count(text: str) -> int:
    """Parse a command's argument as a whole number of 0 or higher, for argparse."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not a whole number (0 or higher)")
    return int(text)
