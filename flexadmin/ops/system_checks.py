"""What the site tells of its surroundings when it starts: Django's own checks are of the settings, this one is of the
SQLite library."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from django.conf import settings
from django.core import checks

FIRST_AFFECTED: Final = (3, 7, 0)  # with a write-ahead log
FIRST_FIXED: Final = (3, 51, 3)
BACKPORTED_FIXES: Final = {(3, 44): 6, (3, 50): 7}  # the first patch of that release that has it


@checks.register
def check_sqlite_wal(**_: Any) -> list[checks.CheckMessage]:
    """SQLite's bug of a write-ahead log that is reset while another connection writes: rare, and it loses what was
    committed (https://sqlite.org/wal.html#walresetbug)."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return []
    version = sqlite3.sqlite_version_info
    patch = BACKPORTED_FIXES.get(version[:2])
    if not FIRST_AFFECTED <= version < FIRST_FIXED or (patch is not None and version[2] >= patch):
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} can, very rarely, damage a database that several processes write.",
            hint="Install SQLite 3.51.3 or later (or one that your system says has the fix of the WAL-reset bug), "
            "or set DATABASE_URL to a PostgreSQL.",
            id="flexadmin.W001",
        )
    ]
