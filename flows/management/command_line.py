"""What the commands that leave a trace in the audit log share: who runs them, and how they list events."""

from __future__ import annotations

import getpass
from argparse import ArgumentTypeError
from collections.abc import Sequence

from flows.services.audit import Actor
from flows.services.erasure import ranges

MOST_LISTED = 20


def actor() -> Actor:
    """Whoever runs the command, by the name of the account on this machine."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        name = "unknown"
    return Actor(id="", label=f"CLI ({name})")


def count(text: str) -> int:
    """Return how many are asked for: a whole number from 0 on, for argparse."""
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentTypeError(f"{text!r} is not a whole number (0 or higher)")
    return int(text)


def listed(seqs: Sequence[int]) -> str:
    """Events by their seq: "3-7, 9", the first few."""
    found = ranges(seqs)
    more = f" and {len(found) - MOST_LISTED} more places" if len(found) > MOST_LISTED else ""
    text = ", ".join(
        str(first) if first == last else f"{first}-{last}" for first, last in found[:MOST_LISTED]
    )
    return text + more
