"""Checks of the documentation against the code.

A check takes the pages by path and returns its complaints.
"""

import functools
import importlib.util
import re
import uuid
from pathlib import PurePosixPath

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.test import override_settings
from django.urls import Resolver404, resolve

from flows.audit.action_registry import REGISTRY
from flows.audit.export import EXPORT_FIELDS
from flows.audit.models import Result, Stage
from tests import docs, docs_commands, environment_variables

OUR_APPS = ("flows", "flexadmin")
README, AUDIT_LOG = "README.md", ".docs/audit-log.md"
DEPLOYMENT, SETTINGS = ".docs/deployment.md", ".docs/commands-and-settings.md"
MAX_README_LINES = 120

# Folders that Django prescribes.
DJANGO_FOLDERS = {
    f"{app}/{name}" for app in OUR_APPS for name in ("management", "migrations", "templatetags")
}
# Read by Python's tempfile.
READ_BY_LIBRARIES = {"TMPDIR"}
PATTERNS = {"NAME_FILE"}  # stand for many variables
FILESYSTEM = ("/dev/", "/etc/", "/run/", "/srv/")
PLACEHOLDERS = {
    "<FO…>": "FO" + "0" * 32,
    "<event_id>": str(uuid.UUID(int=0)),
    "<kind>": "webhook",
    "<value>": "hooks.example.com",
    "<resource>/<SID>": "channels/CH" + "0" * 32,
    "<resource>": "channels",
}
CODE = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"(?<![\w<{/.])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+(?![\w>}])")
OWN_HOSTS = r"https?://(?:YOUR-HOST|127\.0\.0\.1:8000|flows\.example\.com)"


def words_in(cell):
    """Return the names in the code of a table's cell."""
    return {word for span in CODE.findall(cell) for word in span.split()}


def missing_and_unknown(kind, documented, actual):
    """Return a sentence for each name that only one side has."""
    missing = [f"{kind} {name} is not documented" for name in sorted(actual - documented)]
    return missing + [f"{kind} {name} does not exist" for name in sorted(documented - actual)]


# Commands


@functools.cache
def our_commands():
    """Return the parser of each command that this site adds to Django's, by its name.

    `db_worker` is the one of django-tasks-db with a heartbeat; its options are documented there.
    """
    apps = {name: app for name, app in get_commands().items() if app in OUR_APPS}
    del apps["db_worker"]
    return {
        name: load_command_class(app, name).create_parser("manage.py", name)
        for name, app in apps.items()
    }


def options_of(parser):
    """Return the arguments of a command's own, by their names as a page writes them."""
    common_actions = BaseCommand().create_parser("", "")._actions
    common = {option for action in common_actions for option in action.option_strings}
    own_options = {}
    for action in parser._actions:
        names = set(action.option_strings) or {action.dest.upper()}
        if not names <= common:
            own_options.update(dict.fromkeys(names, action))
    return own_options


def command_sections(pages):
    sections = docs.sections_of(docs.section_of(pages[SETTINGS], "## Commands"), "###")
    return {title.strip("`"): section for title, section in sections.items()}


def check_commands(pages):
    """Every command of ours has a section, and every section and `manage.py X` is a command."""
    known_names = get_commands().keys()
    sections = command_sections(pages)
    ours = our_commands().keys() | {"db_worker"}
    complaints = missing_and_unknown("command", sections.keys() & known_names, ours)
    named = re.findall(r"manage\.py (\w+)", "\n".join(pages.values()))
    return complaints + [
        f"command {name} does not exist"
        for name in sorted({*sections, *named} - known_names)
        if name != "COMMAND"
    ]


def check_options(pages):
    """Each command's table has its options, with their defaults, and no others."""
    sections, complaints = command_sections(pages), []
    for name, parser in our_commands().items():
        options = options_of(parser)
        rows = docs.table_rows(sections.get(name, ""))
        documented = {word for row in rows for word in words_in(row[0])}
        complaints += missing_and_unknown(f"option of {name}", documented, options.keys())
        for names, default, _meaning in rows:
            actions = [options[word] for word in words_in(names) if word in options]
            complaints += [
                f"{name} {names} has the default {action.default}"
                for action in actions
                if not is_default_of(default, action)
            ]
    return complaints


def is_default_of(cell, action):
    if action.required:
        return cell == "required"
    if isinstance(action.default, str | int | float) and not isinstance(action.default, bool):
        return (not action.default and "`" not in cell) or cell == f"`{action.default}`"
    return "`" not in cell


def check_short_forms(pages):
    """CI runs every command that a page names, and no other."""
    named = docs.commands(pages) | docs.manage_commands(pages)
    in_ci = docs_commands.KNOWN_COMMANDS
    return missing_and_unknown("command", named, in_ci)


# Environment variables


def variable_rows(pages):
    """Return the rows of the settings' tables by variable."""
    rows = docs.table_rows(docs.section_of(pages[SETTINGS], "## Settings"))
    return {name: row for row in rows for name in words_in(row[0])}


def known_variables():
    settings, others = environment_variables.of_the_site()
    return settings.keys() | others.keys() | READ_BY_LIBRARIES


def setting_of(name):
    """Return the setting of a variable of one account (`X__STAGING`) or a file (`X_FILE`)."""
    return re.sub(r"__[A-Z]+$", "", name).removesuffix("_FILE")


def check_variables(pages):
    """Every variable that the site reads has a row, and every row a variable."""
    return missing_and_unknown("variable", variable_rows(pages).keys(), known_variables())


def check_defaults(pages):
    """The defaults in the code are those in the variables' rows.

    A default that depends on something else is documented in words.
    """
    settings, others = environment_variables.of_the_site()
    complaints = []
    for name, (_, documented, _meaning) in variable_rows(pages).items():
        defaults = settings.get(name, set()) | others.get(name, set())
        documented_code = CODE.search(documented)
        if documented_code is None and documented != "–":
            defaults = defaults - {"false"}
        if defaults and (documented_code is None or documented_code[1] not in defaults):
            complaints.append(f"variable {name} has the default {' or '.join(sorted(defaults))}")
    return complaints


def check_named_variables(pages):
    """Every variable that a sentence or an example names exists."""
    known_names, complaints = known_variables() | environment_variables.of_tests_and_ci(), []
    for path, page in pages.items():
        named = {*VARIABLE.findall(page), *re.findall(r"`([A-Z]{4,})=", page)} - PATTERNS
        unknown = {setting_of(name) for name in named - known_names} - known_names
        complaints += [f"{path}: variable {name} does not exist" for name in sorted(unknown)]
    return complaints


# Addresses


@functools.cache
def urls_with_debug():
    """Return the site's addresses as a module of its own, with those that only DEBUG has."""
    spec = importlib.util.spec_from_file_location(
        "urls_with_debug", docs.ROOT / "flexadmin" / "urls.py"
    )
    module = importlib.util.module_from_spec(spec)
    with override_settings(DEBUG=True):
        spec.loader.exec_module(module)
    return module


def check_addresses(pages):
    """Every address of this site that a page writes resolves."""
    urls, complaints = urls_with_debug(), []
    for path, page in pages.items():
        spans = [span for span in CODE.findall(page) if span.startswith("/") and len(span) > 1]
        named = {*spans, *re.findall(rf"{OWN_HOSTS}(/[^\s`)]*)", page)}
        for address in sorted(one for one in named if not one.startswith(FILESYSTEM)):
            filled = address.partition("?")[0]
            for placeholder, value in PLACEHOLDERS.items():
                filled = filled.replace(placeholder, value)
            try:
                resolve(filled, urlconf=urls)
            except Resolver404:
                complaints.append(f"{path}: {address} leads nowhere")
    return complaints


# The audit log, metrics


def first_cells(pages, path, heading):
    rows = docs.table_rows(docs.section_of(pages[path], heading))
    return {word for row in rows for word in words_in(row[0])}


def check_actions(pages):
    return missing_and_unknown(
        "action", first_cells(pages, AUDIT_LOG, "## Actions"), REGISTRY.keys()
    )


def check_stages_and_results(pages):
    documented = first_cells(pages, AUDIT_LOG, "## Stages and results")
    return missing_and_unknown("stage or result", documented, {*Stage.values, *Result.values})


def check_fields(pages):
    documented = {
        word.rstrip(",") for word in first_cells(pages, AUDIT_LOG, "## Fields of an event")
    }
    return missing_and_unknown("field", documented, {*EXPORT_FIELDS})


def check_metrics(pages):
    files = (docs.ROOT / "flexadmin").rglob("*.py")
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    actual = {*re.findall(r'"(flexflow_\w+)"', code)}
    return missing_and_unknown(
        "metric", {*re.findall(r"flexflow_\w+", "".join(pages.values()))}, actual
    )


# Links


def anchors_of(page):
    """Return the anchors that GitHub creates for a page's headings."""
    without_code = re.sub(r"^ *```.*?^ *```$", "", page, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def check_links(pages):
    """Every link within the repository leads to a file, and to a heading of it."""
    complaints = []
    for path, page in pages.items():
        for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page):
            file, _, anchor = target.partition("#")
            linked = PurePosixPath(path).parent / file if file else PurePosixPath(path)
            absolute = (docs.ROOT / linked).resolve()
            name = absolute.relative_to(docs.ROOT).as_posix()
            if not absolute.exists():
                complaints.append(f"{path}: there is no file {target}")
            elif anchor and anchor not in anchors_of(pages[name]):
                complaints.append(f"{path}: there is no heading {target}")
    return complaints


def check_pages_are_linked(pages):
    """The README links every page."""
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", pages[README])}
    return [f"the README does not link {path}" for path in sorted(pages.keys() - linked - {README})]


def check_length(pages):
    lines = len(pages[README].splitlines())
    return [f"the README has {lines} lines"] if lines > MAX_README_LINES else []


ALL_CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]
