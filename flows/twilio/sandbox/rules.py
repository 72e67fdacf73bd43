"""The rules of a resource: valid parameters, defaults, and the effect of a create or an update.

Pure functions on its fields. A `Body` is an object as Twilio sends it. A broken rule raises
`ApiError`. `store` has the flows and their order.
"""

from __future__ import annotations

import json
import re
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio import webhook_urls
from flows.twilio.fields import Field, Operation
from flows.twilio.resource import Resource
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sids import is_sid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

Body = dict[str, Any]
Values = dict[str, Any]  # by response name; None empties a field

INVALID_PARAMETER = 20001
KEY_CONFLICT = 20409  # Assumption: the code is not documented
CREATE_COLLISION = 45210
UPDATE_COLLISION = 45212


def format_timestamp(moment: datetime) -> str:
    """Return a time in Twilio's format: UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_parameters(
    resource: Resource, parameters: Mapping[str, str], operation: Operation
) -> Values:
    """Return form parameters as values by response name.

    Parameters that the operation doesn't take are ignored.
    """
    values: Values = {}
    for wire_name, text in parameters.items():
        field = resource.by_wire_name.get(wire_name)
        if field is not None and field.is_set_by(operation):
            values[field.name] = _decode(field, text)
    return values


def parse_json(resource: Resource, sid: str, text: str | None) -> Values:
    """Return the values in a JSON body, which has to name the object. Unknown fields are ignored."""
    try:
        body = json.loads(text or "")
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get(resource.sid_field) != sid:
        message = f"Missing required parameter {resource.sid_field} in the post body"
        raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)
    return {
        name: body[name]
        for name in body
        if name in resource.by_name and resource.by_name[name].is_set_by("update")
    }


def create(
    resource: Resource, values: Values, *, sid: str, account_sid: str, timestamp: str
) -> Body:
    """Return the object that a create with these values makes, including defaults."""
    snapshot: Values = {"sid": sid, "account_sid": account_sid}
    for field in resource.fields_set_by("create"):
        if not field.is_nested:
            value = _initial_value(field, values)
            if field.is_returned:
                snapshot[field.name] = value
    if "enabled" in resource.by_name:
        snapshot["enabled"] = bool(values.get("enabled"))
    if resource.variant_field:
        _set_variant(resource, snapshot, values)
    dates = dict.fromkeys(("date_created", "date_updated"), timestamp)
    return snapshot_to_body(resource, snapshot | _known_only(resource, dates))


def snapshot_to_body(resource: Resource, snapshot: Values) -> Body:
    """Return an object as the sandbox keeps it: Twilio's JSON, with the SID as `sid`."""
    return resource.encode(snapshot) | {"sid": snapshot["sid"]}


def _known_only(resource: Resource, dates: Values) -> Values:
    """Return the dates that the resource has."""
    return {name: value for name, value in dates.items() if name in resource.by_name}


def _initial_value(field: Field, values: Values) -> Any:
    """Return the value of a new object's field, by default the field's own default."""
    value = values.get(field.name)
    if value is not None:
        return value
    if field.required_on_create:
        raise _missing_parameter(field)
    return field.default


def update(resource: Resource, body: Body, values: Values, *, timestamp: str) -> Body:
    """Return the object after an update with these values.

    Fields without a value stay as they are. A new variant drops the fields that it does not have.
    Without any values the object is unchanged.
    """
    if not values:
        return body
    before = resource.decode(body)
    variant = _variant_after_update(resource, before, values)
    for field in resource.fields_set_by("update"):
        if field.is_sent_with_each_update and values.get(field.name) is None:
            raise _missing_parameter(field)
    returned = {name: values[name] for name in values.keys() - resource.unreturned_names}
    snapshot = before | _updated_values(resource, returned, variant)
    snapshot = _drop_inapplicable(resource, snapshot, variant)
    has_new_variant = variant != before.get(resource.variant_field)
    if variant and has_new_variant:
        _apply_variant_defaults(resource, snapshot, variant, check_required=True)
    snapshot |= _known_only(resource, {"date_updated": timestamp})
    return snapshot_to_body(resource, snapshot)


def _variant_after_update(resource: Resource, before: Body, values: Values) -> str | None:
    """Return the variant of an object after an update, or None if it has none."""
    if resource.variant_field in values:
        chosen: str | None = values[resource.variant_field]
        return chosen
    return resource.variant_of(before | values) or None


def _updated_values(resource: Resource, values: Values, variant: str | None) -> Values:
    """Return the values of an update. A field that can't be null gets its default instead."""
    updated = dict(values)
    for name, value in values.items():
        if value is None:
            updated[name] = _emptied_value(resource.by_name[name], variant)
    return updated


def edit(resource: Resource, body: Body, fields: Mapping[str, Any]) -> Body:
    """Return the object after an edit without checks, as Twilio's Console may leave it."""
    snapshot = resource.decode(body) | dict(fields)
    if resource.variant_field in fields:
        snapshot = _drop_inapplicable(resource, snapshot, snapshot[resource.variant_field])
    return snapshot_to_body(resource, snapshot)


def check_collision(
    resource: Resource, body: Body, existing: Iterable[Body], *, before: Body | None = None
) -> None:
    """Refuse a second enabled object with the same values of `unique_while_enabled`.

    `before` is the object before an update, None for a create. An object without one of the values
    is exempt. Assumption: the status is 400, and the code 45210 for a create and 45212 for an
    update. An update of other fields succeeds even if the object already collides.
    """
    code = CREATE_COLLISION if before is None else UPDATE_COLLISION
    key = _collision_key(resource, body)
    key_before = _collision_key(resource, before or {})
    if key in (None, key_before):
        return
    for other in existing:
        is_other = other["sid"] != body["sid"]
        if is_other and _collision_key(resource, other) == key:
            values = _describe_collision_key(resource, body)
            message = f"An enabled {resource.title} exists already for {values}"
            raise ApiError(HTTPStatus.BAD_REQUEST, code, message)


def check_key(resource: Resource, body: Body, existing: Iterable[Body]) -> None:
    """Refuse a second object with the same key. Assumption: the status is 409."""
    key = resource.key_of(body)
    if key and any(resource.key_of(other) == key for other in existing):
        wire_name = resource.by_name[resource.key_field].wire
        message = f"The account has {resource.noun_with_article} with this {wire_name} already"
        raise ApiError(HTTPStatus.CONFLICT, KEY_CONFLICT, message)


def _collision_key(resource: Resource, body: Body) -> tuple[Any, ...] | None:
    """Return the values that only one enabled object can have, or None if it has not all."""
    key = tuple(map(body.get, resource.unique_while_enabled))
    is_complete = bool(key) and all(key)
    if is_complete and body.get("enabled"):
        return key
    return None


def _describe_collision_key(resource: Resource, body: Body) -> str:
    """Return the values that only one enabled object can have, with the parameters' names."""
    parts = []
    for name in resource.unique_while_enabled:
        wire_name = resource.by_name[name].wire
        parts.append(f"{wire_name} {body[name]}")
    return " and ".join(parts)


def _set_variant(resource: Resource, snapshot: Values, values: Values) -> None:
    """Set the variant of a new object, its fields and their defaults."""
    requested = values.get(resource.variant_field)
    variant = requested or resource.default_variant
    snapshot[resource.variant_field] = variant
    for field in resource.nested_fields_of(variant):
        value = values.get(field.name)
        if value is not None:
            snapshot[field.name] = value
    _apply_variant_defaults(resource, snapshot, variant, check_required=requested is not None)


def _drop_inapplicable(resource: Resource, snapshot: Values, variant: str | None) -> Values:
    """Return the object without the fields that this variant does not have."""
    remaining = dict(snapshot)
    for field in resource.nested_fields:
        if not field.is_applicable(variant):
            remaining.pop(field.name, None)
    return remaining


def _apply_variant_defaults(
    resource: Resource, snapshot: Values, variant: str, *, check_required: bool
) -> None:
    """Add the defaults of the object's variant, and check its required fields."""
    for field in resource.nested_fields_of(variant):
        if snapshot.get(field.name) is not None:
            continue
        if field.default is not None:
            snapshot[field.name] = field.default
        elif check_required and field.is_required(variant):
            raise _missing_parameter(field)


def _emptied_value(field: Field, variant: str | None) -> Any:
    """Return the value of a field after an update that empties it.

    Assumption: a field that a create or the variant requires gets its default. It can't
    be emptied if it has none. Any other field is null.
    """
    if not field.is_required_to_create(variant):
        return None
    if field.default is None:
        raise _missing_parameter(field)
    return field.default


def _decode(field: Field, text: str) -> Any:
    """Return a parameter's value. An empty parameter empties the field."""
    if not text:
        return None
    return _DECODERS[field.kind](field, text)


def _decode_text(field: Field, text: str) -> str:
    if field.is_too_long(text):
        raise _invalid_parameter(field, f"at most {field.max_length} characters, not {len(text)}")
    return text


def _decode_sid(field: Field, text: str) -> str:
    if not is_sid(field.sid_prefix, text):
        raise _invalid_parameter(field, f"{text[:80]!r} does not match ^{field.pattern}$")
    return text


def _decode_sids(field: Field, text: str) -> list[str]:
    return [_decode_sid(field, sid) for sid in text.split("\n") if sid]


def _decode_json(field: Field, text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise _invalid_parameter(field, f"not JSON: {error}") from None
    return text


def _decode_json_list(field: Field, text: str) -> list[Any]:
    return [json.loads(_decode_json(field, item)) for item in text.split("\n")]


def _decode_enum(field: Field, text: str) -> str:
    if text not in field.choices:
        raise _invalid_parameter(field, f"{text[:80]!r} is not one of {', '.join(field.choices)}")
    return text


def _decode_choices(field: Field, text: str) -> list[str]:
    return [_decode_enum(field, choice) for choice in text.split("\n") if choice]


def _decode_boolean(field: Field, text: str) -> bool:
    word = text.lower()  # Twilio's own samples write True
    if word not in {"true", "false"}:
        raise _invalid_parameter(field, f"{text[:80]!r} is neither true nor false")
    return word == "true"


def _decode_integer(field: Field, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise _invalid_parameter(field, f"{text[:80]!r} is not an integer")
    number = int(text)
    if field.is_too_small(number):
        raise _invalid_parameter(field, f"{number} is less than {field.minimum}")
    if field.is_too_large(number):
        raise _invalid_parameter(field, f"{number} is greater than {field.maximum}")
    return number


def _decode_url(field: Field, text: str) -> str:
    # Assumption: Twilio refuses all but http and https. It is not known to refuse white space or
    # unusual characters in a URL.
    _decode_text(field, text)
    legible = "".join(filter(str.isprintable, text)).replace(" ", "")
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
    "sids": _decode_sids,
    "json": _decode_json,
    "json_list": _decode_json_list,
    "enum": _decode_enum,
    "choices": _decode_choices,
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
