"""Reading a password for a command: from the environment's OPERATOR_PASSWORD, or from standard input (asked for, unseen,
on a terminal)."""

from __future__ import annotations

import getpass
import os
import sys


def read_password() -> str:
    """Return the password, without the line's end."""
    if given := os.environ.get("OPERATOR_PASSWORD"):
        return given
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
