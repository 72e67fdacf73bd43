"""The long tests are left out, and said to be, for somebody who types `uv run pytest`."""

import os
import re
import subprocess
import sys

import pytest

from tests.docs import README
from tests.long_tests import SKIPPED_MESSAGE

MISSING = "The browser tests need Chromium: apt-get install chromium-headless-shell"
A_FILE, ANOTHER = "tests/browser/test_keyboard.py", "tests/browser/test_pages.py"
pytestmark = pytest.mark.long


def collected(*arguments):
    said = run("--collect-only", "-q", *arguments).stdout
    return {line for line in said.splitlines() if "::" in line}, said


def run(*arguments, **environment):
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CI"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", *arguments],
        cwd=README.parent, env={**inherited, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_folder_of_long_tests_has_a_few_quick_ones():
    quick, said = collected("tests/browser")
    every, _ = collected("tests/browser", "--long")

    assert SKIPPED_MESSAGE in said
    assert 5 < len(quick) < len(every) / 5
    assert "tests/browser/test_keyboard.py::test_create_and_delete" in quick


@pytest.mark.parametrize(
    "arguments", [("--long",), ("-m", "browser and long"), ("-m", "long or not long")]
)
def test_long_tests_come_when_asked_for(arguments):
    found, said = collected("tests/browser", *arguments)

    assert "tests/browser/test_keyboard.py::test_many_at_once_and_back" in found
    assert SKIPPED_MESSAGE not in said


def test_marker_alone_does_not_ask_for_them():
    found, _said = collected("tests/browser", "tests/test_docs.py", "-m", "browser")

    assert 5 < len(found) < 30
    assert all(name.startswith("tests/browser/") for name in found)


def test_file_that_is_named_runs_whole():
    found, said = collected(A_FILE)
    one, _ = collected(f"{A_FILE}::test_many_at_once_and_back")

    assert len(found) == 4
    assert one == {f"{A_FILE}::test_many_at_once_and_back"}
    assert SKIPPED_MESSAGE not in said


def test_without_chromium_one_line_says_how_to_get_it(tmp_path):
    ended = run("-q", "-n", "2", A_FILE, ANOTHER, PATH=str(tmp_path))

    assert ended.returncode == 0
    assert ended.stdout.count(MISSING) == 1
    assert re.search(
        r"^SKIPPED \[\d\d\] tests/browser/conftest.py:\d+: ", ended.stdout, re.MULTILINE
    )


def test_without_chromium_ci_fails(tmp_path):
    ended = run("-q", A_FILE, PATH=str(tmp_path), CI="true")

    assert ended.returncode == 1
    assert re.search(r"^4 errors", ended.stdout, re.MULTILINE)
    assert MISSING in ended.stdout
