"""Roles, and the command that adds a user."""

import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError

from flexadmin.users.roles import get_role_on_any_account, get_scope, get_site_user

pytestmark = pytest.mark.django_db

# Written out again, independently of the table under test.
VIEW = {
    "view_flow", "view_auditevent", "view_channel", "view_web_channel", "view_questionnaire",
    "view_question", "view_question_category", "view_interaction", "view_address_configuration",
    "view_configuration", "view_plugin", "view_plugin_configuration", "view_plugin_release",
}  # fmt: skip
CHANGE = {
    "add_flow", "change_flow", "delete_flow",
    "change_channel", "change_web_channel", "change_questionnaire",
    "change_plugin", "change_plugin_configuration", "change_interaction",
    "change_address_configuration",
}  # fmt: skip
EXPECTED_PERMISSIONS = {
    "viewer": VIEW,
    "operator": VIEW | CHANGE,
    "auditor": VIEW | {"export_auditevent"},
    "admin": VIEW
    | CHANGE
    | {
        "export_auditevent",
        "close_account",
        "set_policy",
        "bypass_policy",
        "erase_auditevent",
        "manage_people",
        "manage_subscription",
    }
    | {"change_plugin_release", "change_configuration"},
}


def test_scope_is_read_with_the_roles(person, django_assert_num_queries):
    removed_account = "AC" + "0e" * 16  # the site has no credentials for it
    pk = person("operator", account_sid=removed_account).pk
    user = get_site_user(pk)

    with django_assert_num_queries(0):
        assert get_scope(user, "flows.change_flow") == {removed_account}
        assert get_scope(user, "flows.export_auditevent") == frozenset()
        assert get_scope(user, "flows.view_flow") == {removed_account}


def add_operator(name, *options):
    out = io.StringIO()
    call_command("add_operator", name, *options, stdout=out)
    return out.getvalue()


def test_migrate_creates_the_roles(role):
    permissions = Group.objects.get(name=role).permissions.values_list("codename", flat=True)

    assert set(permissions) == EXPECTED_PERMISSIONS[role]


def test_add_operator_reads_the_password_from_the_environment(monkeypatch, role):
    monkeypatch.setenv("OPERATOR_PASSWORD", "a long passphrase")

    output = add_operator("nina", "--role", role)

    nina = User.objects.get(username="nina")
    assert nina.check_password("a long passphrase")
    assert get_role_on_any_account(nina) == role
    assert output == f"nina can sign in as {role}.\n"


def test_add_operator_reads_the_password_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a long passphrase\nrest"))

    add_operator("nina", "--role", "viewer")

    assert User.objects.get(username="nina").check_password("a long passphrase")


def test_add_operator_prompts_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a long passphrase")

    add_operator("nina", "--role", "viewer")

    assert User.objects.get(username="nina").check_password("a long passphrase")


@pytest.mark.parametrize(
    ("name", "password"), [("nina", "short"), ("ni na", "a long passphrase"), ("nina", "")]
)
def test_add_operator_refuses_weak_passwords_and_invalid_names(monkeypatch, name, password):
    monkeypatch.setattr("sys.stdin", io.StringIO(password))

    with pytest.raises(CommandError):
        add_operator(name, "--role", "viewer")

    assert not User.objects.exists()


def test_add_operator_does_not_overwrite_a_user(monkeypatch, person):
    person("admin", "nina")

    with pytest.raises(CommandError, match="already"):
        add_operator("nina", "--role", "viewer")

    assert get_role_on_any_account(User.objects.get(username="nina")) == "admin"


def test_add_operator_refuses_an_unknown_role():
    with pytest.raises(CommandError, match="invalid choice"):
        add_operator("nina", "--role", "king")
