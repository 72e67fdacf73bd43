"""The shapes of requests and responses, from which the OpenAPI document is made.

Those of a flow follow from the resource's fields.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from ninja import Schema
from pydantic import ConfigDict, create_model
from pydantic import Field as SchemaField

from flows.core.forms import MAX_REASON_LENGTH
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_LIMIT: Final = 1000
DEFAULT_LIMIT: Final = 100
SID_PATTERN: Final = r"^FO[0-9a-fA-F]{32}$"
ACCOUNT_PATTERN: Final = r"^AC[0-9a-fA-F]{32}$"

FlowSid = Annotated[str, SchemaField(pattern=SID_PATTERN, description="The flow's SID.")]
Limit = Annotated[int, SchemaField(ge=1, le=MAX_LIMIT, description="Items of a page.")]
Reason = Annotated[
    str, SchemaField(max_length=MAX_REASON_LENGTH, description="Shown in the audit log.")
]
Cursor = Annotated[str, SchemaField(description="The “next_cursor” of the page before.")]


class StrictSchema(Schema):
    """A body without other fields, whose values have the types that JSON gives them."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FlowFilters(Schema):
    """The filters of the list of flows, those of the page `/flows/`."""

    q: Annotated[str, SchemaField(description="Words of a name, a number, a SID.")] = ""
    channel: Annotated[str, SchemaField(description="A channel type, or “none”.")] = ""
    integration: Annotated[str, SchemaField(description="An integration type, or “none”.")] = ""
    enabled: Annotated[str, SchemaField(description="true, false, or gone for deleted.")] = ""
    account: Annotated[str, SchemaField(description="An account's SID.")] = ""
    owner: Annotated[str, SchemaField(description="An owner, or “none”.")] = ""
    tag: Annotated[str, SchemaField(description="A tag, or “none”.")] = ""
    target: Annotated[
        str, SchemaField(description="A target's kind and value, such as “webhook:example.com”.")
    ] = ""
    warnings: Annotated[str, SchemaField(description="true for flows with warnings.")] = ""
    check: Annotated[str, SchemaField(description="The id of a check that found something.")] = ""


class FlowParameters(FlowFilters):
    """The parameters of the list of flows."""

    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT


class PageParameters(Schema):
    """The parameters of other lists."""

    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT
    account: Annotated[str, SchemaField(description="An account's SID.")] = ""


class EventParameters(Schema):
    """The parameters of the stream of events."""

    after: Annotated[
        int, SchemaField(ge=0, le=2**53, description="The last “seq” that you have.")
    ] = 0
    limit: Limit = MAX_LIMIT
    wait: Annotated[
        int, SchemaField(ge=0, le=30, description="Seconds to wait if there is no new event.")
    ] = 0


class ChangeParameters(Schema):
    """The parameters of a change."""

    dry_run: Annotated[
        bool, SchemaField(description="Return the differences and send nothing.")
    ] = False
    as_request: Annotated[
        bool, SchemaField(description="Make a change request of it and send nothing.")
    ] = False


class CreationHeaders(Schema):
    """The headers of a creation."""

    idempotency_key: Annotated[
        uuid.UUID | None,
        SchemaField(
            alias="Idempotency-Key",
            description="The change's id. A request that repeats it gets the first outcome.",
        ),
    ] = None


class ChangeHeaders(CreationHeaders):
    """The headers of a change."""

    if_match: Annotated[
        str, SchemaField(alias="If-Match", description="The ETag of the flow as you read it.")
    ] = ""


class ProblemBody(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: dict[str, list[str]] = {}


class ChangeBody(Schema):
    """A change with its latest event in the audit log."""

    change_id: str
    event_id: str
    action: str
    result: str
    sid: str
    account_sid: str
    changed_fields: list[str]
    at: str
    url: str
    merged_fields: list[str] = []
    unexpected_fields: list[str] = []


class Requested(Schema):
    """A change request, which the policy of the account takes before the change. Nothing was sent.

    `url` is its address in the API, and `page` that of its page.
    """

    result: Literal["requested"] = "requested"
    detail: str
    url: str
    page: str


class Difference(Schema):
    field: str
    current: Any = None
    new: Any = None


class DryRun(Schema):
    """The differences that a change would make. Nothing was sent.

    `request_reason` says why it would become a change request, or is empty.
    """

    dry_run: Literal[True] = True
    differences: list[Difference]
    warnings: list[str]
    request_reason: str = ""


class AccountBody(Schema):
    sid: str
    name: str
    is_production: bool
    is_read_only: bool
    flows: int
    synced_at: str | None


class TargetBody(Schema):
    account_sid: str
    kind: str
    value: str
    flows_on: int
    flows_off: int


def _value_type(field: Field, *, is_body: bool) -> Any:
    """Return the type of a field's values in JSON. A response can have what Twilio sent."""
    limits: dict[str, Any] = {"description": field.help}
    if field.kind == "boolean":
        return Annotated[bool | None, SchemaField(**limits)]
    if field.kind == "integer":
        if is_body:
            limits |= {"ge": field.minimum, "le": field.maximum}
        return Annotated[int | None, SchemaField(**limits)]
    if is_body and field.kind == "enum":
        return Annotated[Literal[tuple(field.choices)] | None, SchemaField(**limits)]
    if is_body:
        limits["max_length"] = field.max_length
        limits["pattern"] = f"^{field.pattern}$" if field.pattern else None
    return Annotated[str | None, SchemaField(**limits)]


def _value_fields(*, is_body: bool) -> dict[str, Any]:
    fields = FLEX_FLOW.writable_fields if is_body else FLEX_FLOW.fields
    return {each.name: (_value_type(each, is_body=is_body), None) for each in fields}


if TYPE_CHECKING:
    FlowValues = StrictSchema
    FlowFields = Schema
else:
    FlowValues = create_model("FlowValues", __base__=StrictSchema, **_value_fields(is_body=True))
    FlowFields = create_model("FlowFields", __base__=Schema, **_value_fields(is_body=False))


class FlowEdit(FlowValues):
    """The fields to set in a flow."""

    reason: Reason = ""


class FlowCreation(FlowEdit):
    """A flow to create."""

    account_sid: Annotated[
        str | None,
        SchemaField(pattern=ACCOUNT_PATTERN, description="Required with several accounts."),
    ] = None


class Deletion(StrictSchema):
    reason: Reason = ""


class DeletionParameters(ChangeParameters):
    """The parameters of a deletion, for clients that send no body with it."""

    reason: Reason = ""


class FlowBody(FlowFields):
    """A flow as Twilio last showed it. It also has fields that Twilio has added since."""

    deleted_at: Annotated[
        str | None, SchemaField(description="When it was found deleted at Twilio.")
    ] = None


class ChangedFlow(FlowBody):
    """A flow after a change. Without a change, because it had the values, `change` is null."""

    change: ChangeBody | None = None


class FlowPage(Schema):
    items: list[FlowBody]
    next_cursor: str | None = None


class TargetPage(Schema):
    items: list[TargetBody]
    next_cursor: str | None = None


class AccountPage(Schema):
    items: list[AccountBody]
    next_cursor: str | None = None


_PROBLEM_STATUSES: Final = (400, 401, 403, 404, 422, 429, 503)
_CHANGE_STATUSES: Final = (409, 412, 413, 428, 502)


def responses(bodies: dict[int, Any], *, is_change: bool = False) -> dict[int, Any]:
    """Return the bodies of a call's responses by status, with those of its problems."""
    statuses = _PROBLEM_STATUSES + (_CHANGE_STATUSES if is_change else ())
    return bodies | dict.fromkeys(statuses, ProblemBody)
