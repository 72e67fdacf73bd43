"""Failures in words: what happened, what it means for the flow, what to do. Twilio's code stands beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.flexapi import schema
from flows.flexapi.errors import FlexError, NeverSent, NoTurn, Refused
from flows.flexapi.rates import RATES
from flows.masking import masked
from flows.models import AuditEvent, Result
from flows.services import closures
from flows.services.closures import Why
from flows.services.settling import StaleRead

# Twilio's codes that a person can do something about: what it means, and what to do.
ADVICE = {
    20001: ("Twilio did not accept a value.", "Correct it and save again."),
    20003: ("Twilio does not accept this site's credentials.", "Ask an administrator to check TWILIO_API_KEY and TWILIO_API_SECRET."),
    20005: ("The Twilio account is not active.", "Ask an administrator to check the account in the Twilio Console."),
    20404: ("Twilio has no such Flex Flow.", "Someone may have just deleted it. Check its page."),
    20409: ("Twilio reports a conflict with another change.", "Open the flow again and repeat your change."),
    20429: ("Twilio is receiving too many requests from this account.", "Wait a moment and save again."),
    45010: ("Twilio is receiving too many requests from this account.", "Wait a moment and save again."),
    45205: ("Twilio has no such Flex Flow.", "Someone may have just deleted it. Check its page."),
    45210: (
        "Another enabled flow already uses this channel and contact identity.",
        "Turn off the other flow first, or save this one turned off.",
    ),
    45212: (
        "Another enabled flow already uses this channel and contact identity.",
        "Turn off the other flow first, or leave this one off.",
    ),
}  # fmt: skip
COLLISIONS = {45210, 45212}
_WIRE_NAMES = sorted(  # the longest first: Integration.ChannelType is not Channel
    ((wire, entry.name) for wire, entry in schema.BY_WIRE.items()), key=lambda pair: -len(pair[0])
)
BY_STATUS = {401: 20003, 404: 20404, 409: 20409, 429: 20429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One failure as a page shows it. `level` is error or warning."""

    title: str
    text: str
    advice: str = ""
    code: int | None = None
    status: int | None = None
    request_id: str = ""
    more_info: str = ""
    level: str = "error"
    is_conflict: bool = False  # the flow is not as it was shown
    field_id: str = ""  # of the form's field that has the rest of it, Twilio's words and code among it
    field_label: str = ""
    notice: str = ""  # what the notice at the top of every page about the account says already


def of_change(error: FlexError, *, what: str, sent: bool = True) -> Problem:
    """Why a change did not succeed; `what` names it, such as "save your changes" or "create the flow". Not `sent`: the
    flow could not even be read first."""
    if isinstance(error, StaleRead):
        text = f"{_sentence(error)} A new change could overwrite it, so nothing was sent."
        return _problem(error, f"Couldn't {what}", text, "Try again in a minute. Your input is kept below.")
    if not sent and not isinstance(error, Refused):
        text = f"Couldn't read the flow from Twilio first: {error}. Nothing was sent."
        return _problem(error, f"Couldn't {what}", text, "Try again in a moment. Your input is kept below.")
    if isinstance(error, Refused):
        said = (
            f"Twilio refused the request: {masked(error.message)}"
            if error.message
            else "Twilio refused the request."
        )
        meaning, advice = _advice_on(error)
        return _problem(error, f"Couldn't {what}", f"{meaning} {said}".strip(), advice)
    if isinstance(error, NeverSent):
        text = f"{_sentence(error)} Nothing was sent."
        return _problem(error, f"Couldn't {what}", text, "Try again in a moment. Your input is kept below.")
    said = f" Twilio's message: {masked(error.message)}" if error.message else ""
    text = f"{_sentence(error)} Twilio may still have received the request.{said}"
    advice = "Check the flow before you try again. The attempt is in the audit log."
    return _problem(error, "Unknown outcome", text, advice, level="warning")


def at_field(error: FlexError, *, what: str, field_id: str, label: str) -> Problem:
    """A refusal of one field's value: the field has the reason, and this leads to it."""
    _, advice = _advice_on(error)
    return Problem(
        title=f"Couldn't {what}",
        text="Twilio refused the value of",
        advice=advice,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
        field_id=field_id,
        field_label=label,
    )


def of_field(error: FlexError) -> str:
    """The reason for a refusal of a field's value, as it stands beside the field."""
    meaning, _ = _advice_on(error)
    code = f" (code {error.code})" if error.code else f" (status {error.status})"
    return f"{meaning} Twilio: {masked(error.message)}{code}".strip()


def _advice_on(error: FlexError) -> tuple[str, str]:
    return ADVICE.get(error.code or 0) or ADVICE.get(BY_STATUS.get(error.status or 0, 0), ("", ""))


def of_reading(error: FlexError, *, what: str) -> Problem:
    """Why Twilio's side could not be read; `what` says what the page does about it."""
    if isinstance(error, Refused):
        meaning, advice = _advice_on(error)
        return _problem(
            error, "Twilio refused to show this flow", f"{meaning} {what}".strip(), advice, level="warning"
        )
    if isinstance(error, NoTurn):
        text = (
            f"Twilio allows {RATES['fetch']} flow reads per second and account, and others came first. {what}"
        )
        advice = "Reload the page in a few seconds."
        return _problem(error, "Twilio was not asked", text, advice, level="warning")
    if isinstance(error, NeverSent):
        title = "Couldn't reach Twilio"
    else:
        title = "Twilio did not answer" if error.status is None else "Twilio did not show this flow"
    return _problem(error, title, f"{_sentence(error)} {what}", level="warning")


def not_recorded() -> Problem:
    return Problem(
        title="Couldn't write to the audit log, so nothing was sent",
        text="Each change is logged before it is sent to Twilio. The flow was not changed.",
        advice="Your input is kept below. Try again in a moment. If this continues, contact your administrator.",
    )


def outcome_not_recorded(error: FlexError | None) -> Problem:
    is_sent = not isinstance(error, NeverSent)
    heard = "Twilio confirmed the change" if error is None else _sentence(error).rstrip(".")
    return Problem(
        title=f"The change was {'sent' if is_sent else 'not sent'}, but its outcome couldn't be logged",
        text=f"{heard}. The audit log has the attempt without an outcome.",
        advice="Check the flow before you change it again, and contact your administrator.",
        level="warning",
        status=error.status if error else None,
        code=error.code if error else None,
    )


def change_open(other: AuditEvent, *, is_creation: bool) -> Problem:
    """A change was held back by another one, which is under way, in doubt, or was made since the flow was read."""
    who, kept = other.actor_label, "your input is kept below"
    if other.action == "flow.create" and not is_creation:
        return Problem(
            title="This may be a flow that's still being created",
            text=f"{who} created a flow, and the outcome is still unknown. This flow is locked until it is known. Nothing was sent.",
            advice=f"Check that change in the audit log. Save again once it is resolved: {kept}.",
            level="warning",
        )
    if other.action == "flow.create":
        return Problem(
            title="A similar flow is still being created",
            text=f"{who} created a flow with this name or contact identity, and the outcome is still unknown. To avoid a duplicate, nothing was sent.",
            advice=f"Check the other change in the audit log. Save again once it is resolved: {kept}.",
            level="warning",
        )
    if other.result == Result.UNKNOWN:
        return Problem(
            title="A change to this flow has an unknown outcome",
            text=f"A change by {who} may or may not have been applied. This flow is locked until the outcome is known. Nothing was sent.",
            advice=f"Open that change from the flow's page. It is usually resolved within two minutes. Then save again: {kept}.",
            level="warning",
        )
    return Problem(
        title="Someone else is changing this flow",
        text=f"{who} is changing it now, or changed it a moment ago. Nothing was sent.",
        advice=f"Wait a few seconds and save again: {kept}.",
        level="warning",
    )


def closed(why: Why, *, what: str, sent: bool = False, is_tried: bool = True) -> Problem:
    """A change that can't be made now, whoever asks; `sent`: Twilio has just said so to this one. Not
    `is_tried`: its form was asked for."""
    nothing = "Nothing was changed." if sent else "Nothing was sent."
    failed = f"Couldn't {what}" if is_tried else f"You can't {what} now"
    if why.kind == closures.ACCOUNT:
        return Problem(
            title=failed,
            text=f"{why.sentence} {nothing}",
            advice="Ask an administrator to add the account's credentials.",
        )
    return Problem(
        title=failed,
        text=nothing,
        notice=why.sentence,
        advice=closures.ADVICE if why.by_twilio else "An administrator can lift read-only under Accounts.",
        status=why.closure.status if why.closure else None,
        code=why.closure.code if why.closure else None,
    )


def changed_meanwhile(labels: str) -> Problem:
    return Problem(
        title="Someone else changed this flow in the meantime",
        text=f"Changed: {labels}. The current values are shown below. Nothing was sent.",
        advice="Check the flow again, then confirm.",
        is_conflict=True,
    )


def field_of(error: FlexError) -> str:
    """The field that a refusal is about: the one that Twilio's words name, or whose value is taken."""
    if error.code in COLLISIONS:
        return "contact_identity"
    named = [
        name for wire, name in _WIRE_NAMES if re.search(rf"(?<![\w.]){re.escape(wire)}(?!\w)", error.message)
    ]
    return named[0] if named else ""


def base_lost() -> Problem:
    return Problem(
        title="This form is incomplete",
        text="The flow's original values are missing, so nothing was sent.",
        advice="Check the values below, just read from Twilio, and save again.",
    )


def _problem(error: FlexError, title: str, text: str, advice: str = "", *, level: str = "error") -> Problem:
    info = error.more_info if error.more_info.startswith("https://www.twilio.com/") else ""
    return Problem(
        title=title, text=text, advice=advice, code=error.code, status=error.status,
        request_id=error.request_id, more_info=info, level=level,
    )  # fmt: skip


def _sentence(error: FlexError) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."
