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

from flows.core.csv_cells import from_csv_cell
from flows.plans.import_text import MAX_FLOWS, ImportItem
from flows.twilio.flex import flex_flow

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
MAX_COLUMNS: Final = 100
MAX_SAMPLES: Final = 3
# What a column can be: the flow, where it is to be created, and what can be written.
TARGETS: Final = ("sid", "account_sid", *(entry.name for entry in flex_flow.WRITABLE_FIELDS))
_SCIENTIFIC_NOTATION: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_TRUE_TEXTS: Final = frozenset({"true", "yes", "on", "1"})
_FALSE_TEXTS: Final = frozenset({"false", "no", "off", "0"})


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
                found.setdefault(from_csv_cell(cells[column]))
            if len(found) == MAX_SAMPLES:
                break
        return list(found)

    def items(self, targets: Mapping[int, str]) -> list[ImportItem]:
        """The flows of the table; `targets` are the fields by column."""
        return [self._item(line, cells, targets) for line, cells in self.rows]

    def _item(self, line: int, cells: Sequence[str], targets: Mapping[int, str]) -> ImportItem:
        origin = f"Line {line:,}"
        if any(cells[len(self.header) :]):
            return ImportItem(
                origin,
                error=f"The row has {len(cells)} cells, but the header has {len(self.header)}.",
            )
        fields = {name: cells[column] for column, name in targets.items() if column < len(cells)}
        if _SCIENTIFIC_NOTATION.fullmatch(fields.get("contact_identity", "").strip()):
            number = fields.pop("contact_identity")
            error = f"Contact identity “{number}” was shortened by a spreadsheet. Format the column as text."
            return ImportItem(origin, fields, error, is_table=True)
        return ImportItem(origin, fields, is_table=True)


class ColumnsForm(forms.Form):
    """The field of each column of a table, proposed from the header."""

    def __init__(self, table: Table, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.table = table
        choices = [
            ("", "Ignore"),
            *((name, flex_flow.FIELDS_BY_NAME[name].label) for name in TARGETS),
        ]
        proposed = propose_targets(table.header)
        for column, title in enumerate(table.header):
            name = f"column_{column}"
            self.fields[name] = forms.ChoiceField(
                label=f"Field for column {column + 1}, {title or 'without a title'}",
                choices=choices,
                required=False,
                initial=proposed.get(column, ""),
                error_messages={
                    "invalid_choice": "Choose a field from the list, or ignore the column."
                },
            )

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns for the page: the header's title, some values, and the choice."""
        return [
            {
                "title": title,
                "samples": self.table.samples(column),
                "field": self[f"column_{column}"],
                "note": _column_note(title),
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
        chosen = {
            column: self.cleaned_data[f"column_{column}"]
            for column in range(len(self.table.header))
        }
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
                label = flex_flow.FIELDS_BY_NAME[target].label
                self.add_error(
                    name,
                    f"{self._title(first[target])} and {self._title(name)} are both mapped to {label}.",
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
    delimiter = told[1] if told else _detect_delimiter(text)
    lines = _read_lines(text, delimiter, skipped)
    if not lines:
        raise ValidationError("The header is missing. The first line must name the columns.")
    header_line, header = lines[0]
    if len(header) > MAX_COLUMNS:
        raise ValidationError(
            f"Line {header_line}: {len(header)} columns. The maximum is {MAX_COLUMNS}."
        )
    if len(header) == 1 and not find_target(header[0]):
        raise ValidationError(
            f"Line {header_line}: this is neither JSON nor a table. JSON starts with {{ or [, a table with a "
            "header line."
        )
    if len(lines) == 1:
        raise ValidationError("The table has a header but no rows.")
    if len(lines) - 1 > MAX_FLOWS:
        raise ValidationError(
            f"Line {lines[MAX_FLOWS + 1][0]:,}: the table has {len(lines) - 1:,} rows. At most {MAX_FLOWS:,} can be imported "
            "at once."
        )
    titles = tuple(title.strip() for title in header)
    return Table(titles, tuple((line, tuple(cells)) for line, cells in lines[1:]), delimiter)


def propose_targets(header: Sequence[str]) -> dict[int, str]:
    """The field of each column by its title; of two columns for one field, the first."""
    found: dict[int, str] = {}
    for column, title in enumerate(header):
        if (target := find_target(title)) and target not in found.values():
            found[column] = target
    return found


def find_target(title: str) -> str:
    return _TARGET_BY_TITLE.get(_normalize_title(title), "")


MAX_CELL_LENGTH: Final = (
    131_072  # characters; Python's reader has the same bound, unless somebody moved it
)
CELL_TOO_LONG: Final = "a cell is too long."


def parse_cell(name: str, text: str) -> str:
    """A cell as a form takes it: yes and no, and the choices, in any spelling that people use."""
    entry, folded = flex_flow.FIELDS_BY_NAME[name], text.strip().casefold()
    if entry.kind == "boolean":
        return "true" if folded in _TRUE_TEXTS else "false" if folded in _FALSE_TEXTS else text
    if entry.kind == "enum":
        return next((choice for choice in entry.choices if choice == folded), text)
    return text


def _read_lines(text: str, delimiter: str, skipped: int) -> list[tuple[int, list[str]]]:
    """The lines of the table that are not blank, each with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, begins = [], skipped + 1
    try:
        for cells in reader:
            if any(len(one) > MAX_CELL_LENGTH for one in cells):
                raise ValidationError(f"Line {begins:,}: {CELL_TOO_LONG}")
            if any(one.strip() for one in cells):
                found.append((begins, cells))
            begins = reader.line_num + skipped + 1
    except csv.Error as error:
        raise ValidationError(f"Line {begins:,}: {_csv_error_message(str(error))}") from error
    return found


def _csv_error_message(error: str) -> str:
    if "end of data" in error:
        return "a quotation mark is missing its partner."
    if "field larger" in error:
        return CELL_TOO_LONG
    return "there is text after a closing quotation mark. Double the quotation marks inside a cell."


def _detect_delimiter(text: str) -> str:
    """The delimiter by which the first line has the most columns that are fields, or else the most columns."""

    def merit(delimiter: str) -> tuple[int, int]:
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return sum(bool(find_target(title)) for title in header), len(header)

    return max(DELIMITERS, key=merit)


def _column_note(title: str) -> str:
    name = _NAME_BY_TITLE.get(_normalize_title(title))
    return "Set by Twilio. Not imported." if name and name not in TARGETS else ""


def _normalize_title(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.casefold())


def _names_by_title() -> dict[str, str]:
    """Every field by its name, its label and its parameter, letters and digits only; what two share is neither's."""
    spelt = [
        (_normalize_title(spelling), entry.name)
        for entry in flex_flow.FIELDS
        for spelling in {entry.name, entry.label, entry.wire or entry.name}
    ]
    names: dict[str, set[str]] = {}
    for spelling, name in spelt:
        names.setdefault(spelling, set()).add(name)
    return {spelling: found.pop() for spelling, found in names.items() if len(found) == 1}


_NAME_BY_TITLE: Final = _names_by_title()
_TARGET_BY_TITLE: Final = {title: name for title, name in _NAME_BY_TITLE.items() if name in TARGETS}
