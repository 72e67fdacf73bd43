"""Error messages for failures at Twilio: what happened, what it means, what to do.

They are about an object of a resource, by default a flow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.text import capfirst

from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.availability.restrictions import Restriction
from flows.changes import flow_holds
from flows.mirror.stale_reads import StaleRead
from flows.redaction.masking import redact
from flows.twilio.errors import FlexError, NotSent, RateLimitTimeout, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.rates import CALLS_PER_SECOND
from flows.twilio.resource import Resource

# The meaning of Twilio's codes that a user can do something about, and what to do.
ADVICE_BY_CODE = {
    20001: ("Twilio did not accept a value.", "Correct it and save again."),
    20003: (
        "Twilio does not accept this site's credentials.",
        "Ask an administrator to check TWILIO_API_KEY and TWILIO_API_SECRET.",
    ),
    20005: (
        "The Twilio account is not active.",
        "Ask an administrator to check the account in the Twilio Console.",
    ),
    20404: (
        "Twilio has no such {title}.",
        "Someone may have just deleted it. Check its page.",
    ),
    20409: (
        "Twilio has such a {noun} already, or someone changed it at the same moment.",
        "Look at it, and repeat your change if it is still needed.",
    ),
    20429: (
        "Twilio is receiving too many requests from this account.",
        "Wait a moment and save again.",
    ),
    45010: (
        "Twilio is receiving too many requests from this account.",
        "Wait a moment and save again.",
    ),
    45102: (
        "Someone else changed the configuration at the same moment.",
        "Open it again and repeat your change.",
    ),
    45204: (
        "Twilio has no such {title}.",
        "Someone may have just deleted it. Check its page.",
    ),
    45207: (
        "The customer is in too many chats already.",
        "End some of the customer's chats, then try again.",
    ),
    45208: (
        "Another chat already has this unique name.",
        "Choose another unique name, or leave it empty.",
    ),
    45211: (
        "Another customer already has this identity.",
        "Choose another identity.",
    ),
    45205: (
        "Twilio has no such Flex Flow.",
        "Someone may have just deleted it. Check its page.",
    ),
    45210: (
        "Another flow that is on already uses this channel and contact identity.",
        "Turn off the other flow first, or save this one turned off.",
    ),
    45212: (
        "Another flow that is on already uses this channel and contact identity.",
        "Turn off the other flow first, or leave this one off.",
    ),
}
COLLISION_CODES = {45210, 45212}
CODE_BY_STATUS = {401: 20003, 404: 20404, 409: 20409, 429: 20429}
RETRY_ADVICE = "Try again in a moment. Your input is kept below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A failure as a page shows it. `level` is error or warning."""

    title: str
    text: str
    advice: str = ""
    code: int | None = None
    status: int | None = None
    request_id: str = ""
    more_info: str = ""
    level: str = "error"
    is_conflict: bool = False  # the flow differs from what the form showed
    # The form's field that shows the rest of the message, with Twilio's text and code.
    field_id: str = ""
    field_label: str = ""
    notice: str = ""  # the account's notice, which full pages already show at the top
    # A page of this site that says more.
    url: str = ""
    url_label: str = ""


def change_failed(
    error: FlexError, *, task: str, resource: Resource = FLEX_FLOW, is_sent: bool = True
) -> Problem:
    """Return the message for a change without success.

    `task` names the change, such as "save your changes". If `is_sent` is False, the read before
    the change failed.
    """
    title = f"Couldn't {task}"
    if isinstance(error, StaleRead):
        text = f"{_as_sentence(error)} A new change could overwrite it, so nothing was sent."
        advice = "Try again in a minute. Your input is kept below."
        return _build_problem(error, title, text, advice)
    if isinstance(error, RequestRefused):
        meaning, advice = _find_advice(error, resource)
        refusal = "Twilio refused the request."
        if error.message:
            refusal = f"Twilio refused the request: {redact(error.message)}"
        return _build_problem(error, title, f"{meaning} {refusal}".strip(), advice)
    if not is_sent:
        text = f"Couldn't read the {resource.noun} from Twilio first: {error}. Nothing was sent."
        return _build_problem(error, title, text, RETRY_ADVICE)
    if isinstance(error, NotSent):
        text = f"{_as_sentence(error)} Nothing was sent."
        return _build_problem(error, title, text, RETRY_ADVICE)
    text = f"{_as_sentence(error)} Twilio may still have received the request."
    if error.message:
        text = f"{text} Twilio's message: {redact(error.message)}"
    advice = f"Check the {resource.noun} before you try again. The attempt is in the audit log."
    return _build_problem(error, "Unknown outcome", text, advice, level="warning")


def field_refused(
    error: FlexError, *, task: str, field_id: str, label: str, resource: Resource = FLEX_FLOW
) -> Problem:
    """Return the message for a refused value, which links to the field with the reason."""
    _, advice = _find_advice(error, resource)
    return Problem(
        title=f"Couldn't {task}",
        text="Twilio refused the value of",
        advice=advice,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
        field_id=field_id,
        field_label=label,
    )


def field_message(error: FlexError, *, resource: Resource = FLEX_FLOW) -> str:
    """Return the reason why Twilio refused a value, for the field's own error."""
    meaning, _ = _find_advice(error, resource)
    code = f" (code {error.code})" if error.code else f" (status {error.status})"
    return f"{meaning} Twilio: {redact(error.message)}{code}".strip()


def _find_advice(error: FlexError, resource: Resource) -> tuple[str, str]:
    """Return the meaning of Twilio's code, or else of the status, and the advice."""
    usual_code = CODE_BY_STATUS.get(error.status or 0, 0)
    texts = ADVICE_BY_CODE.get(error.code or 0) or ADVICE_BY_CODE.get(usual_code, ("", ""))
    meaning, advice = (text.format(noun=resource.noun, title=resource.title) for text in texts)
    return meaning, advice


def read_failed(error: FlexError, *, fallback: str, resource: Resource = FLEX_FLOW) -> Problem:
    """Return the message for a failed read. `fallback` says what the page shows instead."""
    if isinstance(error, RequestRefused):
        title = f"Twilio refused to show this {resource.noun}"
        meaning, advice = _find_advice(error, resource)
        return _build_problem(
            error, title, f"{meaning} {fallback}".strip(), advice, level="warning"
        )
    if isinstance(error, RateLimitTimeout):
        text = (
            f"Twilio allows {CALLS_PER_SECOND['fetch']} {resource.noun} reads per second and account, "
            f"and others came first. {fallback}"
        )
        advice = "Reload the page in a few seconds."
        return _build_problem(error, "Twilio was not asked", text, advice, level="warning")
    if isinstance(error, NotSent):
        title = "Couldn't reach Twilio"
    elif error.status is None:
        title = "Twilio did not answer"
    else:
        title = f"Twilio did not show this {resource.noun}"
    return _build_problem(error, title, f"{_as_sentence(error)} {fallback}", level="warning")


def list_failed(error: FlexError, resource: Resource) -> Problem:
    """Return the message for a list of a resource that could not be read."""
    plural = resource.noun_plural
    if isinstance(error, RequestRefused):
        meaning, advice = _find_advice(error, resource)
        text = f"{meaning} Twilio refused the request: {redact(error.message)}".strip()
        return _build_problem(error, f"Twilio refused to list the {plural}", text, advice)
    advice = "Reload the page in a few seconds."
    return _build_problem(
        error, f"Couldn't read the {plural}", _as_sentence(error), advice, level="warning"
    )


def not_recorded(resource: Resource = FLEX_FLOW) -> Problem:
    text = "Each change is logged before it is sent to Twilio."
    return Problem(
        title="Couldn't write to the audit log, so nothing was sent",
        text=f"{text} The {resource.noun} was not changed.",
        advice=(
            "Your input is kept below. Try again in a moment. "
            "If this continues, contact your administrator."
        ),
    )


def secret_in_request(labels: str, policy_sentence: str) -> Problem:
    """Return the message for a change request that would store a new secret.

    `policy_sentence` is empty if the policy doesn't require the request.
    """
    other_way = "ask an administrator to change the policy for a while"
    text = f"A change request stores no secrets ({labels}). Nothing was sent."
    return Problem(
        title="This change has a new secret, so no change request was created",
        text=f"{policy_sentence} {text}".strip(),
        advice=f"Remove the new secret, or {other_way if policy_sentence else 'send it now'}.",
    )


def form_reused() -> Problem:
    """Return the message for a form that made a change request of something else before."""
    return Problem(
        title="This form was already used for another change request",
        text="Nothing was sent, and no change request was created.",
        advice="Check your input, then send it again.",
    )


def details_not_recorded() -> Problem:
    """Return the message for a flow's owner, tags and note, which are never sent to Twilio."""
    return Problem(
        title="Couldn't write to the audit log, so nothing was changed",
        text="The owner, tags and note are as they were.",
        advice=(
            "Your input is kept below. Try again in a moment. "
            "If this continues, contact your administrator."
        ),
    )


def outcome_not_recorded(error: FlexError | None, resource: Resource = FLEX_FLOW) -> Problem:
    """Return the message for a lost outcome. `error` is None if Twilio confirmed the change."""
    action = "not sent" if isinstance(error, NotSent) else "sent"
    outcome = "Twilio confirmed the change."
    if error is not None:
        outcome = f"{_as_sentence(error).rstrip('.')}."
    return Problem(
        title=f"The change was {action}, but its outcome couldn't be logged",
        text=f"{outcome} The audit log has the attempt without an outcome.",
        advice=f"Check the {resource.noun} before you change it again, and contact your "
        "administrator.",
        level="warning",
        status=error.status if error else None,
        code=error.code if error else None,
    )


def blocked_by_open_change(
    other: AuditEvent, *, is_creation: bool, resource: Resource = FLEX_FLOW
) -> Problem:
    """Return the message for a change that another change blocks.

    The other one is in progress, has an unknown outcome, or was made after the object was read.
    """
    actor, noun, a_noun = other.actor_label, resource.noun, resource.noun_with_article
    if other.operation == "create" and not is_creation:
        title = f"This may be {a_noun} that's still being created"
        text = (
            f"{actor} created {a_noun}, and the outcome is still unknown. "
            f"This {noun} is locked until it is known. Nothing was sent."
        )
        advice = "Check that change in the audit log. Save again once it is resolved"
    elif other.operation == "create":
        title = f"A similar {noun} is still being created"
        text = (
            f"{actor} created {a_noun} like this one, and the outcome is still unknown. "
            "To avoid a duplicate, nothing was sent."
        )
        advice = "Check the other change in the audit log. Save again once it is resolved"
    elif other.result == Result.UNKNOWN:
        title = f"A change to this {noun} has an unknown outcome"
        text = (
            f"A change by {actor} may or may not have been applied. "
            f"This {noun} is locked until the outcome is known. Nothing was sent."
        )
        advice = (
            f"Open that change from the {noun}'s page. "
            "It is usually resolved within two minutes. Then save again"
        )
    else:
        title = f"Someone else is changing this {noun}"
        text = f"{actor} is changing it now, or changed it a moment ago. Nothing was sent."
        advice = "Wait a few seconds and save again"
    return Problem(
        title=title, text=text, advice=f"{advice}: your input is kept below.", level="warning"
    )


def change_unavailable(
    restriction: Restriction, *, task: str, is_sent: bool = False, is_submitted: bool = True
) -> Problem:
    """Return the message for a change that nobody can make now.

    If `is_sent` is True, Twilio has just refused this change. If `is_submitted` is False, the user
    has only opened its form.
    """
    title = f"Couldn't {task}" if is_submitted else f"You can't {task} now"
    effect = "Nothing was changed." if is_sent else "Nothing was sent."
    if restriction.kind == restrictions.NO_CREDENTIALS:
        return Problem(
            title=title,
            text=f"{restriction.sentence} {effect}",
            advice="Ask an administrator to add the account's credentials.",
        )
    if restriction.kind == flow_holds.HELD:
        return Problem(
            title=title,
            text=f"{restriction.sentence} {effect}",
            url=restriction.url,
            url_label=flow_holds.URL_LABEL,
        )
    advice = "An administrator can lift read-only under Accounts."
    if restriction.by_twilio:
        advice = restrictions.REFUSAL_ADVICE
    closure = restriction.closure
    return Problem(
        title=title,
        text=effect,
        notice=restriction.sentence,
        advice=advice,
        status=closure.status if closure else None,
        code=closure.code if closure else None,
    )


def object_changed(labels: str, *, resource: Resource = FLEX_FLOW) -> Problem:
    return Problem(
        title=f"Someone else changed this {resource.noun} in the meantime",
        text=f"Changed: {labels}. The current values are shown below. Nothing was sent.",
        advice=f"Check the {resource.noun} again, then confirm.",
        is_conflict=True,
    )


def refused_field(error: FlexError, resource: Resource = FLEX_FLOW) -> str:
    """Return the field that a refusal is about, by its wire name in Twilio's message, or ""."""
    if error.code in COLLISION_CODES:
        return resource.identity_field
    # Longest first: Integration.ChannelType is not Channel.
    by_length = sorted(resource.by_wire_name.items(), key=lambda pair: -len(pair[0]))
    for wire_name, field in by_length:
        if re.search(rf"(?<![\w.]){re.escape(wire_name)}(?!\w)", error.message):
            return field.name
    return ""


def base_missing(resource: Resource = FLEX_FLOW) -> Problem:
    return Problem(
        title="This form is incomplete",
        text=f"The {resource.noun}'s original values are missing, so nothing was sent.",
        advice="Check the values below, just read from Twilio, and save again.",
    )


def _build_problem(
    error: FlexError, title: str, text: str, advice: str = "", *, level: str = "error"
) -> Problem:
    has_twilio_page = error.more_info.startswith("https://www.twilio.com/")
    return Problem(
        title=title,
        text=text,
        advice=advice,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
        more_info=error.more_info if has_twilio_page else "",
        level=level,
    )


def _as_sentence(error: FlexError) -> str:
    return f"{capfirst(str(error))}."
