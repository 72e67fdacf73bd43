"""Errors that go from one process to another as they are."""

from __future__ import annotations

from typing import Any


class PicklableError(Exception):
    """An error that unpickles with its message and its attributes, whatever its `__init__` takes.

    Python would call `__init__` with the message alone. Where that breaks, a pool of processes breaks with
    it, and nobody hears what the error was.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_error, (type(self), self.args, self.__dict__)


def _restore_error(
    kind: type[PicklableError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> PicklableError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
