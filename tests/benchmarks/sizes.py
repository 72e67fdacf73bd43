"""Smallest sizes of the benchmarks, below which some of their pages or searches don't exist."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """Return an argparse type for a size with a minimum."""

    def size(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least:,} on")
        return int(text)

    return size


def ascending_sizes(least: int) -> Callable[[str], list[int]]:
    """Return an argparse type for sizes separated by commas."""

    def sizes(text: str) -> list[int]:
        return sorted({at_least(least)(one) for one in text.split(",")})

    return sizes
