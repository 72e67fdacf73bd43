"""Temporary databases for the commands of this folder.

They are SQLite files, or databases beside the one that DATABASE_URL names.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from django.db import connection


@contextmanager
def temporary_databases(count: int) -> Iterator[list[str]]:
    """Create empty, migrated databases; yield their names.

    `use` connects to one.
    """
    creation = connection.creation
    folder = None
    if connection.vendor == "sqlite":
        folder = Path(connection.settings_dict["TEST"]["NAME"]).parent
        folder.mkdir(exist_ok=True)
    own = str(connection.settings_dict["NAME"])
    with redirect_stdout(io.StringIO()):  # or Django says that the cache's table is there already
        template = creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()  # so that SQLite's file has all of it
    suffixes = [str(number + 1) for number in range(count)]
    try:
        for suffix in suffixes:
            creation.clone_test_db(suffix=suffix, verbosity=0, autoclobber=True)
        yield [str(creation.get_test_db_clone_settings(suffix)["NAME"]) for suffix in suffixes]
    finally:
        use_database(template)
        for suffix in suffixes:
            creation.destroy_test_db(suffix=suffix, verbosity=0)
        creation.destroy_test_db(own, verbosity=0)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def use_database(name: str) -> None:
    """Connect this process to a database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name
