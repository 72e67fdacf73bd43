"""Messages for changes that this site itself refuses, also because Twilio has refused such ones before.

What Twilio answers to one request, or what fails on the way, is in failure_messages.py.
"""

from __future__ import annotations

from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.availability.restrictions import Restriction
from flows.changes import flow_holds
from flows.changes.problem import Problem
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource


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


def object_changed(labels: str, *, resource: Resource = FLEX_FLOW) -> Problem:
    return Problem(
        title=f"Someone else changed this {resource.noun} in the meantime",
        text=f"Changed: {labels}. The current values are shown below. Nothing was sent.",
        advice=f"Check the {resource.noun} again, then confirm.",
        is_conflict=True,
    )


def base_missing(resource: Resource = FLEX_FLOW) -> Problem:
    return Problem(
        title="This form is incomplete",
        text=f"The {resource.noun}'s original values are missing, so nothing was sent.",
        advice="Check the values below, just read from Twilio, and save again.",
    )


def form_reused() -> Problem:
    """Return the message for a form that made a change request of something else before."""
    return Problem(
        title="This form was already used for another change request",
        text="Nothing was sent, and no change request was created.",
        advice="Check your input, then send it again.",
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
