"""Environment variables, also from files: NAME_FILE is the path of a file with NAME's value.

systemd's credentials and Docker's secrets come as files. Unlike a variable, a file is not inherited
by every child process.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:KEYS?|SECRETS?|TOKENS?|PASSWORDS?|FALLBACKS|AUTHORIZATION)(?:_|$)"
)
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")  # an identifier, not a secret


class _EnvironWithFiles(FileAwareMapping):  # type: ignore[misc]  # has no types
    """The environment, including values in files.

    `secret_values` are the values read so far whose names look like a secret's. Raises
    `ImproperlyConfigured` if a file is empty or can't be read, or if the variable is set as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self.secret_values: set[str] = set()

    def __getitem__(self, key: str) -> str:
        value = self._value(key)
        if SECRET_NAME.search(key):
            parts = map(str.strip, (value, *value.split(",")))
            self.secret_values.update(filter(None, parts))
        if self.env.get(f"{key}_FILE"):
            # django-environ would take a leading $ for a reference to another variable.
            return value.replace("$", r"\$")
        return value

    def _value(self, key: str) -> str:
        path = self.env.get(f"{key}_FILE")
        if not path:
            return str(self.env[key])
        if self.env.get(key):
            raise ImproperlyConfigured(f"{key} and {key}_FILE are both set: keep one of them.")
        return _read_file(f"{key}_FILE", path)


def _read_file(variable: str, path: str) -> str:
    """Return the text of a file without white space at its ends."""
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(
            f"{variable}: {path} can't be read: it is not UTF-8 text."
        ) from None
    except OSError as error:
        raise ImproperlyConfigured(f"{variable}: {path} can't be read: {error.strerror}.") from None
    if not value:
        raise ImproperlyConfigured(f"{variable}: {path} is empty.")
    return value


class Env(environ.Env):  # type: ignore[misc]  # has no types
    """The reader of django-environ, extended by NAME_FILE for each NAME."""

    ENVIRON = _EnvironWithFiles()

    def __init__(self) -> None:
        super().__init__()
        self.escape_proxy = True

    def secrets(self) -> set[str]:
        """Return the values read so far whose names look like a secret's."""
        return {value for value in self.ENVIRON.secret_values if not _SID.fullmatch(value)}


def check_time_zone(name: str) -> str:
    """Return the name of a time zone, or raise `ImproperlyConfigured` if there is no such zone."""
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, or a path
        raise ImproperlyConfigured(
            f"TIME_ZONE is no time zone: {name}. Examples are UTC and Europe/Berlin."
        ) from None
