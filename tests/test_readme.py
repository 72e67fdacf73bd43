"""The README and what runs it do not drift apart."""

import re
import tomllib

import pytest

from tests import readme, readme_commands
from tests.benchmarks.__main__ import BENCHMARKS, SHORT
from tests.faults import fronts

CI = (readme.README.parent / ".ci" / "run").read_text()


def test_newcomer_types_two_commands():
    assert readme.first_commands() == ["uv run manage.py demo", "uv run pytest"]


def test_every_command_has_a_short_form_and_every_short_form_its_command():
    named = readme.commands() | readme.manage_commands()

    assert named == readme_commands.FORMS.keys() | readme_commands.ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (
            "```sh\nuv run python -m tests.new --size 3   # what it does\n```\n",
            "uv run python -m tests.new --size 3",
        ),
        ("Then `uv run\nmanage.py new_one` does it.\n", "uv run manage.py new_one"),
        ("`X=1 uv run pytest tests/new`\n", "X=1 uv run pytest tests/new"),
    ],
)
def test_command_that_is_added_is_found(monkeypatch, more, found):
    written = readme.text()
    monkeypatch.setattr(readme, "text", lambda: f"{written}\n{more}")

    assert found in readme.commands()
    with pytest.raises(SystemExit, match=re.escape(found)):
        readme_commands.main()


def test_row_that_is_added_is_found(monkeypatch):
    written = readme.text().replace("| `sandbox` |", "| `new_one FILE\\|DIR` | does it |\n| `sandbox` |")
    monkeypatch.setattr(readme, "text", lambda: written)

    assert "new_one FILE|DIR" in readme.manage_commands()


def test_benchmarks_are_all_named_and_run_together():
    together = "uv run python -m tests.benchmarks"
    named = {
        written.removeprefix(f"{together} ")
        for written in readme.commands()
        if written.startswith(f"{together} ")
    }

    assert named == BENCHMARKS.keys() == SHORT.keys()
    assert together in readme_commands.FORMS


@pytest.mark.parametrize("language", ["caddy", "nginx"])
def test_configuration_of_each_proxy_is_there_to_be_tried(language):
    assert fronts.BACKEND in fronts.block_of(language)


def test_tests_have_what_a_deployment_on_postgresql_has():
    """`uv run pytest` installs no extra."""
    project = tomllib.loads((readme.README.parent / "pyproject.toml").read_text())

    assert set(project["project"]["optional-dependencies"]["postgres"]) <= set(
        project["dependency-groups"]["dev"]
    )


def test_ci_begins_as_a_newcomer_and_ends_with_all_tests():
    commands = [line for line in CI.splitlines() if re.match(r"(python3|run|CI=|DATABASE_URL=)", line)]

    assert commands[0] == "python3 .ci/newcomer"
    assert CI.index("python3 .ci/newcomer") < CI.index("apt-get install")
    assert "run python -m tests.readme_commands" in commands
    assert commands[-1] == "CI=true run pytest -q --long"
