"""Environment variables that the code reads, found in its source.

A variable counts as read if its name appears in a call of `env`, of one of the readers below, or of
`os.environ`. Names that a generator expression iterates over count as well.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests import docs

# Functions of the settings that take a variable's name, beside those of `env`.
READERS: Final = ("required", "self.required", "self._variable")
ENVIRON_METHODS: Final = ("get", "setdefault")  # methods of os.environ
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]+")

Defaults = Mapping[str, set[str]]  # the defaults in the code by variable, as a page writes them


@functools.cache
def of_the_site() -> tuple[Defaults, Defaults]:
    """Return the settings, which .env and files can also contain, and other variables."""
    source = [*_python_files("flexadmin", "flows"), docs.ROOT / "manage.py"]
    variables = _Variables()
    for file in source:
        variables.visit(ast.parse(file.read_text(encoding="utf-8")))
    return variables.settings, variables.others


@functools.cache
def of_tests_and_ci() -> frozenset[str]:
    """Return variables read by the tests, and all capital names in CI's scripts."""
    variables = _Variables()
    for file in _python_files("tests"):
        variables.visit(ast.parse(file.read_text(encoding="utf-8")))
    scripts = "".join(path.read_text(encoding="utf-8") for path in (docs.ROOT / ".ci").iterdir())
    return frozenset({*variables.others, *_NAME.findall(scripts)})


def _python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((docs.ROOT / folder).rglob("*.py"))]


class _Variables(ast.NodeVisitor):
    def __init__(self) -> None:
        self.settings: defaultdict[str, set[str]] = defaultdict(set)
        self.others: defaultdict[str, set[str]] = defaultdict(set)
        self._loops: dict[str, list[str]] = {}  # texts by the name that a generator gives them

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        for loop in node.generators:
            if isinstance(loop.target, ast.Name):
                self._loops[loop.target.id] = _constants(ast.walk(loop.iter))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = ast.unparse(node.func)
        owner, _, method = function.rpartition(".")
        has_default = owner in ("env", "self.env")
        if function in READERS or has_default:
            self._add(self.settings, node, has_default=has_default)
        elif owner == "os.environ" and method in ENVIRON_METHODS:
            self._add(self.others, node, has_default=True)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load):
            for name in _constants([node.slice]):
                self.others[name] |= set()
        self.generic_visit(node)

    def _add(
        self, variables: defaultdict[str, set[str]], call: ast.Call, *, has_default: bool
    ) -> None:
        if not call.args:
            return
        first, *others = call.args
        names = (
            self._loops.get(first.id, []) if isinstance(first, ast.Name) else _constants([first])
        )
        defaults = [*others, *(keyword.value for keyword in call.keywords)] if has_default else []
        alternatives = (
            part
            for value in defaults
            for part in ([value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])
        )
        values = {*_constants(alternatives)} - {""}
        for name in filter(_NAME.fullmatch, names):
            variables[name] |= values


def _constants(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the constants among these nodes, as a page writes them."""
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
