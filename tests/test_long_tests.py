"""Long tests are left out of `uv run pytest`, which says so."""

import functools
import json
import os
import re
import subprocess
import sys

import pytest

from tests.docs import README
from tests.long_tests import SKIPPED_MESSAGE

MISSING_MESSAGE = "The browser tests need Chromium: apt-get install chromium-headless-shell"
FILE, OTHER_FILE = "tests/browser/test_keyboard.py", "tests/browser/test_pages.py"
pytestmark = pytest.mark.long


FOLDERS = ("tests/browser", "tests/security", "tests/flexadmin/demo")
# pytest's arguments by the name of the selection. One process collects all of them.
SELECTIONS = {
    "browser folder": ("tests/browser",),
    "browser marker": ("tests/browser", "tests/test_docs.py", "-m", "browser"),
    "with --long": ("tests/browser", "--long"),
    "with -m long": ("tests/browser", "-m", "browser and long"),
    "with -m long or not": ("tests/browser", "-m", "long or not long"),
    "quick in CI": FOLDERS,
    "others in CI": (*FOLDERS, "-m", "long or browser"),
    "all in CI": (*FOLDERS, "--long"),
    "named file": (FILE,),
    "named test": (f"{FILE}::test_many_at_once_and_back",),
}
END_OF_SELECTION = "-- end of a selection"
COLLECT = f"""
import json, sys, pytest
for arguments in json.loads(sys.argv[1]):
    pytest.main(["--collect-only", "-q", "-n", "0", *arguments])
    print({END_OF_SELECTION!r})
"""


@functools.cache
def collect_all():
    command = [sys.executable, "-c", COLLECT, json.dumps(list(SELECTIONS.values()))]
    outputs = start(command).stdout.split(END_OF_SELECTION)[:-1]
    return dict(zip(SELECTIONS, outputs, strict=True))


def collect(selection):
    """Return the names of the selected tests, and pytest's output."""
    output = collect_all()[selection]
    return {line for line in output.splitlines() if "::" in line}, output


def run(*arguments, **environment):
    return start([sys.executable, "-m", "pytest", "-n", "0", *arguments], **environment)


def start(command, **environment):
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CI"))
    }
    return subprocess.run(
        command, cwd=README.parent, env={**inherited, **environment}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


def test_folder_of_long_tests_has_some_quick_ones():
    quick_names, output = collect("browser folder")
    all_names, _ = collect("with --long")

    assert SKIPPED_MESSAGE in output
    assert 5 < len(quick_names) < len(all_names) / 5
    assert "tests/browser/test_keyboard.py::test_create_and_delete" in quick_names


@pytest.mark.parametrize("selection", ["with --long", "with -m long", "with -m long or not"])
def test_options_include_long_tests(selection):
    names, output = collect(selection)

    assert "tests/browser/test_keyboard.py::test_many_at_once_and_back" in names
    assert SKIPPED_MESSAGE not in output


def test_browser_marker_does_not_include_long_tests():
    names, _output = collect("browser marker")

    assert 5 < len(names) < 30
    assert all(name.startswith("tests/browser/") for name in names)


def test_two_parts_of_ci_are_all_tests():
    quick_names, _ = collect("quick in CI")
    other_names, _ = collect("others in CI")
    all_names, _ = collect("all in CI")

    assert quick_names | other_names == all_names
    assert {name for name in all_names if "tests/browser/" in name} <= other_names
    assert len(quick_names & other_names) < 30


def test_named_file_runs_completely():
    names, output = collect("named file")
    named_test, _ = collect("named test")

    assert len(names) == 4
    assert named_test == {f"{FILE}::test_many_at_once_and_back"}
    assert SKIPPED_MESSAGE not in output


def test_missing_chromium_is_reported_in_one_line(tmp_path):
    result = run("-q", "-n", "2", FILE, OTHER_FILE, PATH=str(tmp_path))

    assert result.returncode == 0
    assert result.stdout.count(MISSING_MESSAGE) == 1
    assert re.search(
        r"^SKIPPED \[\d\d\] tests/browser/conftest.py:\d+: ", result.stdout, re.MULTILINE
    )


def test_missing_chromium_fails_in_ci(tmp_path):
    result = run("-q", FILE, PATH=str(tmp_path), CI="true")

    assert result.returncode == 1
    assert re.search(r"^4 errors", result.stdout, re.MULTILINE)
    assert MISSING_MESSAGE in result.stdout
