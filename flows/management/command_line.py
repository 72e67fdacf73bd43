"""What the commands that leave a trace in the audit log share: who runs them, and how they list events."""

from __future__ import annotations

import getpass
from argparse import ArgumentTypeError
from collections.abc import Sequence

from flows.audit.audit_log import Actor
from flows.erasure.erasure import seq_ranges

MAX_RANGES = 20


def command_actor() -> Actor:
    """Whoever runs the command, by the name of the account on this machine."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        name = "unknown"
    return Actor(id="", label=f"CLI ({name})")


def parse_count(text: str) -> int:
    """Return how many are asked for: a whole number from 0 on, for argparse."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not a whole number (0 or higher)")
    return int(text)


def format_seqs(seqs: Sequence[int]) -> str:
    """Events by their seq: "3-7, 9", the first few."""
    found = seq_ranges(seqs)
    more = f" and {len(found) - MAX_RANGES} more places" if len(found) > MAX_RANGES else ""
    text = ", ".join(
        str(first) if first == last else f"{first}-{last}" for first, last in found[:MAX_RANGES]
    )
    return text + more
