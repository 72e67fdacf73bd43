"""No function falls back to an account that its caller did not name."""

import ast
from pathlib import Path

import pytest

from flexadmin.users.roles import get_role, get_role_on_any_account

ROOT = Path(__file__).parents[3]
# A default there has a meaning of its own: the sandbox's account, an event of no flow, and a body
# without an account, which the API refuses unless the site has only one.
EXEMPT = {"flows/twilio/sandbox/server.py", "flows/audit/audit_log.py", "flows/api/schemas.py"}
OURS, OTHER = "AC" + "5a" * 16, "AC" + "0e" * 16


def optional_accounts(tree):
    """Yield the line of each parameter and class attribute `account_sid` that has a default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            with_default = positional[len(positional) - len(node.defaults) :]
            pairs = zip(node.kwonlyargs, node.kw_defaults, strict=True)
            with_default += [argument for argument, default in pairs if default is not None]
            yield from (one.lineno for one in with_default if one.arg == "account_sid")
        if isinstance(node, ast.ClassDef):
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            yield from (
                one.lineno
                for one in fields
                if ast.unparse(one.target) == "account_sid" and isinstance(one.value, ast.Constant)
            )


def test_account_is_always_required():
    paths = sorted(
        path for folder in ("flows", "flexadmin") for path in (ROOT / folder).rglob("*.py")
    )
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        if "migrations" not in path.parts and str(path.relative_to(ROOT)) not in EXEMPT
        for line in optional_accounts(ast.parse(path.read_text()))
    ]

    assert places == []


@pytest.mark.django_db
def test_role_on_an_account_and_role_on_any_account(person):
    user = person("viewer")
    operators = person("operator", "omar").groups.get()
    user.account_roles.create(account_sid=OTHER, role=operators)

    assert get_role(user, OURS) == "viewer"
    assert get_role(user, OTHER) == "operator,viewer"
    assert get_role_on_any_account(user) == "operator,viewer"
