"""The long tests, which `uv run pytest` leaves out: few changes break them. `--long` runs them too, and so does
naming their file.

A test is long if it carries the marker `long`, or stands in one of `FOLDERS` and doesn't carry `quick`.
`quick("id")` is of those parameters alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

TESTS_FOLDER: Final = Path(__file__).parent
LONG_FOLDERS: Final = ("armour", "browser", "faults")
SKIPPED_MESSAGE: Final = "The long tests were left out; with them: uv run pytest --long"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="run the long tests too: whole tours and faults"
    )


@pytest.hookimpl(tryfirst=True)  # so that -m knows the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if is_long(item):
            item.add_marker("long")
    if includes_long_tests(config):
        return
    named = named_files(config)
    left = {item for item in items if item.get_closest_marker("long") and item.path not in named}
    if left:
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not includes_long_tests(config) and not named_files(config):
        terminalreporter.write_line(SKIPPED_MESSAGE)


def is_long(item: pytest.Item) -> bool:
    if item.get_closest_marker("long"):
        return True
    if (
        item.path.is_relative_to(TESTS_FOLDER)
        and item.path.relative_to(TESTS_FOLDER).parts[0] in LONG_FOLDERS
    ):
        quick = item.get_closest_marker("quick")
        callspec = getattr(item, "callspec", None)
        return quick is None or bool(
            quick.args and (callspec is None or callspec.id not in quick.args)
        )
    return False


def includes_long_tests(config: pytest.Config) -> bool:
    """Whether the command asks for them, by `--long` or by what it says of markers."""
    return bool(
        config.getoption("--long") or re.search(r"\blong\b", config.getoption("markexpr", ""))
    )


def named_files(config: pytest.Config) -> set[Path]:
    """The test files that stand on the command line."""
    said = (
        Path(config.invocation_params.dir, argument.partition("::")[0]) for argument in config.args
    )
    return {path.resolve() for path in said if path.suffix == ".py"}
