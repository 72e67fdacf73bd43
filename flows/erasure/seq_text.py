"""Numbers of events as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flows.erasure.erasure import seq_ranges

MAX_RANGES: Final = 20


def format_seqs(seqs: Sequence[int]) -> str:
    """Return the seqs of events as ranges, such as "3-7, 9", up to `MAX_RANGES` of them."""
    ranges = seq_ranges(seqs)
    text = ", ".join(_format_range(first, last) for first, last in ranges[:MAX_RANGES])
    if len(ranges) > MAX_RANGES:
        text += f" and {len(ranges) - MAX_RANGES} more places"
    return text


def name_events(seqs: Sequence[int]) -> str:
    """Return the events for a sentence, such as "event 3" or "events 3-7, 9"."""
    noun = "event" if len(seqs) == 1 else "events"
    return f"{noun} {format_seqs(seqs)}"


def _format_range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
