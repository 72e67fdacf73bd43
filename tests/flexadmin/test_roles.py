"""Roles, and the command that adds a person."""

import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError

from flexadmin.roles import role_of

pytestmark = pytest.mark.django_db

# Written down apart from the table that they test.
MAY = {
    "viewer": {"view_flow", "view_auditevent"},
    "operator": {"view_flow", "view_auditevent", "add_flow", "change_flow", "delete_flow"},
    "auditor": {"view_flow", "view_auditevent", "export_auditevent"},
    "admin": {
        "view_flow", "view_auditevent", "add_flow", "change_flow", "delete_flow", "export_auditevent", "close_account",
        "manage_people",
    },
}  # fmt: skip


def add(name, *options):
    out = io.StringIO()
    call_command("add_operator", name, *options, stdout=out)
    return out.getvalue()


def test_migrate_makes_the_roles(role):
    permissions = Group.objects.get(name=role).permissions.values_list("codename", flat=True)

    assert set(permissions) == MAY[role]


def test_add_operator_takes_the_password_from_the_environment(monkeypatch, role):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    said = add("nina", "--role", role)

    nina = User.objects.get(username="nina")
    assert nina.check_password("a long passphrase")
    assert role_of(nina) == role
    assert said == f"nina can sign in as {role}.\n"


def test_add_operator_takes_the_password_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a long passphrase\nrest"))

    add("nina", "--role", "viewer")

    assert User.objects.get(username="nina").check_password("a long passphrase")


def test_add_operator_asks_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a long passphrase")

    add("nina", "--role", "viewer")

    assert User.objects.get(username="nina").check_password("a long passphrase")


@pytest.mark.parametrize(
    ("name", "password"), [("nina", "short"), ("ni na", "a long passphrase"), ("nina", "")]
)
def test_add_operator_refuses_what_is_weak_or_odd(monkeypatch, name, password):
    monkeypatch.setattr("sys.stdin", io.StringIO(password))

    with pytest.raises(CommandError):
        add(name, "--role", "viewer")

    assert not User.objects.exists()


def test_add_operator_does_not_overwrite_a_person(monkeypatch, person):
    person("admin", "nina")

    with pytest.raises(CommandError, match="already"):
        add("nina", "--role", "viewer")

    assert role_of(User.objects.get(username="nina")) == "admin"


def test_add_operator_knows_four_roles():
    with pytest.raises(CommandError, match="invalid choice"):
        add("nina", "--role", "king")
