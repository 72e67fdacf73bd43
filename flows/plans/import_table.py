"""A table of flows to import, and the form that maps its columns to fields.

Accepted are this site's CSV export, the variants that Excel saves (semicolons, tabs, a `sep=`
line), and the columns of twilio-cli. The mapping is proposed from the header, and the user confirms
it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from flows.changes.forms.fields import error_summary
from flows.core.csv_cells import from_csv_cell
from flows.local_details.fields import LABELS
from flows.plans.import_text import MAX_FLOWS, ImportItem
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
MAX_COLUMNS: Final = 100
MAX_SAMPLES: Final = 3
MAX_CELL_LENGTH: Final = 131_072  # characters, the default limit of Python's csv reader
CELL_TOO_LONG: Final = "a cell is too long."
# The fields that a column can map to: the SIDs of flow and account, and the writable fields.
TARGETS: Final = ("sid", "account_sid", *(entry.name for entry in FLEX_FLOW.writable_fields))
_TARGET_CHOICES: Final = [(name, FLEX_FLOW.by_name[name].label) for name in TARGETS]
_SCIENTIFIC_NOTATION: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_DELIMITER_LINE: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # written by Excel
_BOOLEAN_BY_SPELLING: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}


Row = tuple[int, tuple[str, ...]]  # the number of its first line, and its cells


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its header and its rows."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str

    @property
    def delimiter_name(self) -> str:
        return DELIMITERS[self.delimiter]

    def samples(self, column: int) -> list[str]:
        """Return the first distinct values of a column that are not empty."""
        samples: dict[str, None] = {}
        for cell in self._cells(column):
            samples.setdefault(from_csv_cell(cell))
            if len(samples) == MAX_SAMPLES:
                break
        return list(samples)

    def _cells(self, column: int) -> Iterator[str]:
        """Yield the cells of a column that are not empty. A row can have fewer cells."""
        for _, cells in self.rows:
            yield from filter(None, cells[column : column + 1])

    def items(self, targets: Mapping[int, str]) -> list[ImportItem]:
        """Return the flows of the table; `targets` are the names of the fields by column."""
        return [self._item(line, cells, targets) for line, cells in self.rows]

    def _item(self, line: int, cells: Sequence[str], targets: Mapping[int, str]) -> ImportItem:
        origin = f"Line {line:,}"
        if any(cells[len(self.header) :]):
            error = f"The row has {len(cells)} cells, but the header has {len(self.header)}."
            return ImportItem(origin, error=error)
        fields = {name: cells[column] for column, name in targets.items() if column < len(cells)}
        error = _shortening_error(fields.get("contact_identity", ""))
        return ImportItem(origin, fields, error, is_table=True)


class ColumnsForm(forms.Form):
    """The mapping of a table's columns to fields, proposed from the header."""

    def __init__(self, table: Table, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.table = table
        choices = [("", "Ignore"), *_TARGET_CHOICES]
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
        """The columns for the page: title, sample values, form field and note."""
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
        return [title for column, title in enumerate(self.table.header) if not self._target(column)]

    @property
    def has_sid(self) -> bool:
        return "sid" in map(self._target, range(len(self.table.header)))

    @property
    def targets(self) -> dict[int, str]:
        """The names of the fields by column, of those columns that are valid."""
        return {
            int(name.removeprefix("column_")): target
            for name, target in self.cleaned_data.items()
            if target
        }

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    def clean(self) -> dict[str, Any]:
        targets = self.targets
        first_columns: dict[str, int] = {}
        for column, target in targets.items():
            first = first_columns.setdefault(target, column)
            if first != column:
                columns = f"{self._title(first)} and {self._title(column)}"
                label = FLEX_FLOW.by_name[target].label
                self.add_error(f"column_{column}", f"{columns} are both mapped to {label}.")
        if not self.errors and not set(targets.values()) - {"sid", "account_sid"}:
            raise ValidationError("Choose a field for at least one column other than the SIDs.")
        return self.cleaned_data

    def _target(self, column: int) -> str:
        return str(self[f"column_{column}"].value() or "")

    def _title(self, column: int) -> str:
        return f"Column {column + 1} (“{self.table.header[column][:40]}”)"


def read_table(text: str) -> Table:
    """Return the table of a text with any of the supported delimiters.

    Raises `ValidationError`, which names the line that can't be read.
    """
    first_line, _, rest = text.partition("\n")
    declared = _DELIMITER_LINE.fullmatch(first_line.strip())
    if declared is None:
        delimiter, skipped_lines = _detect_delimiter(text), 0
    else:
        delimiter, skipped_lines, text = declared[1], 1, rest
        if delimiter not in DELIMITERS:
            raise ValidationError(
                f"Line 1: “{delimiter}” is not a supported separator. "
                "Use a comma, a semicolon or a tab."
            )
    rows = _read_rows(text, delimiter, skipped_lines)
    _check_rows(rows)
    _, titles = rows[0]
    header = tuple(map(str.strip, titles))
    return Table(header, tuple(rows[1:]), delimiter)


def _check_rows(rows: Sequence[Row]) -> None:
    """Raise `ValidationError` if the rows, with the header first, are no table to import."""
    if not rows:
        raise ValidationError("The header is missing. The first line must name the columns.")
    _check_header(rows[0])
    flows = len(rows) - 1
    if flows == 0:
        raise ValidationError("The table has a header but no rows.")
    if flows > MAX_FLOWS:
        first_excess_line = rows[MAX_FLOWS + 1][0]
        raise ValidationError(
            f"Line {first_excess_line:,}: the table has {flows:,} rows. At most {MAX_FLOWS:,} can "
            "be imported at once."
        )


def _check_header(row: Row) -> None:
    """Raise `ValidationError` if a row can't be the header of a table to import."""
    line, header = row
    if len(header) > MAX_COLUMNS:
        raise ValidationError(f"Line {line}: {len(header)} columns. The maximum is {MAX_COLUMNS}.")
    if len(header) == 1 and not find_target(header[0]):
        raise ValidationError(
            f"Line {line}: this is neither JSON nor a table. JSON starts with {{ or [, a table "
            "with a header line."
        )


def propose_targets(header: Sequence[str]) -> dict[int, str]:
    """Return the field for each column, found by its title. The first column of a field counts."""
    first_columns: dict[str, int] = {}
    for column, title in enumerate(header):
        first_columns.setdefault(find_target(title), column)
    first_columns.pop("", None)
    return {column: target for target, column in first_columns.items()}


def find_target(title: str) -> str:
    """Return the name of the field that a column title means, or ""."""
    return _TARGET_BY_TITLE.get(_normalize_title(title), "")


def parse_cell(name: str, text: str) -> str:
    """Return a cell as a form posts it. Booleans and choices can have several spellings."""
    entry = FLEX_FLOW.by_name[name]
    folded = text.strip().casefold()
    if entry.kind == "boolean":
        return _BOOLEAN_BY_SPELLING.get(folded, text)
    return folded if folded in entry.choices else text


def _read_rows(text: str, delimiter: str, skipped_lines: int) -> list[Row]:
    """Return the rows that are not blank, each with the number of its first line.

    `skipped_lines` is the number of lines of the file before `text`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    line = skipped_lines + 1
    try:
        for cells in reader:
            longest = max(map(len, cells), default=0)
            if longest > MAX_CELL_LENGTH:
                raise ValidationError(f"Line {line:,}: {CELL_TOO_LONG}")
            is_blank = not any(map(str.strip, cells))
            if not is_blank:
                rows.append((line, tuple(cells)))
            line = reader.line_num + skipped_lines + 1
    except csv.Error as error:
        raise ValidationError(f"Line {line:,}: {_csv_error_message(str(error))}") from error
    return rows


def _shortening_error(identity: str) -> str:
    """Return the error if a spreadsheet has shortened a number to scientific notation, or ""."""
    if not _SCIENTIFIC_NOTATION.fullmatch(identity.strip()):
        return ""
    return (
        f"Contact identity “{identity}” was shortened by a spreadsheet. Format the column as text."
    )


def _csv_error_message(error: str) -> str:
    if "end of data" in error:
        return "a quotation mark is missing its partner."
    if "field larger" in error:
        return CELL_TOO_LONG
    return "there is text after a closing quotation mark. Double the quotation marks inside a cell."


def _detect_delimiter(text: str) -> str:
    """Return the delimiter that splits the header into the most known fields.

    Among equals, the one with the most columns wins.
    """
    return max(DELIMITERS, key=partial(_count_columns, text))


def _count_columns(text: str, delimiter: str) -> tuple[int, int]:
    """Return the number of columns that are known fields, and of all columns."""
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return 0, 0
    known_titles = list(filter(find_target, header))
    return len(known_titles), len(header)


def _column_note(title: str) -> str:
    """Return the reason why a column that an export has can't be imported, or ""."""
    if _normalize_title(title) in LABELS:
        return "Kept here only. Not imported."
    name = _NAME_BY_TITLE.get(_normalize_title(title), "")
    is_importable = name in ("", *TARGETS)
    return "" if is_importable else "Set by Twilio. Not imported."


def _normalize_title(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.casefold())


def _names_by_title() -> dict[str, str]:
    """Return the names of all fields by their normalized titles.

    A title that two fields share is omitted.
    """
    names_by_title: defaultdict[str, list[str]] = defaultdict(list)
    for entry in FLEX_FLOW.fields:
        for title in _titles_of_field(entry):
            names_by_title[title].append(entry.name)
    return {title: names[0] for title, names in names_by_title.items() if len(names) == 1}


def _titles_of_field(entry: Field) -> set[str]:
    """Return the normalized titles of a field: its name, its label, its parameter at Twilio."""
    titles = (entry.name, entry.label, entry.wire or entry.name)
    return set(map(_normalize_title, titles))


_NAME_BY_TITLE: Final = _names_by_title()
_TARGET_BY_TITLE: Final = {title: name for title, name in _NAME_BY_TITLE.items() if name in TARGETS}
