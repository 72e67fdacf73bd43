"""A table of flows to import: CSV as this site exports it, as Excel saves it (semicolons, tabs, `sep=`), or twilio-cli's
columns. The header says which column is which field, as a proposal that the user confirms (`ColumnsForm`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from flows.cells import unescaped
from flows.flexapi import schema
from flows.forms.import_text import MOST, Item

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
MOST_COLUMNS: Final = 100
SAMPLES: Final = 3
# What a column can be: the flow, where it is to be created, and what can be written.
TARGETS: Final = ("sid", "account_sid", *(entry.name for entry in schema.WRITABLE))
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_YES: Final = frozenset({"true", "yes", "on", "1"})
_NO: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table's header and rows, each row with the line that it begins in."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str

    @property
    def delimiter_name(self) -> str:
        return DELIMITERS[self.delimiter]

    def samples(self, column: int) -> list[str]:
        """The first values of a column that are not empty, each once."""
        found: dict[str, None] = {}
        for _, cells in self.rows:
            if column < len(cells) and cells[column]:
                found.setdefault(unescaped(cells[column]))
            if len(found) == SAMPLES:
                break
        return list(found)

    def items(self, targets: Mapping[int, str]) -> list[Item]:
        """The flows of the table; `targets` are the fields by column."""
        return [self._item(line, cells, targets) for line, cells in self.rows]

    def _item(self, line: int, cells: Sequence[str], targets: Mapping[int, str]) -> Item:
        origin = f"Line {line:,}"
        if any(cells[len(self.header) :]):
            return Item(
                origin, error=f"The row has {len(cells)} cells, but the header has {len(self.header)}."
            )
        fields = {name: cells[column] for column, name in targets.items() if column < len(cells)}
        if _SHORTENED.fullmatch(fields.get("contact_identity", "").strip()):
            number = fields.pop("contact_identity")
            error = f"Contact identity “{number}” was shortened by a spreadsheet. Format the column as text."
            return Item(origin, fields, error, is_table=True)
        return Item(origin, fields, is_table=True)


class ColumnsForm(forms.Form):
    """The field of each column of a table, proposed from the header."""

    def __init__(self, table: Table, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.table = table
        choices = [("", "Ignore"), *((name, schema.BY_NAME[name].label) for name in TARGETS)]
        proposed = proposal(table.header)
        for column, title in enumerate(table.header):
            name = f"column_{column}"
            self.fields[name] = forms.ChoiceField(
                label=f"Field for column {column + 1}, {title or 'without a title'}",
                choices=choices,
                required=False,
                initial=proposed.get(column, ""),
                error_messages={"invalid_choice": "Choose a field from the list, or ignore the column."},
            )

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns for the page: the header's title, some values, and the choice."""
        return [
            {
                "title": title,
                "samples": self.table.samples(column),
                "field": self[f"column_{column}"],
                "note": _note(title),
            }
            for column, title in enumerate(self.table.header)
        ]

    @property
    def ignored(self) -> list[str]:
        return [title for column, title in enumerate(self.table.header) if not self._chosen(column)]

    @property
    def has_sid(self) -> bool:
        return any(self._chosen(column) == "sid" for column in range(len(self.table.header)))

    @property
    def targets(self) -> dict[int, str]:
        """The fields by column, after validation."""
        chosen = {column: self.cleaned_data[f"column_{column}"] for column in range(len(self.table.header))}
        return {column: name for column, name in chosen.items() if name}

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [
            (self[name].auto_id if name in self.fields else "", str(message))
            for name, messages in self.errors.items()
            for message in messages
        ]

    def clean(self) -> dict[str, Any]:
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        first: dict[str, str] = {}
        for name, target in chosen.items():
            if target in first:
                label = schema.BY_NAME[target].label
                self.add_error(
                    name, f"{self._title(first[target])} and {self._title(name)} are both mapped to {label}."
                )
            first.setdefault(target, name)
        if not self.errors and not set(chosen.values()) - {"sid", "account_sid"}:
            raise ValidationError("Choose a field for at least one column other than the SIDs.")
        return self.cleaned_data

    def _chosen(self, column: int) -> str:
        return str(self[f"column_{column}"].value() or "")

    def _title(self, name: str) -> str:
        column = int(name.removeprefix("column_"))
        return f"Column {column + 1} (“{self.table.header[column][:40]}”)"


def read_table(text: str) -> Table:
    """The table of a text, whatever separates its cells. A `ValidationError` names the line that can't be read."""
    first = text.partition("\n")[0].strip()
    told = re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE)  # Excel's own way to say it
    skipped = 1 if told else 0
    if told and told[1] not in DELIMITERS:
        raise ValidationError(
            f"Line 1: “{told[1]}” is not a supported separator. Use a comma, a semicolon or a tab."
        )
    text = text.partition("\n")[2] if told else text
    delimiter = told[1] if told else _delimiter_of(text)
    lines = _read(text, delimiter, skipped)
    if not lines:
        raise ValidationError("The header is missing. The first line must name the columns.")
    header_line, header = lines[0]
    if len(header) > MOST_COLUMNS:
        raise ValidationError(f"Line {header_line}: {len(header)} columns. The maximum is {MOST_COLUMNS}.")
    if len(header) == 1 and not target_of(header[0]):
        raise ValidationError(
            f"Line {header_line}: this is neither JSON nor a table. JSON starts with {{ or [, a table with a "
            "header line."
        )
    if len(lines) == 1:
        raise ValidationError("The table has a header but no rows.")
    if len(lines) - 1 > MOST:
        raise ValidationError(
            f"Line {lines[MOST + 1][0]:,}: the table has {len(lines) - 1:,} rows. At most {MOST:,} can be imported "
            "at once."
        )
    titles = tuple(title.strip() for title in header)
    return Table(titles, tuple((line, tuple(cells)) for line, cells in lines[1:]), delimiter)


def proposal(header: Sequence[str]) -> dict[int, str]:
    """The field of each column by its title; of two columns for one field, the first."""
    found: dict[int, str] = {}
    for column, title in enumerate(header):
        if (target := target_of(title)) and target not in found.values():
            found[column] = target
    return found


def target_of(title: str) -> str:
    return _TITLES.get(_letters(title), "")


LONGEST_CELL: Final = 131_072  # characters; Python's reader has the same bound, unless somebody moved it
TOO_LONG: Final = "a cell is too long."


def typed(name: str, text: str) -> str:
    """A cell as a form takes it: yes and no, and the choices, in any spelling that people use."""
    entry, folded = schema.BY_NAME[name], text.strip().casefold()
    if entry.kind == "boolean":
        return "true" if folded in _YES else "false" if folded in _NO else text
    if entry.kind == "enum":
        return next((choice for choice in entry.choices if choice == folded), text)
    return text


def _read(text: str, delimiter: str, skipped: int) -> list[tuple[int, list[str]]]:
    """The lines of the table that are not blank, each with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, begins = [], skipped + 1
    try:
        for cells in reader:
            if any(len(one) > LONGEST_CELL for one in cells):
                raise ValidationError(f"Line {begins:,}: {TOO_LONG}")
            if any(one.strip() for one in cells):
                found.append((begins, cells))
            begins = reader.line_num + skipped + 1
    except csv.Error as error:
        raise ValidationError(f"Line {begins:,}: {_in_words(str(error))}") from error
    return found


def _in_words(error: str) -> str:
    if "end of data" in error:
        return "a quotation mark is missing its partner."
    if "field larger" in error:
        return TOO_LONG
    return "there is text after a closing quotation mark. Double the quotation marks inside a cell."


def _delimiter_of(text: str) -> str:
    """The delimiter by which the first line has the most columns that are fields, or else the most columns."""

    def merit(delimiter: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return sum(bool(target_of(title)) for title in header), len(header)

    return max(DELIMITERS, key=merit)


def _note(title: str) -> str:
    name = _KNOWN.get(_letters(title))
    return "Set by Twilio. Not imported." if name and name not in TARGETS else ""


def _letters(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.casefold())


def _titles() -> dict[str, str]:
    """Every field by its name, its label and its parameter, letters and digits only; what two share is neither's."""
    spelt = [
        (_letters(spelling), entry.name)
        for entry in schema.FIELDS
        for spelling in {entry.name, entry.label, entry.wire or entry.name}
    ]
    names: dict[str, set[str]] = {}
    for spelling, name in spelt:
        names.setdefault(spelling, set()).add(name)
    return {spelling: found.pop() for spelling, found in names.items() if len(found) == 1}


_KNOWN: Final = _titles()
_TITLES: Final = {title: name for title, name in _KNOWN.items() if name in TARGETS}
