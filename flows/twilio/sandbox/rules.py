"""The rules of a Flex Flow: which parameters are valid, and what a create or an update makes of them.

Pure functions from the schema table; a broken rule raises Refused. Where flows are kept, and in which
order they are listed, is the business of store.
"""

from __future__ import annotations

import re
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio import webhook_urls
from flows.twilio.flex.flex_flow import (
    DEFAULT_INTEGRATION_TYPE,
    FIELDS_BY_NAME,
    FIELDS_BY_WIRE_NAME,
    INTEGRATION_FIELDS,
    WRITABLE_FIELDS,
    Field,
    from_response,
    handler_type,
    is_applicable,
    is_required,
    is_sid,
    to_response,
)
from flows.twilio.sandbox.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Resource = dict[str, Any]
Values = dict[str, Any]  # by response name; None stands for an emptied field

INVALID_PARAMETER = 20001
CREATE_COLLISION = 45210
UPDATE_COLLISION = 45212


def format_timestamp(moment: datetime) -> str:
    """A moment as Twilio writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_parameters(parameters: Mapping[str, str]) -> Values:
    """Form parameters as values by response name. Parameters that the table does not know are ignored."""
    known = (
        (FIELDS_BY_WIRE_NAME[wire], text)
        for wire, text in parameters.items()
        if wire in FIELDS_BY_WIRE_NAME
    )
    return {field.name: _decode(field, text) if text else None for field, text in known}


def create(values: Values, *, sid: str, account_sid: str, now: str) -> Resource:
    """The resource that a create with these values makes, defaults filled in."""
    for field in WRITABLE_FIELDS:
        if field.required_on_create and values.get(field.name) is None:
            raise _missing_parameter(field)
    asked = values.get("integration_type")
    integration_type = asked or DEFAULT_INTEGRATION_TYPE
    flow: Values = {"sid": sid, "account_sid": account_sid}
    flow.update(
        {
            field.name: values.get(field.name)
            for field in WRITABLE_FIELDS
            if not field.of_integration
        }
    )
    flow.update(integration_type=integration_type, enabled=bool(values.get("enabled")))
    for field in INTEGRATION_FIELDS:
        value = values.get(field.name)
        if value is not None and is_applicable(field, integration_type):
            flow[field.name] = value
    _apply_integration_defaults(flow, demand=asked is not None)
    return to_response(_apply_defaults(flow) | {"date_created": now, "date_updated": now})


def update(resource: Resource, values: Values, *, now: str) -> Resource:
    """The resource after an update: only what was given changes, and a new integration type
    drops the fields that it does not take. Without values it stays as it was."""
    if not values:
        return resource
    before = from_response(resource)
    flow = before | values
    is_asked = "integration_type" in values  # if it is emptied, the integration goes with it
    integration_type = flow.get("integration_type") if is_asked else handler_type(flow) or None
    emptied = [FIELDS_BY_NAME[name] for name, value in values.items() if value is None]
    flow.update({field.name: _emptied_value(field, integration_type) for field in emptied})
    flow = _drop_inapplicable(flow, integration_type)
    if integration_type and integration_type != before.get("integration_type"):
        _apply_integration_defaults(flow, demand=True)
    flow["date_updated"] = now
    return to_response(flow)


def edit(resource: Resource, fields: Mapping[str, Any]) -> Resource:
    """The resource after an edit that asks no permission: a flow as the Console may have left it."""
    flow = from_response(resource) | dict(fields)
    if "integration_type" in fields:
        flow = _drop_inapplicable(flow, flow["integration_type"])
    return to_response(flow)


def check_collision(
    flow: Resource, others: Iterable[Resource], *, before: Resource | None = None
) -> None:
    """At most one enabled flow for a channel type and identity; a flow without an identity is exempt.

    Assumption: status 400, and 45210 for a create, 45212 for an update. An update that touches none of
    the three fields goes through even when a collision is there already.
    """
    place = _collision_key(flow)
    if place is None or (before is not None and _collision_key(before) == place):
        return
    if any(_collision_key(other) == place and other["sid"] != flow["sid"] for other in others):
        code = CREATE_COLLISION if before is None else UPDATE_COLLISION
        channel_type, identity = place
        message = f"An enabled Flex Flow exists already for ChannelType {channel_type} and ContactIdentity {identity}"
        raise ApiError(HTTPStatus.BAD_REQUEST, code, message)


def _collision_key(flow: Resource) -> tuple[str, str] | None:
    """The channel type and identity that an enabled flow occupies."""
    identity = flow.get("contact_identity")
    return (flow["channel_type"], identity) if flow.get("enabled") and identity else None


def _drop_inapplicable(flow: Values, integration_type: str | None) -> Values:
    inactive = {
        field.name for field in INTEGRATION_FIELDS if not is_applicable(field, integration_type)
    }
    return {name: value for name, value in flow.items() if name not in inactive}


def _apply_integration_defaults(flow: Values, *, demand: bool) -> None:
    """Fill in the defaults of the flow's integration type, and demand what it requires."""
    integration_type = flow["integration_type"]
    for field in INTEGRATION_FIELDS:
        if flow.get(field.name) is not None or not is_applicable(field, integration_type):
            continue
        if field.default is not None:
            flow[field.name] = field.default
        elif demand and is_required(field, integration_type):
            raise _missing_parameter(field)


def _apply_defaults(flow: Values) -> Values:
    """The flow with the defaults of the fields outside the integration."""
    defaults = {
        f.name: f.default for f in WRITABLE_FIELDS if f.default is not None and not f.of_integration
    }
    return flow | {name: default for name, default in defaults.items() if flow[name] is None}


def _emptied_value(field: Field, integration_type: str | None) -> Any:
    # Assumption: what a create or the flow's integration type demands falls back to its default, or
    # can't be emptied if it has none. Anything else is null afterwards.
    if not (field.required_on_create or is_required(field, integration_type)):
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
    # Assumption: Twilio can only post to http and https, so it refuses anything else. It is not known to mind white
    # space or odd characters in an address.
    legible = "".join(
        character
        for character in _decode_text(field, text)
        if character.isprintable() and character != " "
    )
    fault = webhook_urls.find_url_problem(legible)
    if fault is not None and fault.kind in _REFUSED_URL_PROBLEMS:
        raise _invalid_parameter(
            field, f"{text[:80]!r} is not an http or https address: it {fault.sentence}"
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


def _invalid_parameter(field: Field, why: str) -> ApiError:
    return ApiError(
        HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, f"Invalid parameter {field.wire}: {why}"
    )


def _missing_parameter(field: Field) -> ApiError:
    message = f"Missing required parameter {field.wire} in the post body"
    return ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)
