"""System checks of the site's environment: a bug in some versions of the SQLite library."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from django.conf import settings
from django.core import checks

FIRST_AFFECTED: Final = (3, 7, 0)  # the first version with a write-ahead log
FIRST_FIXED: Final = (3, 51, 3)
BACKPORTED_FIXES: Final = {(3, 44): 6, (3, 50): 7}  # the first patch release with the fix


@checks.register
def check_sqlite_wal(**_: Any) -> list[checks.CheckMessage]:
    """Warn of SQLite's WAL-reset bug, which can lose committed data in rare cases.

    It needs a reset of the write-ahead log while another connection writes. See
    https://sqlite.org/wal.html#walresetbug.
    """
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return []
    version = sqlite3.sqlite_version_info
    fixed_patch = BACKPORTED_FIXES.get(version[:2])
    has_backport = fixed_patch is not None and version[2] >= fixed_patch
    if has_backport or not FIRST_AFFECTED <= version < FIRST_FIXED:
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} can, very rarely, damage a database that several "
            "processes write.",
            hint="Install SQLite 3.51.3 or later (or one that your system says has the fix of the "
            "WAL-reset bug), or set DATABASE_URL to a PostgreSQL.",
            id="flexadmin.W001",
        )
    ]
