"""What the documentation names is run, and what runs it reads the documentation."""

import re
import tomllib

import pytest

from tests import docs, docs_commands
from tests.benchmarks.__main__ import BENCHMARKS, SHORT
from tests.faults import fronts

CI = (docs.ROOT / ".ci" / "run").read_text()
README = "README.md"


def test_every_command_has_a_short_form_and_every_short_form_its_command():
    named = docs.commands() | docs.manage_commands()

    assert named == docs_commands.FORMS.keys() | docs_commands.ELSEWHERE.keys()


def test_newcomer_types_two_commands():
    assert docs.first_commands() == ["uv run manage.py demo", "uv run pytest"]


def test_command_without_a_short_form_stops_ci(monkeypatch):
    pages = docs.pages()
    monkeypatch.setattr(docs, "pages", lambda: {**pages, README: pages[README] + "\n`uv run new`\n"})

    with pytest.raises(SystemExit, match="uv run new"):
        docs_commands.main()


def test_benchmarks_are_all_named_and_run_together():
    together = "uv run python -m tests.benchmarks"
    named = {
        command.removeprefix(f"{together} ")
        for command in docs.commands()
        if command.startswith(f"{together} ")
    }

    assert named == BENCHMARKS.keys() == SHORT.keys()
    assert together in docs_commands.FORMS


@pytest.mark.parametrize("language", ["caddy", "nginx"])
def test_configuration_of_each_proxy_is_there_to_be_tried(language):
    assert fronts.BACKEND in fronts.block_of(language)


def test_tests_have_what_a_deployment_on_postgresql_has():
    """`uv run pytest` installs no extra."""
    project = tomllib.loads((docs.ROOT / "pyproject.toml").read_text())

    assert set(project["project"]["optional-dependencies"]["postgres"]) <= set(
        project["dependency-groups"]["dev"]
    )


def test_ci_begins_as_a_newcomer_and_ends_with_all_tests():
    commands = [line for line in CI.splitlines() if re.match(r"(python3|run|CI=|DATABASE_URL=)", line)]

    assert commands[0] == "python3 .ci/newcomer"
    assert CI.index("python3 .ci/newcomer") < CI.index("apt-get install")
    assert "run python -m tests.docs_commands" in commands
    assert commands[-1] == "CI=true run pytest -q --long"
