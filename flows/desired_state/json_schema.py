"""The JSON Schema of a file with the desired state of flows, made from the fields of a flow."""

from __future__ import annotations

from typing import Any, Final

from flows.desired_state.flow_file import ENTRY_NAMES
from flows.local_details.fields import LABELS
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW

_TYPE_BY_KIND: Final = {"boolean": "boolean", "integer": "integer"}


def build_schema() -> dict[str, Any]:
    """Return the schema of a whole file, as JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Desired state of Flex Flows",
        "description": "The file that manage.py apply takes, in YAML or JSON.",
        "type": "object",
        "additionalProperties": False,
        "required": ["flows"],
        "properties": {
            "account": {
                "type": "string",
                "minLength": 1,
                "description": "SID or name of the account of the flows that name none.",
            },
            "source_account": {
                "type": "string",
                "minLength": 1,
                "description": "SID or name of the account that the file was exported from, if it is "
                "another one. Its SIDs are translated with the map of SIDs.",
            },
            "flows": {"type": "array", "items": _flow_schema()},
        },
    }


def _flow_schema() -> dict[str, Any]:
    properties = {name: _field_schema(FLEX_FLOW.field(name)) for name in ENTRY_NAMES}
    properties["sid"]["description"] = (
        "The flow to update. Without it, the flow is found by account, channel, contact identity "
        "and name, and created if there is none."
    )
    properties |= {
        name: {"description": "Kept in the dashboard only. Not applied."} for name in LABELS
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _field_schema(field: Field) -> dict[str, Any]:
    """Return the schema of a field. Null stands for no value."""
    schema: dict[str, Any] = {
        "type": [_TYPE_BY_KIND.get(field.kind, "string"), "null"],
        "title": field.label,
        "description": field.help,
    }
    if field.kind == "enum":
        schema["enum"] = [*field.choices, None]
    limits = {
        "pattern": f"^{field.pattern}$" if field.pattern else None,
        "maxLength": field.max_length,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "default": field.default,
    }
    return schema | {name: limit for name, limit in limits.items() if limit is not None}
