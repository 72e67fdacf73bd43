"""Objects as Terraform code for both providers that know Flex Flows. Secrets become variables.

A resource block creates an object like the original. With its import block, Terraform takes over
the original. Sources: docs/resources/flex_flow.md of RJPearson94/terraform-provider-twilio, and
twilio/resources/flex/v1/api_default.go of twilio/terraform-provider-twilio, read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource

Values = Mapping[Field, Any]
_HCL_ESCAPES: Final = {r"\b": r"\u0008", r"\f": r"\u000c"}  # by the escape of JSON


@dataclass(frozen=True, slots=True)
class Provider:
    """A Terraform provider, and how it writes a Flex Flow.

    With `has_block`, the fields of the integration are in a block of their own. `import_prefix` comes
    before the SID in the id of an import.
    """

    source: str
    version: str
    flow_type: str
    import_prefix: str = ""
    has_block: bool = False


TWILIO: Final = Provider("twilio/twilio", "0.17", "twilio_flex_flex_flows_v1")
RJPEARSON94: Final = Provider(
    "RJPearson94/twilio", "0.9", "twilio_flex_flow", import_prefix="/FlexFlows/", has_block=True
)


def as_twilio_terraform(flows: Sequence[Redacted]) -> str:
    """Return flows as import and resource blocks for the provider twilio/twilio."""
    return _as_terraform(flows, TWILIO)


def as_rjpearson94_terraform(flows: Sequence[Redacted]) -> str:
    """Return flows as import and resource blocks for the provider RJPearson94/twilio."""
    return _as_terraform(flows, RJPEARSON94)


def write_resource(resource: Resource, values: Values, title: str) -> str:
    """Return the resource block of an object of any kind, for the provider twilio/twilio."""
    kind = f"twilio_flex_{_snake_case(resource.path)}_v1"
    return _block(kind, _name(resource, title), _arguments(values, ""))


def write_rjpearson94_flow(values: Values, title: str) -> str:
    """Return the resource block of a flow for the provider RJPearson94/twilio."""
    return _flow_block(RJPEARSON94, values, _name(FLEX_FLOW, title), "")


def variable_name(field: Field, prefix: str = "") -> str:
    """Return the name of the variable that stands for a secret."""
    return f"{prefix}{field.name}"


def _as_terraform(flows: Sequence[Redacted], provider: Provider) -> str:
    names = _unique_names(flows)
    parts = [_header(flows, provider)]
    for flow, name in zip(flows, names, strict=True):
        values = _values_of(flow)
        parts += [_variable(name, field) for field, value in values.items() if has_mask(value)]
        target = f"{provider.flow_type}.{name}"
        sid = _literal(f"{provider.import_prefix}{flow.get('sid')}")
        parts.append(f"import {{\n  to = {target}\n  id = {sid}\n}}")
        parts.append(_flow_block(provider, values, name, f"{name}_"))
    return "\n\n".join(parts) + "\n"


def _header(flows: Sequence[Redacted], provider: Provider) -> str:
    lines = [
        f"# Flex Flows as last synced, for the provider {provider.source} {provider.version} or later.",
        "# The import blocks need Terraform 1.5 or later. With them, Terraform should import every flow",
        "# and change none.",
    ]
    account_sids = sorted({str(flow.get("account_sid")) for flow in flows})
    if len(account_sids) > 1:
        lines.append(f"# The flows are in {len(account_sids)} accounts: {', '.join(account_sids)}.")
        lines.append(
            "# Export the flows of each account by themselves: a provider has one account."
        )
    return "\n".join(lines)


def _values_of(flow: Redacted) -> dict[Field, Any]:
    """Return the fields of a flow that have a value which its integration type uses."""
    variant = FLEX_FLOW.variant_of(flow)
    values = {}
    for field in FLEX_FLOW.writable_fields:
        value = FLEX_FLOW.normalize_value(field.name, flow.get(field.name))
        if value is not None and field.is_applicable(variant):
            values[field] = value
    return values


def _variable(name: str, field: Field) -> str:
    lines = ["  type      = string", "  sensitive = true"]
    return _block("variable", variable_name(field, f"{name}_"), lines)


def _flow_block(provider: Provider, values: Values, name: str, prefix: str) -> str:
    if not provider.has_block:
        return _block(provider.flow_type, name, _arguments(values, prefix))
    own = {field: value for field, value in values.items() if not field.is_nested}
    nested = {field: value for field, value in values.items() if field.is_nested}
    arguments = _arguments(nested, prefix, omitted=f"{FLEX_FLOW.nested}_")
    block = ["", f"  {FLEX_FLOW.nested} {{", *(f"  {line}" for line in arguments), "  }"]
    return _block(provider.flow_type, name, [*_arguments(own, prefix), *block])


def _block(kind: str, name: str, lines: Sequence[str]) -> str:
    labels = f'variable "{name}"' if kind == "variable" else f'resource "{kind}" "{name}"'
    return "\n".join([f"{labels} {{", *lines, "}"])


def _arguments(values: Values, prefix: str, omitted: str = "") -> list[str]:
    """Return the arguments of a block, aligned. `omitted` is the beginning of their names to omit."""
    names = {field: field.name.removeprefix(omitted) for field in values}
    width = max(map(len, names.values()), default=0)
    return [
        f"  {names[field]:<{width}} = {_expression(field, value, prefix)}"
        for field, value in values.items()
    ]


def _expression(field: Field, value: Any, prefix: str) -> str:
    return f"var.{variable_name(field, prefix)}" if has_mask(value) else _literal(value)


def _unique_names(flows: Sequence[Redacted]) -> list[str]:
    """Return a name for each flow, from its friendly name, with a number where it is taken."""
    return list(_number_repeated([_name(FLEX_FLOW, FLEX_FLOW.name_of(flow)) for flow in flows]))


def _number_repeated(names: Sequence[str]) -> Iterator[str]:
    taken_names: set[str] = set()
    reserved = set(names)
    for name in names:
        unique, number = name, 1
        while unique in taken_names or (number > 1 and unique in reserved):
            number += 1
            unique = f"{name}_{number}"
        taken_names.add(unique)
        yield unique


def _name(resource: Resource, title: str) -> str:
    """Return the object's title as a Terraform name, which begins with a letter."""
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    if not name:
        return resource.name
    if not name[0].isalpha():
        return f"{resource.name}_{name}"
    return name


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _literal(value: Any) -> str:
    """Return a value in HCL, which knows fewer escapes than JSON and expands ${ and %{."""
    if not isinstance(value, str):
        return json.dumps(value)
    quoted = json.dumps(value, ensure_ascii=False)
    quoted = re.sub(r"\\.", lambda match: _HCL_ESCAPES.get(match[0], match[0]), quoted)
    return quoted.replace("${", "$${").replace("%{", "%%{")
