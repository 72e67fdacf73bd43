"""The pages speak the words of this field: no template, script or sentence in Python has a term that was replaced.

What is looked at: the text of the templates and of the attributes that are read out or shown, the strings of the
scripts, and the string literals of `flows` and `flexadmin` that are neither docstrings nor SQL.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").glob("*.js"))
MODULES = sorted(
    path
    for package in ("flows", "flexadmin")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)

# What is not said, and what is said in its place.
FORBIDDEN = {
    r"any ?more": "no longer",
    r"anew": "again, new",
    r"beside": "next to, with",
    r"on record": "recorded, logged",
    r"that which": "(rewrite)",
    r"somebody|whoever": "someone, a user",
    r"nobody": "no one, or the fact itself",
    r"what became of|fate|in doubt": "unknown outcome",
    r"(is|are) told": "(rewrite)",
    r"carried out": "applied",
    r"(was|were|is|are) not made": "couldn't …",
    r"found later|settled?": "confirmed later, resolved",
    r"has to decide|puzzle": "needs your decision",
    r"the copy|copy of Twilio": "synced with Twilio, cached",
    r"elsewhere|made at Twilio|not made here": "external change, outside this dashboard",
    r"first seen": "first synced",
    r"plans?": "bulk change",
    r"way back|left out|throw away|carry on": "roll back, skipped, discard, resume",
    r"open for changes|shut|closed": "read-write, writable, unavailable, read-only",
    r"every kind of call": "connected",
    r"evidence": "audit log",
    r"seal(s|ed)?|as (it was|they were) written": "hash chain, intact, verified",
    r"heads?": "signed checkpoint",
    r"contents (were )?erased|erased the contents": "personal data erased",
    r"people|persons?": "users",
    r"one-time": "temporary password",
    r"second factors?": "two-factor authentication (2FA)",
    r"held back": "locked out",
    r"who writes|what handles it": "channel, integration",
    r"switch(ed)? (it )?(on|off)|the switch": "turn on, turn off",
    r"(keep|forget) (this|the) view": "save view, delete view",
    r"copy out": "export",
    r"take back|taken back": "revert",
    r"gone": "deleted at Twilio",
    r"meanwhile": "in the meantime",
}
ANY_FORBIDDEN = re.compile(
    "|".join(rf"(?<![\w-])(?:{term})(?![\w-])" for term in FORBIDDEN), re.IGNORECASE
)

# Texts that have such a word and keep it. Each says why.
EXCEPTIONS = {
    "Closed over the holidays": "the reason of a made-up operator in the demo",
    "Plan": "a key of PostgreSQL's EXPLAIN",
    "Plan Rows": "a key of PostgreSQL's EXPLAIN",
    "first seen on": "a key in the payload of recorded events",
    "second factors": "a key in the payload of recorded events, which a verification compares",
}

# Modules with Twilio's own names for states, which users know from there.
TWILIOS_WORDS = {"interaction.py": "closed"}

SHOWN_ATTRIBUTES = re.compile(
    r'\b(?:title|alt|placeholder|aria-label|data-label|data-busy)="([^"]*)"'
)
SQL = re.compile(
    r"\b(?:SELECT|CASE WHEN|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|EXISTS|CONFLICT|RETURN)\b"
)


def texts_of_template(source: str) -> Iterator[str]:
    """What a template shows: its text, the values of shown attributes, and what is quoted in its tags."""
    source = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", " ", source, flags=re.DOTALL)
    for tag in re.findall(r"\{[%{].*?[%}]\}", source):
        yield from (quoted for quoted in re.findall(r'"([^"]*)"', tag) if " " in quoted)
    bare = re.sub(r"\{[%{].*?[%}]\}", " ", source)
    yield from SHOWN_ATTRIBUTES.findall(bare)
    yield from re.split(r"<[^>]*>", bare)


def texts_of_script(source: str) -> Iterator[str]:
    """The strings of a script that have more than one word."""
    bare = re.sub(r"^\s*//.*$", " ", source, flags=re.MULTILINE)
    yield from (
        text for text in re.findall(r'"([^"\n]*)"|`([^`]*)`', bare) for text in text if " " in text
    )


def texts_of_module(source: str) -> Iterator[str]:
    """The string literals of a module that may be shown: no docstring, no SQL, no name or path."""
    tree = ast.parse(source)
    left_out = {id(part) for node in ast.walk(tree) for part in _not_shown(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in left_out
        ):
            text = node.value
        else:
            continue
        is_text = " " in text.strip() or re.fullmatch(r"[A-Z][a-z]+", text)
        if is_text and not SQL.search(text):
            yield text


def _not_shown(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, names of types, and the parts of an f-string, which is looked at as a whole."""
    body = getattr(node, "body", None)
    for statement in body if isinstance(body, list) else []:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield statement.value
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if annotation is not None:  # the name of a type may be quoted
            yield from ast.walk(annotation)


def found_in(texts: Iterator[str]) -> list[str]:
    tidy = (" ".join(text.split()) for text in texts)
    return [text for text in tidy if ANY_FORBIDDEN.search(text) and text not in EXCEPTIONS]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_template_has_no_replaced_term(path):
    assert found_in(texts_of_template(path.read_text())) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_script_has_no_replaced_term(path):
    assert found_in(texts_of_script(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_has_no_replaced_term(path):
    found = found_in(texts_of_module(path.read_text()))
    own_word = TWILIOS_WORDS.get(path.name)

    assert [text for text in found if own_word is None or own_word not in text.lower()] == []


def test_external_changes_are_reverted_and_not_undone():
    pages = [path for path in TEMPLATES if "drift" in path.name]

    assert pages
    for path in pages:
        assert [
            text for text in texts_of_template(path.read_text()) if re.search(r"\bundo", text, re.I)
        ] == []


def test_exceptions_are_still_needed():
    sources = [
        *((texts_of_template, path) for path in TEMPLATES),
        *((texts_of_script, path) for path in SCRIPTS),
        *((texts_of_module, path) for path in MODULES),
    ]
    texts = {" ".join(text.split()) for read, path in sources for text in read(path.read_text())}

    assert set(EXCEPTIONS) - texts == set()


@pytest.mark.parametrize(
    ("read", "source"),
    [
        (texts_of_template, "<p>It is on record.</p>"),
        (texts_of_template, '<a title="Changed elsewhere">x</a>'),
        (texts_of_template, '{% include "_empty.html" with text="Nobody has dealt with this" %}'),
        (texts_of_template, '{{ account.name|default:"The copy of it" }}'),
        (texts_of_script, 'say("It was not made")'),
        (texts_of_script, "say(`Settled by ${name}`)"),
        (texts_of_module, 'SAID = "the person is deactivated"'),
        (texts_of_module, 'SAID = f"{what} was not made"'),
    ],
)
def test_replaced_term_is_found(read, source):
    assert found_in(read(source))


@pytest.mark.parametrize(
    ("read", "source"),
    [
        (texts_of_template, '{# It is on record. #}<p class="plan">{{ plan.title }}</p>'),
        (texts_of_template, '<a href="{% url "people" %}">Users</a>'),
        (
            texts_of_module,
            '"""What became of it."""\nNAME = "plan"\nQUERY = "SELECT 1 FROM plan WHERE head"',
        ),
        (texts_of_script, '// told to whoever reads it\nfind("#plan")'),
    ],
)
def test_what_is_not_shown_may_be_called_so(read, source):
    assert found_in(read(source)) == []
