"""What the site warns of when it starts."""

import sqlite3

import pytest

from flexadmin.ops.system_checks import check_sqlite_wal
from tests.flexadmin.test_settings import WHOLE, started

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"


@pytest.fixture
def warned(settings, monkeypatch):
    def warned(version, engine=SQLITE):
        monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        return [message.id for message in check_sqlite_wal()]

    return warned


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 50, 6), (3, 51, 2)])
def test_sqlite_that_may_lose_commits_is_warned_of(warned, version):
    assert warned(version) == ["flexadmin.W001"]


@pytest.mark.parametrize(
    "version", [(3, 6, 23), (3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 52, 0), (3, 53, 1), (4, 0, 0)]
)
def test_sqlite_with_the_fix_is_not(warned, version):
    assert warned(version) == []


def test_postgresql_is_not(warned):
    assert warned((3, 40, 1), POSTGRESQL) == []


def test_start_tells_of_it(monkeypatch):
    told = "flexadmin.W001" in started(**WHOLE).stderr

    assert told is (sqlite3.sqlite_version_info < (3, 51, 3))
