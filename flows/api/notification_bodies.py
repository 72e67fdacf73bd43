"""The shapes of notifications. None of them has an address or a stored secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field as SchemaField

from flows.api.schemas import DEFAULT_LIMIT, Cursor, Limit, Reason, StrictSchema
from flows.notifications import message_rows
from flows.notifications.forms import MAX_RECIPIENTS
from flows.notifications.message_rows import MessageRow
from flows.notifications.models import Attempt, Channel

Texts = list[str]


class ListParameters(Schema):
    """The parameters of a list."""

    cursor: Cursor = ""
    limit: Limit = DEFAULT_LIMIT


class NotificationBody(Schema):
    """A notification. An empty list excludes nothing. `host` is the one that messages are posted to.

    `status` is enabled, disabled or failing. `is_own` is False for a notification of the site.
    `is_automatic` is True for the user's e-mails about change requests and policies, which are not edited.
    """

    id: int
    name: str
    channel: Channel
    is_own: bool
    is_automatic: bool
    host: str
    recipients: Texts
    actions: Texts
    results: Texts
    accounts: Texts
    query: str
    status: str
    disabled_reason: str
    has_secret: bool
    previous_secret_until: str | None
    waiting: int
    failed: int
    delivered_at: str | None


class NewSecretBody(NotificationBody):
    """A notification with the signing secret of its webhook, which no other answer has."""

    secret: str | None


class AttemptBody(Schema):
    """An attempt to send a message. `problem` is empty if it arrived."""

    at: str
    duration_ms: int
    status: int | None
    problem: str


class MessageBody(Schema):
    id: str
    subject: str
    status: str
    queued_at: str
    next_attempt_at: str
    finished_at: str | None
    attempts: list[AttemptBody]


class NotificationDetail(NotificationBody):
    """A notification with its messages, the latest first."""

    messages: list[MessageBody]
    next_cursor: str | None = None


class NotificationPage(Schema):
    items: list[NotificationBody]
    next_cursor: str | None = None


class NotificationEdit(StrictSchema):
    """The values to set. Those that the body doesn't have stay as they are."""

    name: str = ""
    recipients: Annotated[
        Texts, SchemaField(max_length=MAX_RECIPIENTS, description="E-mail addresses.")
    ] = []
    url: Annotated[
        str, SchemaField(description="Where Slack, Teams or a webhook gets messages.")
    ] = ""
    actions: Annotated[Texts, SchemaField(description="Such as “flow.update”.")] = []
    results: Annotated[Texts, SchemaField(description="Such as “failed”.")] = []
    accounts: Annotated[Texts, SchemaField(description="SIDs of accounts.")] = []
    query: Annotated[
        str, SchemaField(description="A query of the list of flows, such as “owner=Lyon”.")
    ] = ""
    reason: Reason = ""


class NotificationCreation(NotificationEdit):
    """A notification to create."""

    name: str
    channel: Literal[tuple(Channel.values)]  # type: ignore[valid-type]


class NotificationAct(StrictSchema):
    reason: Reason = ""


class DeletionParameters(Schema):
    reason: Reason = ""


def notification_body(subscription: Any) -> dict[str, Any]:
    """Return a notification with the numbers of its messages, without its address and secrets."""
    _, label = message_rows.state(subscription)
    return {
        "id": subscription.pk,
        "name": subscription.name,
        "channel": subscription.channel,
        "is_own": subscription.owner_id is not None,
        "is_automatic": subscription.is_automatic,
        "host": subscription.host,
        "recipients": subscription.recipients,
        "actions": subscription.actions,
        "results": subscription.results,
        "accounts": subscription.account_sids,
        "query": subscription.query,
        "status": label.lower(),
        "disabled_reason": subscription.disabled_reason,
        "has_secret": bool(subscription.encrypted_secret),
        "previous_secret_until": subscription.previous_secret_until,
        "waiting": subscription.waiting,
        "failed": subscription.failed,
        "delivered_at": subscription.delivered_at,
    }


def message_body(row: MessageRow) -> dict[str, Any]:
    message = row.message
    return {
        "id": message.message_id,
        "subject": row.subject,
        "status": message.status,
        "queued_at": message.queued_at,
        "next_attempt_at": message.next_attempt_at,
        "finished_at": message.finished_at,
        "attempts": _attempt_bodies(row.attempts),
    }


def _attempt_bodies(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    return [
        {
            "at": attempt.at,
            "duration_ms": attempt.duration_ms,
            "status": attempt.status,
            "problem": attempt.problem,
        }
        for attempt in attempts
    ]
