"""Errors that can be pickled and so passed from one process to another."""

from __future__ import annotations

from typing import Any


class PicklableError(Exception):
    """An error that unpickles with its message and attributes, whatever its `__init__` takes.

    Python would call `__init__` with the message alone. If that fails, a pool of processes breaks
    and the error is lost.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_error, (type(self), self.args, self.__dict__)


def _restore_error(
    error_class: type[PicklableError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> PicklableError:
    error = error_class.__new__(error_class, *args)
    error.__dict__.update(attributes)
    return error
