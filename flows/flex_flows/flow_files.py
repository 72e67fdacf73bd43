"""Flows as a file that `manage.py apply` takes: their desired state, in YAML.

A secret is not in the file, and a flow keeps its secret when the file is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import yaml

from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted
from flows.twilio.flex.flex_flow import FLEX_FLOW

_HEADER: Final = (
    "# Flex Flows as last synced. Change the file, then run: manage.py apply FILE --plan\n"
    "# A field that is not in the file stays as it is.\n"
)


def as_yaml(flows: Sequence[Redacted]) -> str:
    """Return flows as a file. The account is named once if all of them are in the same one."""
    account_sids = {flow.get("account_sid") for flow in flows}
    document: dict[str, Any] = {}
    if len(account_sids) == 1:
        document["account"] = account_sids.pop()
    document["flows"] = [_entry(flow, names_account="account" not in document) for flow in flows]
    comments = [f"# {line}\n" for flow in flows for line in _describe_omissions(flow)]
    body = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1_000,
    )
    return "".join([_HEADER, *comments, str(body)])


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The fast dumper, where PyYAML was built with it. Values that are the same are written out."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _entry(flow: Redacted, *, names_account: bool) -> dict[str, Any]:
    """Return the SID of a flow and its fields with a value that the integration type uses."""
    entry: dict[str, Any] = {"sid": flow.get("sid")}
    if names_account:
        entry["account_sid"] = flow.get("account_sid")
    variant = FLEX_FLOW.variant_of(flow)
    for field in FLEX_FLOW.writable_fields:
        value = FLEX_FLOW.normalize_value(field.name, flow.get(field.name))
        is_given = value is not None and field.is_applicable(variant)
        if is_given and not has_mask(value) and FLEX_FLOW.is_readable(field.name, value):
            entry[field.name] = value
    return entry


def _describe_omissions(flow: Redacted) -> list[str]:
    """Return a line for each field whose value can't be in the file."""
    lines = []
    for field in FLEX_FLOW.writable_fields:
        value = flow.get(field.name)
        if has_mask(value):
            lines.append(f"Not in the file: {field.name} of {flow.get('sid')} has a secret.")
        elif not FLEX_FLOW.is_readable(field.name, value):
            lines.append(f"Not in the file: {field.name} of {flow.get('sid')} is unreadable.")
    return lines
