"""Places in a file, and what is wrong there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.twilio.pickling import PicklableError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file: its line, counted from 1, and the path to the value, such as flows[0].sid."""

    line: int
    path: str = ""

    def of_key(self, line: int, key: str) -> Place:
        """Return the place of a value in the mapping that is here."""
        return Place(line, f"{self.path}.{key}" if self.path else key)

    def __str__(self) -> str:
        return f"line {self.line}, {self.path}" if self.path else f"line {self.line}"


@dataclass(frozen=True, slots=True)
class FileError:
    """One error in a file, as a sentence without its place."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class InvalidFile(PicklableError):
    """A file that can't be applied. Nothing was sent."""

    def __init__(self, errors: Sequence[FileError]) -> None:
        super().__init__("the file has errors")
        self.errors = sorted(errors, key=lambda error: error.place)
