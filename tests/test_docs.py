"""README.md, the pages of .docs, .env.example and CI agree with the code.

A check must find each of its faults in `PLANTED_FAULTS`.
"""

import re
import tomllib

import pytest

from tests import docs, docs_commands, environment_variables
from tests.benchmarks.__main__ import BENCHMARKS, SHORT_OPTIONS
from tests.docs_checks import (
    ALL_CHECKS,
    AUDIT_LOG,
    DEPLOYMENT,
    DJANGO_FOLDERS,
    MAX_README_LINES,
    OUR_APPS,
    README,
    SETTINGS,
    check_actions,
    check_addresses,
    check_commands,
    check_defaults,
    check_fields,
    check_length,
    check_links,
    check_metrics,
    check_named_variables,
    check_options,
    check_pages_are_linked,
    check_short_forms,
    check_stages_and_results,
    check_variables,
    first_cells,
    missing_and_unknown,
    setting_of,
    words_in,
)
from tests.faults import fronts

CI = (docs.ROOT / ".ci" / "run").read_text()
MAX_EXAMPLE_COLUMNS = 100


@pytest.mark.parametrize(
    "check", ALL_CHECKS, ids=lambda check: check.__name__.removeprefix("check_")
)
def test_documentation_agrees_with_the_code(check):
    assert check(docs.pages()) == []


# Faults by check: the page, the text to replace ("": append), the new text, part of the complaint.
PLANTED_FAULTS = {
    check_commands: [
        (README, "", "`uv run manage.py make_coffee`", "make_coffee does not exist"),
        (SETTINGS, "### `sync_flows`", "### `sink_flows`", "sync_flows is not documented"),
        (SETTINGS, "### `sync_flows`", "### `sink_flows`", "sink_flows does not exist"),
    ],
    check_options: [
        (SETTINGS, "| `--fresh` |", "| `--clean` |", "--fresh is not documented"),
        (SETTINGS, "| `--fresh` |", "| `--clean` |", "--clean does not exist"),
        (SETTINGS, "`--port` | `8000`", "`--port` | `80`", "has the default 8000"),
        (SETTINGS, "`--role` | required", "`--role` | none", "has the default None"),
    ],
    check_short_forms: [
        (
            README,
            "",
            "```sh\nuv run python -m tests.new   # does it\n```",
            "uv run python -m tests.new",
        ),
        (README, "", "Then `uv run\nmanage.py new_one` does it.", "uv run manage.py new_one"),
        (README, "", "`X=1 uv run pytest tests/new`", "X=1 uv run pytest tests/new"),
        (README, "", "`verify_audit --quickly`", "verify_audit --quickly"),
        (README, "uv run gunicorn ", "gunicorn ", "uv run gunicorn --config flexadmin/gunicorn.py"),
    ],
    check_variables: [
        (SETTINGS, "| `LOG_LEVEL` |", "| `LOG_LOUD` |", "LOG_LEVEL is not documented"),
        (SETTINGS, "| `LOG_LEVEL` |", "| `LOG_LOUD` |", "LOG_LOUD does not exist"),
        (SETTINGS, "| `OIDC_CLIENT_ID` |", "| |", "OIDC_CLIENT_ID is not documented"),
        (SETTINGS, "| `TWILIO_COLOUR` |", "| |", "TWILIO_COLOUR is not documented"),
        (SETTINGS, "| `WEB_CONCURRENCY` |", "| |", "WEB_CONCURRENCY is not documented"),
    ],
    check_defaults: [
        (SETTINGS, "`SESSION_HOURS` | `12`", "`SESSION_HOURS` | `336`", "default 12"),
        (SETTINGS, "`HTTPS_ONLY` | `true`", "`HTTPS_ONLY` | –", "default true"),
    ],
    check_named_variables: [
        (README, "", "Set AUDIT_KEYS to it.", "AUDIT_KEYS does not exist"),
        (README, "", "`VERBOSE=1`", "VERBOSE does not exist"),
        (README, "", "```ini\nTWILIO_SECRET__STAGING=x\n```", "TWILIO_SECRET does not exist"),
    ],
    check_addresses: [
        (README, "", "`/flows/everything/`", "/flows/everything/ leads nowhere"),
        (README, "", "https://YOUR-HOST/login/sso/", "/login/sso/ leads nowhere"),
        (README, "", "`/audit/<FO…>/`", "/audit/<FO…>/ leads nowhere"),
    ],
    check_actions: [
        (AUDIT_LOG, "| `flow.drift` |", "| `flow.adrift` |", "flow.drift is not documented"),
        (AUDIT_LOG, "| `flow.drift` |", "| `flow.adrift` |", "flow.adrift does not exist"),
    ],
    check_stages_and_results: [
        (AUDIT_LOG, "| `pending` |", "| `waiting` |", "pending is not documented"),
        (AUDIT_LOG, "| `pending` |", "| `waiting` |", "waiting does not exist"),
    ],
    check_fields: [
        (AUDIT_LOG, "| `duration_ms` |", "| `seconds` |", "duration_ms is not documented"),
        (AUDIT_LOG, "| `duration_ms` |", "| `seconds` |", "seconds does not exist"),
    ],
    check_metrics: [
        (README, "", "`flexflow_coffee`", "flexflow_coffee does not exist"),
        (DEPLOYMENT, "`flexflow_database_up`", "", "flexflow_database_up is not documented"),
    ],
    check_links: [
        (README, "", "[here](.docs/nowhere.md)", "no file .docs/nowhere.md"),
        (README, "", "[here](.docs/deployment.md#x)", "no heading .docs/deployment.md#x"),
        (README, "", "[here](#x)", "no heading #x"),
    ],
    check_pages_are_linked: [
        (README, "(.docs/benchmarks.md)", "", "does not link .docs/benchmarks.md"),
    ],
    check_length: [(README, "", "\n" * MAX_README_LINES, "lines")],
}


@pytest.mark.parametrize(
    ("check", "fault"),
    [(check, fault) for check, faults in PLANTED_FAULTS.items() for fault in faults],
)
def test_planted_fault_is_found(check, fault):
    path, old, new, complaint = fault
    pages = docs.pages()
    assert old in pages[path]
    pages[path] = pages[path].replace(old, new) if old else f"{pages[path]}\n{new}\n"

    assert complaint in "\n".join(check(pages))


def test_every_check_has_a_planted_fault():
    assert PLANTED_FAULTS.keys() == {*ALL_CHECKS}


# .env.example


def example_names(text):
    return {setting_of(name) for name in re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE)}


def test_example_has_every_setting_and_no_other():
    example = (docs.ROOT / ".env.example").read_text(encoding="utf-8")
    settings, _ = environment_variables.of_the_site()

    assert missing_and_unknown("setting", example_names(example), settings.keys()) == []


def test_added_or_removed_setting_of_the_example_is_found():
    example = (docs.ROOT / ".env.example").read_text(encoding="utf-8")
    settings, _ = environment_variables.of_the_site()
    changed = example.replace("#LOG_LEVEL=", "#LOG_LOUD=")

    assert missing_and_unknown("setting", example_names(changed), settings.keys()) == [
        "setting LOG_LEVEL is not documented",
        "setting LOG_LOUD does not exist",
    ]


def test_lines_of_the_example_are_short():
    lines = (docs.ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if len(line) > MAX_EXAMPLE_COLUMNS] == []


# What a newcomer types, and what CI runs


def test_newcomer_needs_two_commands():
    assert docs.first_commands() == ["uv run manage.py demo", "uv run pytest"]


def test_command_without_a_short_form_stops_ci(monkeypatch):
    pages = docs.pages()
    monkeypatch.setattr(
        docs, "pages", lambda: {**pages, README: pages[README] + "\n`uv run new`\n"}
    )

    with pytest.raises(SystemExit, match="uv run new"):
        docs_commands.main()


def test_every_benchmark_is_documented_and_run():
    together = "uv run python -m tests.benchmarks"
    named = {
        command.removeprefix(f"{together} ")
        for command in docs.commands()
        if command.startswith(f"{together} ")
    }

    assert named == BENCHMARKS.keys() == SHORT_OPTIONS.keys()
    assert together in docs_commands.SHORT_FORMS


@pytest.mark.parametrize("language", ["caddy", "nginx"])
def test_configuration_of_each_proxy_is_documented(language):
    assert fronts.BACKEND in fronts.read_readme_block(language)


def test_tests_have_the_packages_of_a_deployment_on_postgresql():
    """`uv run pytest` installs no extra."""
    project = tomllib.loads((docs.ROOT / "pyproject.toml").read_text())

    assert set(project["project"]["optional-dependencies"]["postgres"]) <= set(
        project["dependency-groups"]["dev"]
    )


def test_ci_starts_as_a_newcomer_and_ends_with_the_other_tests():
    newcomer = CI.index("\npython3 .ci/newcomer\n")

    assert newcomer < CI.index("apt-get install") < CI.index("at_once types")
    assert "run python -m tests.docs_commands" in CI
    assert 'CI=true run pytest -q --durations 30 -n 3 -m "long or browser"' in CI
    for leg in ("postgresql", "sqlite", "documentation"):
        assert f"\n{leg}() {{" in CI
        assert f"\n{leg} || failed+=(" in CI
    assert "\nif ((${#failed[@]})); then" in CI


# The tree


def test_architecture_has_every_package_and_no_other():
    documented = first_cells(docs.pages(), ".docs/architecture.md", "## Packages")
    packages = {
        init.parent.relative_to(docs.ROOT).as_posix()
        for app in OUR_APPS
        for init in (docs.ROOT / app).glob("*/__init__.py")
    }

    assert missing_and_unknown("package", documented, packages - DJANGO_FOLDERS) == []


def test_every_question_has_an_answer_that_exists():
    page = docs.pages()[".docs/contributing.md"]
    rows = docs.table_rows(docs.section_of(page, "## Where would I change …?"))
    files = [word for _, answer in rows for word in words_in(answer) if "/" in word]

    assert len(rows) >= 20
    assert [question for question, answer in rows if not words_in(answer)] == []
    assert [file for file in files if not (docs.ROOT / file).exists()] == []
