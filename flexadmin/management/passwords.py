"""Passwords for commands: from OPERATOR_PASSWORD or from standard input.

On a terminal the command prompts for the password and doesn't echo it.
"""

from __future__ import annotations

import getpass
import os
import sys


def read_password() -> str:
    """Return the password without its line ending."""
    password = os.environ.get("OPERATOR_PASSWORD")
    if password:
        return password
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
