"""The rules of a Flex Flow: valid parameters, defaults, and the effect of a create or an update.

Pure functions on the table of fields. A broken rule raises `ApiError`. `store` has the flows and
their order.
"""

from __future__ import annotations

import re
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio import webhook_urls
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Field
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sids import is_sid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Resource = dict[str, Any]
Values = dict[str, Any]  # by response name; None empties a field

INVALID_PARAMETER = 20001
CREATE_COLLISION = 45210
UPDATE_COLLISION = 45212


def format_timestamp(moment: datetime) -> str:
    """Return a time in Twilio's format: UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_parameters(parameters: Mapping[str, str]) -> Values:
    """Return form parameters as values by response name. Unknown parameters are ignored."""
    values: Values = {}
    for wire_name, text in parameters.items():
        field = FLEX_FLOW.by_wire_name.get(wire_name)
        if field is not None:
            values[field.name] = _decode(field, text) if text else None
    return values


def create(values: Values, *, sid: str, account_sid: str, timestamp: str) -> Resource:
    """Return the resource that a create with these values makes, including defaults."""
    for field in FLEX_FLOW.writable_fields:
        if field.required_on_create and values.get(field.name) is None:
            raise _missing_parameter(field)
    requested_type = values.get("integration_type")
    integration_type = requested_type or FLEX_FLOW.default_variant
    flow: Values = {"sid": sid, "account_sid": account_sid}
    for field in FLEX_FLOW.writable_fields:
        if not field.is_nested:
            flow[field.name] = values.get(field.name)
    flow["integration_type"] = integration_type
    flow["enabled"] = bool(values.get("enabled"))
    for field in FLEX_FLOW.nested_fields:
        value = values.get(field.name)
        if value is not None and field.is_applicable(integration_type):
            flow[field.name] = value
    _apply_integration_defaults(flow, check_required=requested_type is not None)
    dates = {"date_created": timestamp, "date_updated": timestamp}
    return FLEX_FLOW.encode(_apply_defaults(flow) | dates)


def update(resource: Resource, values: Values, *, timestamp: str) -> Resource:
    """Return the resource after an update with these values.

    Fields without a value stay as they are. A new integration type drops the fields that it does
    not have. Without any values the resource is unchanged.
    """
    if not values:
        return resource
    before = FLEX_FLOW.decode(resource)
    flow = before | values
    integration_type: str | None
    if "integration_type" in values:
        integration_type = flow.get("integration_type")
    else:
        integration_type = FLEX_FLOW.variant_of(flow) or None
    for name, value in values.items():
        if value is None:
            flow[name] = _emptied_value(FLEX_FLOW.by_name[name], integration_type)
    flow = _drop_inapplicable(flow, integration_type)
    if integration_type and integration_type != before.get("integration_type"):
        _apply_integration_defaults(flow, check_required=True)
    flow["date_updated"] = timestamp
    return FLEX_FLOW.encode(flow)


def edit(resource: Resource, fields: Mapping[str, Any]) -> Resource:
    """Return the resource after an edit without checks, as Twilio's Console may leave it."""
    flow = FLEX_FLOW.decode(resource) | dict(fields)
    if "integration_type" in fields:
        flow = _drop_inapplicable(flow, flow["integration_type"])
    return FLEX_FLOW.encode(flow)


def check_collision(
    flow: Resource, existing_flows: Iterable[Resource], *, before: Resource | None = None
) -> None:
    """Refuse a second enabled flow with the same channel type and contact identity.

    `before` is the flow before an update, None for a create. A flow without an identity is exempt.
    Assumption: the status is 400, and the code 45210 for a create and 45212 for an update. An
    update of other fields succeeds even if the flow already collides.
    """
    key = _collision_key(flow)
    if key is None or (before is not None and _collision_key(before) == key):
        return
    for existing in existing_flows:
        if existing["sid"] != flow["sid"] and _collision_key(existing) == key:
            channel_type, identity = key
            raise ApiError(
                HTTPStatus.BAD_REQUEST,
                CREATE_COLLISION if before is None else UPDATE_COLLISION,
                f"An enabled Flex Flow exists already for ChannelType {channel_type} "
                f"and ContactIdentity {identity}",
            )


def _collision_key(flow: Resource) -> tuple[str, str] | None:
    """Return the channel type and identity that an enabled flow occupies, or None."""
    identity = flow.get("contact_identity")
    return (flow["channel_type"], identity) if flow.get("enabled") and identity else None


def _drop_inapplicable(flow: Values, integration_type: str | None) -> Values:
    """Return the flow without the fields that this integration type does not have."""
    flow = dict(flow)
    for field in FLEX_FLOW.nested_fields:
        if not field.is_applicable(integration_type):
            flow.pop(field.name, None)
    return flow


def _apply_integration_defaults(flow: Values, *, check_required: bool) -> None:
    """Add the defaults of the flow's integration type, and check its required fields."""
    integration_type = flow["integration_type"]
    for field in FLEX_FLOW.nested_fields:
        if flow.get(field.name) is not None or not field.is_applicable(integration_type):
            continue
        if field.default is not None:
            flow[field.name] = field.default
        elif check_required and field.is_required(integration_type):
            raise _missing_parameter(field)


def _apply_defaults(flow: Values) -> Values:
    """Return the flow with the defaults of the fields outside the integration."""
    flow = dict(flow)
    for field in FLEX_FLOW.writable_fields:
        if not field.is_nested and flow[field.name] is None:
            flow[field.name] = field.default
    return flow


def _emptied_value(field: Field, integration_type: str | None) -> Any:
    """Return the value of a field after an update that empties it.

    Assumption: a field that a create or the integration type requires gets its default. It can't
    be emptied if it has none. Any other field is null.
    """
    if not (field.required_on_create or field.is_required(integration_type)):
        return None
    if field.default is None:
        raise _missing_parameter(field)
    return field.default


def _decode(field: Field, text: str) -> Any:
    return _DECODERS[field.kind](field, text)


def _decode_text(field: Field, text: str) -> str:
    if field.max_length is not None and len(text) > field.max_length:
        raise _invalid_parameter(field, f"at most {field.max_length} characters, not {len(text)}")
    return text


def _decode_sid(field: Field, text: str) -> str:
    if not is_sid(field.sid_prefix, text):
        raise _invalid_parameter(field, f"{text[:80]!r} does not match ^{field.pattern}$")
    return text


def _decode_enum(field: Field, text: str) -> str:
    if text not in field.choices:
        raise _invalid_parameter(field, f"{text[:80]!r} is not one of {', '.join(field.choices)}")
    return text


def _decode_boolean(field: Field, text: str) -> bool:
    word = text.lower()  # Twilio's own samples write True
    if word not in {"true", "false"}:
        raise _invalid_parameter(field, f"{text[:80]!r} is neither true nor false")
    return word == "true"


def _decode_integer(field: Field, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise _invalid_parameter(field, f"{text[:80]!r} is not an integer")
    number = int(text)
    if field.minimum is not None and number < field.minimum:
        raise _invalid_parameter(field, f"{number} is less than {field.minimum}")
    if field.maximum is not None and number > field.maximum:
        raise _invalid_parameter(field, f"{number} is greater than {field.maximum}")
    return number


def _decode_url(field: Field, text: str) -> str:
    # Assumption: Twilio refuses all but http and https. It is not known to refuse white space or
    # unusual characters in a URL.
    _decode_text(field, text)
    legible = "".join(
        character for character in text if character.isprintable() and character != " "
    )
    problem = webhook_urls.find_url_problem(legible)
    if problem is not None and problem.kind in _REFUSED_URL_PROBLEMS:
        raise _invalid_parameter(
            field, f"{text[:80]!r} is not an http or https address: it {problem.sentence}"
        )
    return text


_REFUSED_URL_PROBLEMS = {
    webhook_urls.MISSING_SCHEME,
    webhook_urls.UNSUPPORTED_SCHEME,
    webhook_urls.MISSING_SLASHES,
    webhook_urls.MISSING_HOST,
    webhook_urls.INVALID_IPV6,
}
_DECODERS: dict[str, Callable[[Field, str], Any]] = {
    "text": _decode_text,
    "sid": _decode_sid,
    "enum": _decode_enum,
    "boolean": _decode_boolean,
    "integer": _decode_integer,
    "url": _decode_url,
}


def _invalid_parameter(field: Field, problem: str) -> ApiError:
    message = f"Invalid parameter {field.wire}: {problem}"
    return ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)


def _missing_parameter(field: Field) -> ApiError:
    message = f"Missing required parameter {field.wire} in the post body"
    return ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)
