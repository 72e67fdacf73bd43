"""Flows as text. One as code (JSON, curl, twilio-cli and Terraform), to make one like it: what is masked becomes a
variable, and so do the credentials. Many as a file (CSV, or JSON that can be imported again), with what is masked
left masked. Nothing secret is in either.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.csv_cells import BYTE_ORDER_MARK, to_csv_cell
from flows.redaction.masking import has_mask
from flows.twilio.flex import flex_flow

_WRITABLE_FIELDS = tuple(entry.name for entry in flex_flow.WRITABLE_FIELDS)
CREDENTIALS = '"$TWILIO_API_KEY:$TWILIO_API_SECRET"'


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way of writing a flow down. `variables` have to be set first: their values are secret."""

    title: str
    text: str
    variables: list[str]


def build_snippets(flow: Mapping[str, Any], *, api_url: str) -> list[Snippet]:
    """The flow (a snapshot, secrets masked) in each way; `api_url` is the API's root."""
    values = {
        entry: flex_flow.normalize_value(entry.name, flow.get(entry.name))
        for entry in flex_flow.WRITABLE_FIELDS
    }
    values = {entry: value for entry, value in values.items() if value is not None}
    secret = [_variable_name(entry) for entry, value in values.items() if has_mask(value)]
    return [
        Snippet("JSON", _json(values), []),
        Snippet("curl", _curl(values, api_url), ["TWILIO_API_KEY", "TWILIO_API_SECRET", *secret]),
        Snippet("twilio-cli", _twilio_cli(values), secret),
        Snippet(
            "Terraform",
            _terraform(values, str(flow.get("friendly_name") or "")),
            [name.lower() for name in secret],
        ),
    ]


def as_json(flows: Iterable[Mapping[str, Any]]) -> str:
    """Flows (snapshots, secrets masked) as {"flows": […]}, each with its SID and all that can be written."""
    kept = [{name: flow.get(name) for name in ("sid", *_WRITABLE_FIELDS)} for flow in flows]
    return json.dumps({"flows": kept}, indent=2, ensure_ascii=False) + "\n"


def as_csv(flows: Iterable[Mapping[str, Any]]) -> str:
    """Flows as a table for spreadsheets, a line each, under the schema's names. What would be a formula is escaped."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(flex_flow.FIELDS_BY_NAME)
    writer.writerows(
        [to_csv_cell(flow.get(name)) for name in flex_flow.FIELDS_BY_NAME] for flow in flows
    )
    return buffer.getvalue()


def _json(values: Mapping[flex_flow.Field, Any]) -> str:
    named = {
        entry.name: f"${{{_variable_name(entry)}}}" if has_mask(value) else value
        for entry, value in values.items()
    }
    return json.dumps(named, indent=2, ensure_ascii=False)


def _curl(values: Mapping[flex_flow.Field, Any], api_url: str) -> str:
    lines = [f"curl --request POST {shlex.quote(api_url + '/FlexFlows')}", f"--user {CREDENTIALS}"]
    lines += [
        f"--data-urlencode {_shell_argument(f'{entry.wire}=', entry, value)}"
        for entry, value in values.items()
    ]
    return " \\\n  ".join(lines)


def _twilio_cli(values: Mapping[flex_flow.Field, Any]) -> str:
    lines = ["twilio api:flex:v1:flex-flows:create"]
    for entry, value in values.items():
        flag = _cli_flag(entry.wire or "")
        if isinstance(value, bool):  # a flag is there, or negated
            lines.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            lines.append(f"--{flag} {_shell_argument('', entry, value)}")
    return " \\\n  ".join(lines)


def _terraform(values: Mapping[flex_flow.Field, Any], title: str) -> str:
    width = max((len(entry.name) for entry in values), default=0)
    lines = [
        f"  {entry.name:<{width}} = {f'var.{_variable_name(entry).lower()}' if has_mask(value) else _hcl_literal(value)}"
        for entry, value in values.items()
    ]
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "flow"
    name = name if name[0].isalpha() else f"flow_{name}"
    return "\n".join([f'resource "twilio_flex_flex_flows_v1" "{name}" {{', *lines, "}"])


def _variable_name(entry: flex_flow.Field) -> str:
    return entry.name.upper()


def _shell_argument(before: str, entry: flex_flow.Field, value: Any) -> str:
    """A word of the shell's. A secret is a variable, in double quotes."""
    if has_mask(value):
        return f'"{before}${_variable_name(entry)}"'
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return shlex.quote(before + text)


def _cli_flag(wire: str) -> str:
    """A parameter as twilio-cli spells it: Integration.FlowSid is integration.flow-sid."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", wire).lower()


def _hcl_literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return quoted.replace("${", "$${").replace("%{", "%%{")
    return json.dumps(value)
