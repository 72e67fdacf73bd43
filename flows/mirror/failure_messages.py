"""Failures in words: what happened, what it means for the flow, what to do. Twilio's code stands beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.availability.restrictions import Restriction
from flows.mirror.stale_reads import StaleRead
from flows.redaction.masking import redact
from flows.twilio.errors import FlexError, NotSent, RateLimitTimeout, RequestRefused
from flows.twilio.flex import flex_flow
from flows.twilio.rates import CALLS_PER_SECOND

# Twilio's codes that a person can do something about: what it means, and what to do.
ADVICE_BY_CODE = {
    20001: ("Twilio did not accept a value.", "Correct it and save again."),
    20003: ("Twilio does not accept this site's credentials.", "An administrator has to check TWILIO_API_KEY and TWILIO_API_SECRET."),
    20005: ("The Twilio account is not active.", "An administrator has to look at the account in the Twilio Console."),
    20404: ("Twilio has no such Flex Flow.", "It was deleted, perhaps by somebody else a moment ago."),
    20409: ("Twilio reports a conflict with another change.", "Open the flow again and repeat your change."),
    20429: ("Twilio is receiving too many requests from this account.", "Wait a moment and save again."),
    45010: ("Twilio is receiving too many requests from this account.", "Wait a moment and save again."),
    45205: ("Twilio has no such Flex Flow.", "It was deleted, perhaps by somebody else a moment ago."),
    45210: (
        "Another enabled flow has this channel and contact identity already.",
        "Switch the other flow off first, or save this one switched off.",
    ),
    45212: (
        "Another enabled flow has this channel and contact identity already.",
        "Switch the other flow off first, or leave this one switched off.",
    ),
}  # fmt: skip
COLLISION_CODES = {45210, 45212}
_WIRE_NAMES = sorted(  # the longest first: Integration.ChannelType is not Channel
    ((wire, entry.name) for wire, entry in flex_flow.FIELDS_BY_WIRE_NAME.items()),
    key=lambda pair: -len(pair[0]),
)
CODE_BY_STATUS = {401: 20003, 404: 20404, 409: 20409, 429: 20429}


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


def change_failed(error: FlexError, *, what: str, sent: bool = True) -> Problem:
    """Why a change did not succeed; `what` names it, such as "The change" or "The new flow". Not `sent`: the
    flow could not even be read first."""
    if isinstance(error, StaleRead):
        text = f"{_as_sentence(error)} A change made on top of that could undo it, so nothing was sent."
        return _build_problem(
            error, f"{what} was not sent", text, "Try again in a minute; what you typed is kept below."
        )
    if not sent and not isinstance(error, RequestRefused):
        text = (
            f"The flow could not be read from Twilio first: {error}. Nothing was sent, and nothing changed."
        )
        return _build_problem(
            error, f"{what} was not sent", text, "Try again in a moment; what you typed is kept below."
        )
    if isinstance(error, RequestRefused):
        said = f"Twilio refused it: {redact(error.message)}" if error.message else "Twilio refused it."
        meaning, advice = _find_advice(error)
        return _build_problem(error, f"{what} was not made", f"{meaning} {said}".strip(), advice)
    if isinstance(error, NotSent):
        text = f"{_as_sentence(error)} Nothing was sent, and nothing changed."
        return _build_problem(
            error, f"{what} was not sent", text, "Try again in a moment; what you typed is kept below."
        )
    said = f" The answer said: {redact(error.message)}" if error.message else ""
    text = f"{_as_sentence(error)} The request may have arrived all the same, so nobody knows yet whether it was carried out.{said}"
    advice = "Look at the flow before you try again. The attempt is on record as outcome unknown."
    return _build_problem(
        error, f"{what} was sent, and its outcome is not known", text, advice, level="warning"
    )


def field_refused(error: FlexError, *, what: str, field_id: str, label: str) -> Problem:
    """A refusal of one field's value: the field has the reason, and this leads to it."""
    _, advice = _find_advice(error)
    return Problem(
        title=f"{what} was not made",
        text="Twilio refused the value of",
        advice=advice,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
        field_id=field_id,
        field_label=label,
    )


def field_message(error: FlexError) -> str:
    """The reason for a refusal of a field's value, as it stands beside the field."""
    meaning, _ = _find_advice(error)
    code = f" (code {error.code})" if error.code else f" (status {error.status})"
    return f"{meaning} Twilio: {redact(error.message)}{code}".strip()


def _find_advice(error: FlexError) -> tuple[str, str]:
    return ADVICE_BY_CODE.get(error.code or 0) or ADVICE_BY_CODE.get(
        CODE_BY_STATUS.get(error.status or 0, 0), ("", "")
    )


def read_failed(error: FlexError, *, what: str) -> Problem:
    """Why Twilio's side could not be read; `what` says what the page does about it."""
    if isinstance(error, RequestRefused):
        meaning, advice = _find_advice(error)
        return _build_problem(
            error, "Twilio refused to show this flow", f"{meaning} {what}".strip(), advice, level="warning"
        )
    if isinstance(error, RateLimitTimeout):
        text = f"Twilio allows {CALLS_PER_SECOND['fetch']} reads of a flow a second in an account, and others came first. {what}"
        advice = "Reload the page in a few seconds."
        return _build_problem(error, "Twilio was not asked", text, advice, level="warning")
    if isinstance(error, NotSent):
        title = "Couldn't reach Twilio"
    else:
        title = "Twilio did not answer" if error.status is None else "Twilio did not show this flow"
    return _build_problem(error, title, f"{_as_sentence(error)} {what}", level="warning")


def not_recorded() -> Problem:
    return Problem(
        title="The audit log can't be written, so nothing was sent",
        text="Every change is put on record before it goes to Twilio. That failed just now: the flow is as it was.",
        advice="What you typed is kept below. Try again in a moment; if this stays, tell whoever runs this site.",
    )


def outcome_not_recorded(error: FlexError | None) -> Problem:
    is_sent = not isinstance(error, NotSent)
    heard = "Twilio confirmed it" if error is None else _as_sentence(error).rstrip(".")
    return Problem(
        title=f"The change was {'sent' if is_sent else 'not sent'}, and its outcome could not be put on record",
        text=f"{heard}. The attempt is on record, without an outcome.",
        advice="Look at the flow before you change it again, and tell whoever runs this site.",
        level="warning",
        status=error.status if error else None,
        code=error.code if error else None,
    )


def blocked_by_open_change(other: AuditEvent, *, is_creation: bool) -> Problem:
    """A change was held back by another one, which is under way, in doubt, or was made since the flow was read."""
    who, kept = other.actor_label, "what you typed is kept below"
    if other.action == "flow.create" and not is_creation:
        return Problem(
            title="This flow may be what an open creation made",
            text=f"It is new here, and what became of a flow that {who} asked for is not known yet. Until that is known, no change of this one is sent. Nothing was sent.",
            advice=f"Look at that creation in the audit log; once it is settled, save again: {kept}.",
            level="warning",
        )
    if other.action == "flow.create":
        return Problem(
            title="Another creation like this one is open",
            text=f"{who} asked for a flow with this name or contact identity, and what became of that is not known yet. So that there are not two, yours was held back. Nothing was sent.",
            advice=f"Look at the other one in the audit log; once it is settled, save again: {kept}.",
            level="warning",
        )
    if other.result == Result.UNKNOWN:
        return Problem(
            title="A change of this flow is in doubt",
            text=f"Nobody knows yet what became of the change that {who} made. Until that is known, no other is sent. Nothing was sent.",
            advice=f"Look at that change on the flow's page: it is found out there, mostly within two minutes. Then save again; {kept}.",
            level="warning",
        )
    return Problem(
        title="Another change of this flow came first",
        text=f"{who} is changing it at this moment, or did so a moment ago, so yours was held back. Nothing was sent.",
        advice=f"Wait a few seconds and save again; {kept}, and compared with the flow anew.",
        level="warning",
    )


def change_unavailable(
    why: Restriction, *, what: str, sent: bool = False, is_submitted: bool = True
) -> Problem:
    """A change that can't be made now, whoever asks; `sent`: Twilio has just said so to this one. Not
    `is_submitted`: its form was asked for."""
    nothing = "Nothing was changed." if sent else "Nothing was sent, and nothing changed."
    failed = f"{what} was not {'made' if sent else 'sent'}" if is_submitted else f"{what} can't be made now"
    if why.kind == restrictions.NO_CREDENTIALS:
        return Problem(
            title=failed,
            text=f"{why.sentence} {nothing}",
            advice="Ask whoever runs this site to add the account's credentials.",
        )
    return Problem(
        title=failed,
        text=nothing,
        notice=why.sentence,
        advice=restrictions.REFUSAL_ADVICE
        if why.by_twilio
        else "Wait until it is opened again; an administrator does that under Accounts.",
        status=why.closure.status if why.closure else None,
        code=why.closure.code if why.closure else None,
    )


def flow_changed(labels: str) -> Problem:
    return Problem(
        title="Someone else changed this flow in the meantime",
        text=f"Changed: {labels}. What you see below is how it is at Twilio now. Nothing was sent.",
        advice="Check the flow again, then confirm.",
        is_conflict=True,
    )


def refused_field(error: FlexError) -> str:
    """The field that a refusal is about: the one that Twilio's words name, or whose value is taken."""
    if error.code in COLLISION_CODES:
        return "contact_identity"
    named = [
        name for wire, name in _WIRE_NAMES if re.search(rf"(?<![\w.]){re.escape(wire)}(?!\w)", error.message)
    ]
    return named[0] if named else ""


def base_missing() -> Problem:
    return Problem(
        title="This form is not complete",
        text="It does not say what the flow looked like when you opened it, so nothing was sent.",
        advice="Look over the values below, read from Twilio just now, and save again.",
    )


def _build_problem(
    error: FlexError, title: str, text: str, advice: str = "", *, level: str = "error"
) -> Problem:
    info = error.more_info if error.more_info.startswith("https://www.twilio.com/") else ""
    return Problem(
        title=title, text=text, advice=advice, code=error.code, status=error.status,
        request_id=error.request_id, more_info=info, level=level,
    )  # fmt: skip


def _as_sentence(error: FlexError) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."
