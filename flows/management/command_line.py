"""Helpers for commands: the actor for the audit log, number arguments, and lists of events."""

from __future__ import annotations

import getpass
from argparse import ArgumentTypeError
from collections.abc import Sequence

from flows.audit.audit_log import Actor
from flows.erasure.erasure import seq_ranges

MAX_RANGES = 20


def command_actor() -> Actor:
    """Return the actor for the audit log, named after the machine's user that runs the command."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        name = "unknown"
    return Actor(id="", label=f"CLI ({name})")


def parse_count(text: str) -> int:
    """Parse a command's argument as a whole number of 0 or higher, for argparse."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not a whole number (0 or higher)")
    return int(text)


def format_seqs(seqs: Sequence[int]) -> str:
    """Return the seqs of events as ranges, such as "3-7, 9", up to `MAX_RANGES` of them."""
    ranges = seq_ranges(seqs)
    texts = []
    for first, last in ranges[:MAX_RANGES]:
        texts.append(str(first) if first == last else f"{first}-{last}")
    text = ", ".join(texts)
    if len(ranges) > MAX_RANGES:
        text += f" and {len(ranges) - MAX_RANGES} more places"
    return text
