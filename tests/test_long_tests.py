"""Long tests are left out of `uv run pytest`, which says so."""

import functools
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


@functools.cache
def collect(*arguments):
    output = run("--collect-only", "-q", *arguments).stdout
    return {line for line in output.splitlines() if "::" in line}, output


def run(*arguments, **environment):
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CI"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", *arguments],
        cwd=README.parent, env={**inherited, **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def test_folder_of_long_tests_has_some_quick_ones():
    quick_names, output = collect("tests/browser")
    all_names, _ = collect("tests/browser", "--long")

    assert SKIPPED_MESSAGE in output
    assert 5 < len(quick_names) < len(all_names) / 5
    assert "tests/browser/test_keyboard.py::test_create_and_delete" in quick_names


@pytest.mark.parametrize(
    "arguments", [("--long",), ("-m", "browser and long"), ("-m", "long or not long")]
)
def test_options_include_long_tests(arguments):
    names, output = collect("tests/browser", *arguments)

    assert "tests/browser/test_keyboard.py::test_many_at_once_and_back" in names
    assert SKIPPED_MESSAGE not in output


def test_browser_marker_does_not_include_long_tests():
    names, _output = collect("tests/browser", "tests/test_docs.py", "-m", "browser")

    assert 5 < len(names) < 30
    assert all(name.startswith("tests/browser/") for name in names)


def test_two_parts_of_ci_are_all_tests():
    folders = ("tests/browser", "tests/security", "tests/flexadmin/demo")
    quick_names, _ = collect(*folders)
    other_names, _ = collect(*folders, "-m", "long or browser")
    all_names, _ = collect(*folders, "--long")

    assert quick_names | other_names == all_names
    assert {name for name in all_names if "tests/browser/" in name} <= other_names
    assert len(quick_names & other_names) < 30


def test_named_file_runs_completely():
    names, output = collect(FILE)
    named_test, _ = collect(f"{FILE}::test_many_at_once_and_back")

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
