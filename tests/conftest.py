"""Fixtures of all tests: a sandbox for Twilio, users of each role, and an append-only audit log.

The triggers of the log stay in place until a test is over.
"""

import functools
import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from pytest_django.fixtures import Settings

from flexadmin.models import AccountRole
from flexadmin.users.roles import ROLES
from flows.accounts import clients
from flows.audit import append_only
from flows.audit.audit_log import Actor
from flows.audit.views import downloads
from flows.mirror.sync import sync_account
from flows.resources import flex_status
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.long_tests import (  # noqa: F401 - hooks
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_terminal_summary,
)
from tests.property_tests import choose_examples
from tests.two_accounts import add_staging

MIGRATION_TABLES = {
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def pytest_configure() -> None:
    choose_examples()
    if folder := _database_folder():
        folder.mkdir(exist_ok=True)


def pytest_collection_finish() -> None:
    """Collect garbage rarely: to look at every imported object takes a fifth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


def pytest_unconfigure() -> None:
    if folder := _database_folder():
        shutil.rmtree(folder, ignore_errors=True)


def _database_folder() -> Path | None:
    database = django_settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return None
    return Path(database["TEST"]["NAME"]).parent


@pytest.fixture(scope="session", autouse=True)
def _drop_append_only_between_tests() -> Iterator[None]:
    """Empty every table after a transactional test, without the triggers for that moment.

    Django's own flush would also empty and re-create the rows of the migrations, which takes longer
    than most tests.
    """
    flush = TransactionTestCase._fixture_teardown

    def empty_tables(_self: TransactionTestCase) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            append_only.remove(connection)
            tables = connection.introspection.django_table_names(only_existing=True)
            for table in (*tables, "flexadmin_cache"):
                if table not in MIGRATION_TABLES:
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
            append_only.install(connection)

    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _reset_download_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free the slot of an export that a test did not read to its end."""
    monkeypatch.setattr(
        downloads, "download_slots", threading.BoundedSemaphore(downloads.MAX_CONCURRENT_DOWNLOADS)
    )


@pytest.fixture
def sandbox(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An empty Flex API, set in the site's settings. The client doesn't wait between tries."""
    monkeypatch.setattr(
        clients,
        "ResourceClient",
        functools.partial(clients.ResourceClient, sleep=lambda _seconds: None),
    )
    flex_status.STATUSES.clear()
    with Sandbox() as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        yield server
        clients.close_clients()


@pytest.fixture
def staging(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """A second account beside the sandbox's own, which becomes production."""
    keys = {"SK" + "0e" * 16: "staging-secret"}
    with Sandbox(account_sid="AC" + "0e" * 16, keys=keys) as server:
        settings.FLEX_ACCOUNTS = add_staging(settings.FLEX_ACCOUNTS[0], server)
        yield server


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Function that creates a user with a role, on every account or on one.

    The password is the username and `-password`.
    """

    def make(role: str = "operator", name: str = "", account_sid: str = "") -> User:
        user = User.objects.create_user(name or role, password=f"{name or role}-password")
        group = Group.objects.get(name=role)
        if account_sid:
            AccountRole.objects.create(person=user, account_sid=account_sid, role=group)
        else:
            user.groups.set([group])
        return user

    return make


@pytest.fixture
def client_of(person: Callable[..., User]) -> Callable[..., Client]:
    """Function that returns a signed-in client of a role."""

    def make(role: str = "operator", name: str = "", account_sid: str = "") -> Client:
        client = Client()
        user = User.objects.filter(username=name or role).first() or person(role, name, account_sid)
        client.force_login(user)
        return client

    return make


@pytest.fixture(params=list(ROLES))
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def actor() -> Actor:
    return Actor(id="7", label="omar", role="operator", source_ip="192.0.2.7", user_agent="pytest")


@pytest.fixture
def flow_sid(sandbox: Sandbox, db: None) -> str:
    """SID of a Studio flow, at Twilio and in the mirror."""
    sid = sandbox.add_flow(
        friendly_name="Réclamations Lyon",
        channel_type="sms",
        contact_identity="+33199000123",
        enabled=True,
        integration_type="studio",
        integration_flow_sid="FW" + "1" * 32,
        integration_retry_count=3,
    )
    sync_account(ACCOUNT)
    return sid


def form_data(page: Any) -> dict[str, Any]:
    """Return the data that a browser would submit from the untouched form of a page."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    parked = dict(getattr(form, "parked", []))
    all_values = {**parked, **values}
    return {name: _as_submitted(value) for name, value in all_values.items()}


def _as_submitted(value: Any) -> str | list[str]:
    """Return the value of an input, or the values of check boxes."""
    if isinstance(value, list):
        return value
    return "" if value is None else str(value)
