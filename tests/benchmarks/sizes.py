"""How small a benchmark can be: below that its pages, searches or days don't exist."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """Return what argparse reads such a size by."""

    def size(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least:,} on")
        return int(text)

    return size


def ascending_sizes(least: int) -> Callable[[str], list[int]]:
    """Return what argparse reads several sizes by, with commas between them."""

    def sizes(text: str) -> list[int]:
        return sorted({at_least(least)(one) for one in text.split(",")})

    return sizes
