"""Values of the environment that stand in files: NAME_FILE is the path of the file that holds NAME, as systemd's
credentials and Docker's secrets come. Unlike a variable, a file is not passed on to every process that is started.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

SECRET_NAME: Final = re.compile(r"(?:^|_)(?:KEYS?|SECRETS?|TOKENS?|PASSWORDS?|FALLBACKS)(?:_|$)")
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")  # says who, and is no secret


class _EnvironWithFiles(FileAwareMapping):  # type: ignore[misc]  # has no types
    """The environment, with what stands in files. A file that can't be read, is empty, or is given beside its value
    raises `ImproperlyConfigured`. `read` is what was asked for by a name like a secret's."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> str:
        value = self._value(key)
        if SECRET_NAME.search(key):
            self.read.update(part.strip() for part in (value, *value.split(",")) if part.strip())
        # Nothing in a file is the name of another variable.
        return value.replace("$", r"\$") if self.env.get(f"{key}_FILE") else value

    def _value(self, key: str) -> str:
        path = self.env.get(f"{key}_FILE")
        if not path:
            return str(self.env[key])
        if self.env.get(key):
            raise ImproperlyConfigured(f"{key} and {key}_FILE are both set: keep one of them.")
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ImproperlyConfigured(f"{key}_FILE: {path} can't be read: {why}.") from None
        if not value:
            raise ImproperlyConfigured(f"{key}_FILE: {path} is empty.")
        return value


class Env(environ.Env):  # type: ignore[misc]  # has no types
    """django-environ's, which also reads NAME_FILE for each NAME."""

    ENVIRON = _EnvironWithFiles()

    def __init__(self) -> None:
        super().__init__()
        self.escape_proxy = True

    def secrets(self) -> set[str]:
        """The values that were read so far by a name like a secret's."""
        return {value for value in self.ENVIRON.read if not _SID.fullmatch(value)}
