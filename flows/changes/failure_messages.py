"""Error messages for failures at Twilio: what happened, what it means, what to do.

They are about an object of a resource, by default a flow.
"""

from __future__ import annotations

import re

from django.utils.text import capfirst

from flows.changes.problem import Problem
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
