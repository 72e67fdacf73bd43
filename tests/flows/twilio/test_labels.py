"""Labels for every action and result that the code can write to the audit log."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from flows.audit import actions
from flows.audit.models import Result

ROOT = Path(__file__).resolve().parents[3]
ACTION = re.compile(r"(?:flow|plan|account|auth|people|audit)\.[a-z_]+")
SOURCES = sorted(
    path.relative_to(ROOT)
    for package in ("flows", "flexadmin")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)


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
    names = set()
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and ACTION.fullmatch(node.value)
        ):
            names.add(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") != "add_argument":
            for keyword in node.keywords:
                if keyword.arg == "action":
                    names.update(filter(None, values_of(keyword.value, source)))
    return names


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_action_that_code_can_write_has_a_label(source):
    unnamed = actions_in((ROOT / source).read_text(), source) - {*actions.ACTION_LABELS}

    assert not unnamed, f"{source} can write these to the log; labels.ACTIONS does not name them"


def test_actions_in_finds_every_form_of_an_action():
    source = Path("flows/audit/verification.py")
    text = 'append(action=VERIFY_ACTION); permitted("p", action="new.thing"); done("auth.new"); append(action=audit_log.CHAIN_NAME)'

    assert actions_in(text, source) == {"audit.verify", "new.thing", "auth.new", "audit"}


def test_every_action_has_a_label_for_success_and_attempt():
    assert all(
        past_label and attempt_label and past_label[0].isupper() and attempt_label[0].isupper()
        for past_label, attempt_label in actions.ACTION_LABELS.values()
    )


def test_every_result_has_a_label_and_a_filter():
    assert {*actions.RESULT_LABELS} == {*Result.values}
    assert {*actions.RESULT_FILTER_LABELS} == {*Result.values, "unresolved", "resolved_later"}
