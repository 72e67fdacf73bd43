"""Selection of long tests, which `uv run pytest` leaves out because few changes break them.

`--long` includes them, and so does the name of their file. A test is long if it has the marker
`long`, or is in one of `LONG_FOLDERS` and doesn't have `quick`. `quick("id")` applies to those
parameters only.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

TESTS_FOLDER: Final = Path(__file__).parent
LONG_FOLDERS: Final = ("security", "browser", "faults")
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
    named_paths = named_files(config)
    deselected = {
        item for item in items if item.get_closest_marker("long") and item.path not in named_paths
    }
    if deselected:
        config.hook.pytest_deselected(items=list(deselected))
        items[:] = [item for item in items if item not in deselected]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not includes_long_tests(config) and not named_files(config):
        terminalreporter.write_line(SKIPPED_MESSAGE)


def is_long(item: pytest.Item) -> bool:
    if item.get_closest_marker("long"):
        return True
    if not item.path.is_relative_to(TESTS_FOLDER):
        return False
    if item.path.relative_to(TESTS_FOLDER).parts[0] not in LONG_FOLDERS:
        return False
    quick = item.get_closest_marker("quick")
    if quick is None:
        return True
    callspec = getattr(item, "callspec", None)
    return bool(quick.args and (callspec is None or callspec.id not in quick.args))


def includes_long_tests(config: pytest.Config) -> bool:
    """Tell whether the command includes them, by `--long` or by its marker expression."""
    return bool(
        config.getoption("--long") or re.search(r"\blong\b", config.getoption("markexpr", ""))
    )


def named_files(config: pytest.Config) -> set[Path]:
    """Return the test files named_paths on the command line."""
    paths = (
        Path(config.invocation_params.dir, argument.partition("::")[0]) for argument in config.args
    )
    return {path.resolve() for path in paths if path.suffix == ".py"}
