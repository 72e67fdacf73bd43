"""A file with the desired state of flows: YAML or JSON, read with the place of each value.

JSON is read by the same parser, because YAML contains it. Numbers are only taken for numbers if they
are written as JSON has them, so that a phone number keeps its + and its zeros.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from flows.desired_state.file_errors import FileError, InvalidFile, Place
from flows.local_details.fields import LABELS
from flows.plans.import_text import MAX_FLOWS
from flows.redaction.masking import has_mask
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW

FILE_KEYS: Final = ("account", "source_account", "flows")
ENTRY_NAMES: Final = ("sid", "account_sid", *FLEX_FLOW.writable_names)
_YAML_TAG: Final = "tag:yaml.org,2002:"
_BOOLEAN_BY_WORD: Final = {
    **dict.fromkeys(("yes", "true", "on"), True),
    **dict.fromkeys(("no", "false", "off"), False),
}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_SURROGATES: Final = re.compile(
    r"\\\\|\\u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})", re.IGNORECASE
)
_IS_TEXT: Final = "must be text. Put it in quotes."
_MASKED: Final = "contains a masked secret. Remove this line: the flow keeps its secret."


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One flow of a file: the fields that it names, and the place of each of them."""

    place: Place
    fields: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def sid(self) -> str:
        return str(self.fields.get("sid") or "").strip()

    def place_of(self, name: str) -> Place:
        """Return the place of a field, or that of the entry if it doesn't name the field."""
        return self.places.get(name, self.place)


@dataclass(frozen=True, slots=True)
class FlowFile:
    """The contents of a file.

    `account` is the account of the flows that name none, as its SID or its name. `source_account` is
    another account whose SIDs the file has. `has_local_details` is True if flows have an owner, tags
    or a note, which are not applied. `places` are those of the keys of the file.
    """

    account: str
    source_account: str
    entries: tuple[FileEntry, ...]
    has_local_details: bool
    places: Mapping[str, Place]

    def place_of(self, key: str) -> Place:
        return self.places.get(key, Place(1))


def read_flow_file(text: str) -> FlowFile:
    """Return the contents of a text in YAML or JSON. Raises `InvalidFile` with every error."""
    reader = _Reader()
    flow_file = reader.read(text)
    if reader.errors or flow_file is None:
        raise InvalidFile(reader.errors)
    return flow_file


class _Reader:
    """Reads one text, and collects its errors."""

    def __init__(self) -> None:
        self.errors: list[FileError] = []
        self.has_local_details = False

    def read(self, text: str) -> FlowFile | None:
        root = self._compose(text)
        if root is None:
            return None
        pairs = dict(self._pairs(root, Place(1), "a mapping with the key flows"))
        places = {key: Place(_line(node), key) for key, node in pairs.items()}
        for key in pairs.keys() - set(FILE_KEYS):
            self._add(places[key], f"Unknown key. A file has {', '.join(FILE_KEYS)}.")
        entries = self._read_entries(pairs.get("flows"))
        return FlowFile(
            self._read_account(pairs, places, "account"),
            self._read_account(pairs, places, "source_account"),
            tuple(entries),
            self.has_local_details,
            places,
        )

    def _add(self, place: Place, message: str) -> None:
        self.errors.append(FileError(place, message))

    def _compose(self, text: str) -> yaml.Node | None:
        """Return the tree of a text, or None for an error."""
        if text.lstrip()[:1] in ("{", "["):
            text = _json_as_yaml(text)
        try:
            root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._add(Place(mark.line + 1 if mark else 1), f"{error.problem or error.context}.")
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            reason = getattr(error, "reason", "") or "this is neither YAML nor JSON"
            self._add(Place(1), f"{reason}.")
        else:
            if root is None:
                self._add(Place(1), "The file is empty.")
            return root
        return None

    def _pairs(
        self, node: yaml.Node, place: Place, description: str
    ) -> Iterator[tuple[str, yaml.Node]]:
        """Yield the keys of a mapping with their values, each key once."""
        if not isinstance(node, yaml.MappingNode):
            self._add(place, f"must be {description}.")
            return
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._add(Place(line, place.path), "A key must be a name.")
                continue
            key = str(key_node.value)
            if key in first_lines:
                message = f"is there twice. The first one is in line {first_lines[key]}."
                self._add(place.of_key(line, key), message)
                continue
            first_lines[key] = line
            yield key, value_node

    def _read_account(
        self, pairs: Mapping[str, yaml.Node], places: Mapping[str, Place], key: str
    ) -> str:
        if key not in pairs:
            return ""
        value = self._read_scalar(pairs[key], places[key])
        if value is None or not isinstance(value, str) or not value.strip():
            self._add(places[key], "must be the SID or the name of an account.")
            return ""
        return value.strip()

    def _read_entries(self, node: yaml.Node | None) -> Iterator[FileEntry]:
        if node is None:
            self._add(Place(1, "flows"), "is missing. It is the list of flows.")
            return
        place = Place(_line(node), "flows")
        if not isinstance(node, yaml.SequenceNode):
            self._add(place, "must be a list of flows.")
            return
        if len(node.value) > MAX_FLOWS:
            self._add(place, f"has {len(node.value):,} flows. The maximum is {MAX_FLOWS:,}.")
            return
        for number, entry_node in enumerate(node.value):
            yield self._read_entry(entry_node, Place(_line(entry_node), f"flows[{number}]"))

    def _read_entry(self, node: yaml.Node, place: Place) -> FileEntry:
        fields, places = {}, {}
        for name, value_node in self._pairs(node, place, "a flow: names of fields with values"):
            field_place = place.of_key(_line(value_node), name)
            if name in LABELS:
                self.has_local_details |= bool(value_node.value)
            elif name not in ENTRY_NAMES:
                self._add(field_place, _describe_unknown(name))
            else:
                fields[name] = self._read_field(FLEX_FLOW.field(name), value_node, field_place)
                places[name] = field_place
        return FileEntry(place, fields, places)

    def _read_field(self, entry: Field, node: yaml.Node, place: Place) -> Any:
        value = self._read_scalar(node, place)
        problem = _find_problem(entry, value)
        if problem:
            self._add(place, problem)
        return value

    def _read_scalar(self, node: yaml.Node, place: Place) -> Any:
        """Return a text, a boolean, a whole number or None. Anything else is text or an error."""
        if not isinstance(node, yaml.ScalarNode):
            self._add(place, "must be a single value.")
            return None
        text, tag = str(node.value), node.tag.removeprefix(_YAML_TAG)
        if tag == "null":
            return None
        if tag == "bool":
            return _BOOLEAN_BY_WORD.get(text.lower(), text)
        if tag == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if not node.tag.startswith(_YAML_TAG) or tag.startswith("python"):
            self._add(place, f"has the unsupported tag {node.tag[:40]}.")
        elif "\x00" in text:
            self._add(place, "contains a character that can't be stored.")
        return text


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The fast loader, where PyYAML was built with it. Only its tree is used."""


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _describe_unknown(name: str) -> str:
    if name in FLEX_FLOW.by_name:
        return "is set by Twilio. Remove this line."
    if name == "<<":
        return "Merging with << is not supported. Write the fields out."
    similar = difflib.get_close_matches(name, ENTRY_NAMES, n=1)
    return f"Unknown field. Did you mean {similar[0]}?" if similar else "Unknown field."


def _find_problem(entry: Field, value: Any) -> str:
    """Return what is wrong with the type of a value, or "". Null stands for no value."""
    if value is None:
        return ""
    if entry.kind == "boolean":
        return "" if isinstance(value, bool) else "must be true or false."
    if entry.kind == "integer":
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return "" if is_integer else "must be a whole number, without quotes."
    if not isinstance(value, str):
        return _IS_TEXT
    if has_mask(value):
        return _MASKED
    if entry.kind == "enum" and value not in entry.choices:
        return f"must be one of {', '.join(entry.choices)}."
    return ""


def _json_as_yaml(text: str) -> str:
    """Return JSON without what YAML doesn't take: tabs, and characters written as two escapes."""

    def join(match: re.Match[str]) -> str:
        if match["high"] is None:  # an escaped backslash
            return match[0]
        pair = bytes.fromhex(match["high"] + match["low"])
        return f"\\U{ord(pair.decode('utf-16-be')):08x}"

    return _SURROGATES.sub(join, text.replace("\t", " "))
