"""The palette: what it finds for a text, in groups.

A further group is a further line in `GROUPS`: its title, and a function that returns its options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from flexadmin.keyboard import commands, search_results
from flexadmin.keyboard.palette_query import Option, PaletteQuery
from flows.audit.access import Request

Finder = Callable[[PaletteQuery], Iterable[Option]]

GROUPS: Final[tuple[tuple[str, Finder], ...]] = (
    ("This flow", commands.find_flow_actions),
    ("Actions", commands.find_actions),
    ("Pages", commands.find_pages),
    ("Flows", search_results.find_flows),
    ("Targets", search_results.find_targets),
    ("Events", search_results.find_events),
)


@dataclass(frozen=True, slots=True)
class Group:
    """The options that one group found."""

    title: str
    options: list[Option]


def find_groups(request: Request, text: str) -> list[Group]:
    """Return the groups that have an option for this text. An empty text finds all commands.

    The user gets only what they are permitted to see and to do.
    """
    query = PaletteQuery(request, text)
    groups = [Group(title, list(find(query))) for title, find in GROUPS]
    return [group for group in groups if group.options]
