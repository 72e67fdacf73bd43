"""Registered actions: a label for all that code can record, and actions of further packages."""

import ast
import importlib
import re
from pathlib import Path
from unittest import mock

import pytest

from flows.audit import action_registry, event_text
from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent, Result, Stage

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(
    path.relative_to(ROOT)
    for package in ("flows", "flexadmin")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)


class WidgetAction(Action):
    CREATE = "widget.create", "Created a widget", "Create a widget"


def action_pattern():
    """Return a pattern of the strings that start like a registered action."""
    prefixes = {action.partition(".")[0] for action in action_registry.REGISTRY}
    return re.compile(rf"(?:{'|'.join(prefixes)})\.[a-z_]+")


def module_of(source):
    return importlib.import_module(".".join(source.with_suffix("").parts).removesuffix(".__init__"))


def values_of(node, source):
    """Return the strings that an argument can be. A local variable gives none."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return [*values_of(node.body, source), *values_of(node.orelse, source)]
    if isinstance(node, ast.Name):
        value = getattr(module_of(source), node.id, None)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(getattr(module_of(source), node.value.id, None), node.attr, None)
    else:
        value = None
    return [value] if isinstance(value, str) else []


def actions_in(text, source):
    """Return all values of `action` arguments, and all strings that look like an action."""
    pattern, names = action_pattern(), set()
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and pattern.fullmatch(node.value)
        ):
            names.add(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") != "add_argument":
            for keyword in node.keywords:
                if keyword.arg == "action":
                    names.update(filter(None, values_of(keyword.value, source)))
    return names


def enumerations():
    """Return the enumerations of actions that the code declares."""
    for source in SOURCES:
        if source.name == "actions.py":
            module_of(source)
    return [one for one in subclasses(Action) if not one.__module__.startswith("tests.")]


def subclasses(base):
    """Yield the subclasses of a class, and theirs."""
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_action_that_code_can_write_has_a_label(source):
    unnamed = actions_in((ROOT / source).read_text(), source) - action_registry.REGISTRY.keys()

    assert not unnamed, f"{source} can write these to the log; no package registers them"


def test_actions_in_finds_every_form_of_an_action():
    source = Path("flows/audit/verification.py")
    text = (
        'append(action=AuditAction.VERIFY); permitted("p", action="new.thing");'
        ' done("auth.new"); append(action=audit_log.CHAIN_NAME)'
    )

    assert actions_in(text, source) == {"audit.verify", "new.thing", "auth.new", "audit"}


def test_every_enumeration_of_actions_is_registered():
    declared = [action for enumeration in enumerations() for action in enumeration]

    assert sorted(declared) == sorted(action_registry.REGISTRY)


def test_every_action_has_a_label_for_success_and_attempt():
    assert all(
        action.label[0].isupper() and action.infinitive[0].isupper()
        for action in action_registry.REGISTRY.values()
    )


@pytest.mark.django_db
def test_action_of_another_resource_has_its_label_on_the_pages(client_of):
    event = AuditEvent(action="widget.create", stage=Stage.ATTEMPT, result=Result.PENDING)

    with mock.patch.dict(action_registry.REGISTRY):
        action_registry.register(WidgetAction)
        page = client_of("viewer").get("/audit/?action=widget.create")
        attempted = event_text.headline(event)
        event.result = Result.SUCCEEDED
        applied = event_text.headline(event)

    assert (attempted, applied) == ("Create a widget", "Created a widget")
    assert ("widget.create", "Create a widget") in page.context["choices"]["action"]
    assert event_text.headline(event) == "widget.create"


def test_every_result_has_a_label_and_a_filter():
    assert {*action_registry.RESULT_LABELS} == {*Result.values}
    assert {*action_registry.RESULT_FILTER_LABELS} == {
        *Result.values,
        "unresolved",
        "resolved_later",
    }
