"""One attempt to send a message by its subscription's channel."""

from __future__ import annotations

import html
import json
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.utils import DNS_NAME
from standardwebhooks import Webhook

from flows.accounts import permissions
from flows.notifications import secret_box
from flows.notifications.contents import Content, build_content, load_events
from flows.notifications.matching import can_read
from flows.notifications.models import Channel, Message, Subscription
from flows.notifications.request_rules import can_see
from flows.outbound_http import failures
from flows.outbound_http.pinned_post import PostOptions, post

USER_AGENT: Final = "flex-flow-dashboard/0.1 (notification)"
ENDPOINT_GONE: Final = 410
EMAIL_OFF: Final = "E-mail is off, because the site has no mail server: EMAIL_URL is not set."
NOT_PERMITTED: Final = "The owner of this notification may no longer read these events."
_UNREADABLE: Final = (
    "The stored address or secret can't be read, because SECRET_KEY was replaced. "
    "Edit the notification and enter the address again."
)
_PROBLEMS: Final[tuple[tuple[type[failures.PostFailed], str], ...]] = (
    (
        failures.RefusedAddress,
        (
            "The host leads to a private or reserved address, or to this server itself. An "
            "administrator can allow its network with NOTIFICATION_ALLOWED_NETWORKS."
        ),
    ),
    (failures.HostNotFound, "The host name was not found."),
    (failures.InvalidUrl, "The address is invalid."),
    (failures.ConnectionImpossible, "The host didn't accept the connection."),
    (failures.CertificateRefused, "The TLS certificate of the host is invalid."),
    (failures.TlsFailed, "No TLS connection was possible."),
    (failures.ConnectTimeout, "No connection was possible in time."),
    (failures.AnswerTimeout, "No complete answer came in time. The message may have arrived."),
    (failures.AnswerLost, "The connection was lost. The message may have arrived."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The result of an attempt. `problem` is a sentence, empty if the message was delivered."""

    status: int | None = None
    problem: str = ""
    retry_after: str = ""
    duration_ms: int = 0
    is_final: bool = False  # another attempt is pointless

    @property
    def is_endpoint_gone(self) -> bool:
        return self.status == ENDPOINT_GONE


def send(message: Message, at: datetime, options: PostOptions | None = None) -> SendResult:
    """Send a message once. Nothing is raised but errors of the database."""
    started_at = time.monotonic()
    events = load_events(message)
    owner_id = message.subscription.owner_id
    if owner_id is not None:  # whose roles may have changed since
        owner = permissions.active_user(str(owner_id))
        may_get = can_see if message.subscription.is_automatic else can_read
        if not all(may_get(owner, event) for event in events):
            return SendResult(problem=NOT_PERMITTED, is_final=True)
    sender = _SENDERS[Channel(message.subscription.channel)]
    try:
        result = sender(message, build_content(message, events), at, options or _default_options())
    except secret_box.UnreadableSecret:
        result = SendResult(problem=_UNREADABLE)
    except failures.PostFailed as failure:
        result = SendResult(problem=_describe_failure(failure))
    milliseconds = round((time.monotonic() - started_at) * 1000)
    return SendResult(
        status=result.status,
        problem=result.problem,
        retry_after=result.retry_after,
        duration_ms=milliseconds,
    )


def is_email_configured() -> bool:
    return bool(settings.EMAIL_IS_CONFIGURED)


def _default_options() -> PostOptions:
    return PostOptions(allowed_networks=settings.NOTIFICATION_ALLOWED_NETWORKS)


def _describe_failure(failure: failures.PostFailed) -> str:
    return next(
        (text for kind, text in _PROBLEMS if isinstance(failure, kind)), "The message wasn't sent."
    )


def _post_json(url: str, body: bytes, headers: dict[str, str], options: PostOptions) -> SendResult:
    """Post a body of JSON. Only a status of 2xx is a success. Raises `PostFailed`."""
    all_headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
    answer = post(url, body, all_headers, options)
    return SendResult(
        status=answer.status,
        problem=_describe_status(answer.status),
        retry_after=answer.retry_after,
    )


def _describe_status(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered with a redirect (HTTP {status}), which is not followed."
    if status == ENDPOINT_GONE:
        return "It answered that it no longer exists (HTTP 410)."
    return f"It answered with HTTP {status}."


def _send_webhook(
    message: Message, content: Content, at: datetime, options: PostOptions
) -> SendResult:
    """Post the payload with an id, the time of this attempt, and a signature for each valid secret."""
    subscription = message.subscription
    body = json.dumps(content.as_json(), ensure_ascii=False, separators=(",", ":"))
    message_id = f"msg_{message.message_id.hex}"
    moment = at.astimezone(UTC)  # the library takes any time for UTC
    signatures = [
        Webhook(secret).sign(message_id, moment, body)
        for secret in _valid_secrets(subscription, at)
    ]
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return _post_json(_url(subscription), body.encode(), headers, options)


def _valid_secrets(subscription: Subscription, at: datetime) -> list[str]:
    """Return the signing secret, and the previous one while it is valid."""
    tokens = [subscription.encrypted_secret]
    until = subscription.previous_secret_until
    if subscription.encrypted_previous_secret and until is not None and at < until:
        tokens.append(subscription.encrypted_previous_secret)
    return [secret_box.decrypt(token) for token in tokens]


def _send_slack(
    message: Message, content: Content, _at: datetime, options: PostOptions
) -> SendResult:
    lines = [html.escape(line, quote=False) for line in (content.subject, *content.lines[1:])]
    if content.url:
        lines.append(f"<{content.url}|Open in the dashboard>")
    body = json.dumps({"text": "\n".join(lines)})
    return _post_json(_url(message.subscription), body.encode(), {}, options)


def _send_teams(
    message: Message, content: Content, _at: datetime, options: PostOptions
) -> SendResult:
    """Post an adaptive card, which incoming webhooks and workflows of Teams take."""
    # A bracket could begin a link.
    texts = [text.replace("[", "\\[") for text in (content.subject, *content.lines[1:])]
    card: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": text, "wrap": True} for text in texts],
    }
    if content.url:
        card["actions"] = [
            {"type": "Action.OpenUrl", "title": "Open in the dashboard", "url": content.url}
        ]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    body = json.dumps({"type": "message", "attachments": [attachment]})
    return _post_json(_url(message.subscription), body.encode(), {}, options)


def _send_email(
    message: Message, content: Content, _at: datetime, _options: PostOptions
) -> SendResult:
    recipients = _recipients(message.subscription)
    if not is_email_configured():
        return SendResult(problem=EMAIL_OFF)
    if not recipients:
        return SendResult(problem="Your profile has no e-mail address. Enter one there.")
    mail = EmailMessage(
        subject=f"[Flex Flows] {content.subject}",
        body="\n".join([*content.lines, "", content.url]).strip() + "\n",
        to=recipients,
        headers={"Message-ID": f"<{message.message_id}@{DNS_NAME}>"},
    )
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        # Only its type: a server's answer can quote addresses.
        return SendResult(problem=f"The mail server didn't take the mail ({type(error).__name__}).")
    return SendResult()


def _recipients(subscription: Subscription) -> list[str]:
    if subscription.channel == Channel.EMAIL:
        return list(subscription.recipients)
    owner = permissions.active_user(str(subscription.owner_id))
    return [owner.email] if owner is not None and owner.email else []


def _url(subscription: Subscription) -> str:
    return secret_box.decrypt(subscription.encrypted_url)


_Sender = Callable[[Message, Content, datetime, PostOptions], SendResult]
_SENDERS: Final[dict[Channel, _Sender]] = {
    Channel.OWN_EMAIL: _send_email,
    Channel.EMAIL: _send_email,
    Channel.SLACK: _send_slack,
    Channel.TEAMS: _send_teams,
    Channel.WEBHOOK: _send_webhook,
}
