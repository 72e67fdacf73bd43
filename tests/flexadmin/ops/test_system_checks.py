"""Warnings of the system checks at the start."""

import sqlite3

import pytest

from flexadmin.ops.system_checks import check_sqlite_wal
from tests.flexadmin.test_settings import WHOLE, started

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"


@pytest.fixture
def warns(settings, monkeypatch):
    def warns(version, engine=SQLITE):
        monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        return [message.id for message in check_sqlite_wal()]

    return warns


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 50, 6), (3, 51, 2)])
def test_sqlite_that_can_lose_commits_causes_a_warning(warns, version):
    assert warns(version) == ["flexadmin.W001"]


@pytest.mark.parametrize(
    "version", [(3, 6, 23), (3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 52, 0), (3, 53, 1), (4, 0, 0)]
)
def test_sqlite_with_the_fix_causes_no_warning(warns, version):
    assert warns(version) == []


def test_postgresql_causes_no_warning(warns):
    assert warns((3, 40, 1), POSTGRESQL) == []


def test_start_shows_the_warning(monkeypatch):
    is_warned = "flexadmin.W001" in started(**WHOLE).stderr

    assert is_warned is (sqlite3.sqlite_version_info < (3, 51, 3))
