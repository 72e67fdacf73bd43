"""Flows, or objects of another resource of the Flex API, as text without secrets.

One is written as code (JSON, curl, twilio-cli, Terraform) to create one like it; masked values and
credentials become variables. Many are written as CSV, or as JSON that can be imported
again; masked values stay masked.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.core.csv_cells import BYTE_ORDER_MARK, to_csv_cell
from flows.flex_flows import terraform
from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted
from flows.twilio.cleaning import to_text
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource

# Columns that only this site has, by name: a value for each of the objects, in their order.
Columns = Mapping[str, Sequence[Any]]
NO_COLUMNS: Final[Columns] = {}
CREDENTIALS = '"$TWILIO_API_KEY:$TWILIO_API_SECRET"'


@dataclass(frozen=True, slots=True)
class Snippet:
    """A flow as code in one language. Its `variables` are secrets to set before running it."""

    title: str
    text: str
    variables: list[str]


def build_snippets(resource: Resource, snapshot: Redacted, *, api_url: str) -> list[Snippet]:
    """Return an object (a redacted snapshot) in each language.

    `api_url` is the root of the API.
    """
    values = {}
    for entry in resource.writable_fields:
        value = resource.normalize_value(entry.name, snapshot.get(entry.name))
        if value is not None:
            values[entry] = value
    secrets = [_variable_name(entry) for entry, value in values.items() if has_mask(value)]
    return [
        Snippet("JSON", _json(values), []),
        Snippet(
            "curl",
            _curl(f"{api_url}/{resource.path}", values),
            ["TWILIO_API_KEY", "TWILIO_API_SECRET", *secrets],
        ),
        Snippet("twilio-cli", _twilio_cli(resource, values), secrets),
        *_terraform_snippets(resource, values, resource.name_of(snapshot)),
    ]


def as_json(
    resource: Resource, snapshots: Sequence[Redacted], columns: Columns = NO_COLUMNS
) -> str:
    """Return objects (redacted snapshots) as JSON, for flows as {"flows": […]}.

    Each has its SID, the fields that a change can set, and its values of the other `columns`.
    """
    names = ("sid", *resource.writable_names)
    items = []
    for snapshot, row in zip(snapshots, _to_rows(columns, len(snapshots)), strict=True):
        item = {name: snapshot.get(name) for name in names}
        items.append(item | dict(zip(columns, row, strict=True)))
    return json.dumps({f"{resource.name}s": items}, indent=2, ensure_ascii=False) + "\n"


def as_csv(resource: Resource, snapshots: Sequence[Redacted], columns: Columns = NO_COLUMNS) -> str:
    """Return objects as a table for spreadsheets, under the fields' names. Formulas are escaped.

    The other `columns` come last. Commas separate the values of a list.
    """
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow([*resource.by_name, *columns])
    for snapshot, row in zip(snapshots, _to_rows(columns, len(snapshots)), strict=True):
        fields = [snapshot.get(name) for name in resource.by_name]
        writer.writerow(map(to_csv_cell, [*fields, *map(_join_list, row)]))
    return buffer.getvalue()


def _to_rows(columns: Columns, count: int) -> list[tuple[Any, ...]]:
    """Return the values of the columns by row, of which there are `count`."""
    return list(zip(*columns.values(), strict=True)) if columns else [()] * count


def _join_list(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _json(values: Mapping[Field, Any]) -> str:
    values_by_name = {}
    for entry, value in values.items():
        if has_mask(value):
            value = f"${{{_variable_name(entry)}}}"
        values_by_name[entry.name] = value
    return json.dumps(values_by_name, indent=2, ensure_ascii=False)


def _curl(list_url: str, values: Mapping[Field, Any]) -> str:
    lines = [f"curl --request POST {shlex.quote(list_url)}", f"--user {CREDENTIALS}"]
    lines += [
        f"--data-urlencode {_shell_argument(f'{entry.wire}=', entry, value)}"
        for entry, value in values.items()
    ]
    return " \\\n  ".join(lines)


def _twilio_cli(resource: Resource, values: Mapping[Field, Any]) -> str:
    lines = [f"twilio api:flex:v1:{_kebab_case(resource.path)}:create"]
    lines += [_twilio_cli_option(entry, value) for entry, value in values.items()]
    return " \\\n  ".join(lines)


def _twilio_cli_option(entry: Field, value: Any) -> str:
    """Return a field as an option of twilio-cli, where a boolean is one of two options."""
    name = _kebab_case(entry.wire or "")
    if value is True:
        return f"--{name}"
    if value is False:
        return f"--no-{name}"
    return f"--{name} {_shell_argument('', entry, value)}"


def _terraform_snippets(
    resource: Resource, values: Mapping[Field, Any], title: str
) -> list[Snippet]:
    """Return an object as Terraform code, a flow for both providers."""
    variables = [
        terraform.variable_name(entry) for entry, value in values.items() if has_mask(value)
    ]
    snippets = [Snippet("Terraform", terraform.write_resource(resource, values, title), variables)]
    if resource is FLEX_FLOW:
        text = terraform.write_rjpearson94_flow(values, title)
        snippets.append(Snippet("Terraform (RJPearson94/twilio)", text, variables))
    return snippets


def _variable_name(entry: Field) -> str:
    return entry.name.upper()


def _shell_argument(prefix: str, entry: Field, value: Any) -> str:
    """Return a quoted argument for the shell. A secret is a variable in double quotes."""
    if has_mask(value):
        return f'"{prefix}${_variable_name(entry)}"'
    return shlex.quote(prefix + to_text(value))


def _kebab_case(name: str) -> str:
    """Return a name of the API as twilio-cli writes it.

    For example, Integration.FlowSid becomes integration.flow-sid.
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
