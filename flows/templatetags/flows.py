"""What the pages say about flows, events, times and values. Builtins: no template loads them.

Whatever came from Twilio or from a person is shown inert: escaped, isolated from the direction of the
text around it, and with invisible characters written out.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from flows import invisible, words
from flows.flexapi import schema
from flows.folding import places, words_of
from flows.models import AuditEvent, Flow, Result, Stage, SyncState
from flows.services import freshness
from flows.services.changes import UNDER_WAY_FOR
from flows.states import RECEPTIONS, STATUSES, state_of

register = template.Library()

UNSET: Final = format_html('<span class="unset">{}</span>', "Not set")
NO_TIME: Final = format_html('<span class="unset">{}</span>', "Unknown")

_ADDRESS: Final = re.compile(r"(https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][!-~]*[/!-~])?(?<![.,;:!?)'\"]))")
_MARK: Final = '<span class="hidden-character">⟨U+{}⟩</span>'
_STUDIO: Final = "https://console.twilio.com/us1/develop/studio/flows?frameUrl="
# The class that gives a result its shape and colour.
NO_HANDLER: Final = "No handler"
_SHAPES: Final = {
    Result.PENDING: "busy",
    Result.SUCCEEDED: "good",
    Result.FAILED: "bad",
    Result.UNKNOWN: "doubt",
    Result.APPLIED: "good",
    Result.NOT_APPLIED: "none",
    Result.CONFLICT: "doubt",
    Result.DENIED: "stop",
}
# A user's word is not what reading found.
_DECIDED: Final = {
    Result.APPLIED: "Marked as applied",
    Result.NOT_APPLIED: "Marked as not applied",
}
_CAME_TO_PASS: Final = (Result.SUCCEEDED, Result.APPLIED)
# What was observed and asks nothing of anybody.
_OBSERVED: Final = {"flow.baseline": "Recorded", "account.field": "Recorded"}


@register.filter
def visible(value: object) -> SafeString:
    """The text, escaped, invisible characters written out as ⟨U+202E⟩."""
    text = str(value)
    is_plain = invisible.is_plain(text)
    if is_plain and type(text) is str:  # nearly always, and hundreds of times a page
        return SafeString(escape(text))  # nosec B703 - escaped
    hidden = [] if is_plain else [p for p in range(len(text)) if invisible.is_hidden(text, p)]
    if not hidden:
        return conditional_escape(text)
    ends = zip([0, *(place + 1 for place in hidden)], [*hidden, len(text)], strict=True)
    runs = [conditional_escape(text[start:end]) for start, end in ends]
    marks = [format_html(_MARK, f"{ord(text[place]):04X}") for place in hidden]
    return format_html_join("", "{}{}", zip(runs, [*marks, ""], strict=True))


@register.filter
def visible_lines(value: object) -> SafeString:
    """The same for a text of several lines, which stay lines."""
    return format_html_join("\n", "{}", ((visible(line),) for line in str(value).split("\n")))


@register.filter
def linked(value: object) -> SafeString:
    """The text, made visible, with a web address in it as a link. A change's reason often names a ticket."""
    parts = _ADDRESS.split(str(value))
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', part, visible(part)),)
            if place % 2
            else (visible(part),)
            for place, part in enumerate(parts)
        ),
    )


@register.filter
def marked(value: object, query: str) -> SafeString:
    """The text, made visible, with what was searched for marked in it."""
    text, parts, done = str(value), [], 0
    for start, end in sorted(place for word in words_of(query) for place in places(text, word)):
        if start < done:  # one word within another
            continue
        parts += [visible(text[done:start]), "<mark>", visible(text[start:end]), "</mark>"]
        done = end
    return SafeString("".join([*parts, visible(text[done:])]))  # nosec B703 - of parts that are escaped


@register.filter
def shown(value: Any) -> SafeString:
    """A field's value as people read it."""
    if isinstance(value, words.NotUnderstood):
        return format_html('<span class="flag">{}</span> {}', words.NOT_UNDERSTOOD, shown(value.value))
    if value is None or value == "":
        return UNSET
    if isinstance(value, bool):
        return conditional_escape("Yes" if value else "No")
    if isinstance(value, (dict, list)):
        return format_html("<code>{}</code>", visible(json.dumps(value, ensure_ascii=False, sort_keys=True)))
    return format_html("<bdi>{}</bdi>", visible(value))


@register.filter
def shown_lines(value: Any) -> SafeString:
    """The same for a text of several lines, each on its own."""
    if not isinstance(value, str) or "\n" not in value:
        return shown(value)
    return format_html_join(SafeString("<br>"), "{}", ((shown(line),) for line in value.split("\n")))


@register.filter
def shown_as(value: Any, name: str) -> SafeString:
    """The value of a field of this name as people read it."""
    meant = words.shown(name, value)
    if name in schema.BY_NAME and schema.BY_NAME[name].kind == "enum" and isinstance(meant, str) and meant:
        return visible(meant)
    return shown(meant)


@register.filter
def is_odd(value: Any, name: str) -> bool:
    """Tell that a field's value can't be read as one of its kind."""
    return not schema.is_understood(name, value)


@register.filter
def label(name: str) -> str:
    field = schema.BY_NAME.get(name)
    return field.label if field else name


@register.filter
def word(value: Any) -> Any:
    """A channel or integration type as people spell it; one that nobody knows yet, whatever it is, as it is."""
    return words.ENUMS.get(value, value) if isinstance(value, str) else value


@register.filter
def when(value: Any) -> SafeString:
    """The time in UTC, and how long ago that was. What Twilio sent in its place is shown as it is."""
    moment = value if isinstance(value, datetime) else schema.moment(value)
    if moment is None:
        return shown(value) if value else NO_TIME
    utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return format_html(
        '<time datetime="{}" title="{}">{} UTC</time> ({})',
        f"{utc:%Y-%m-%d %H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{utc.day} {utc:%b %Y, %H:%M}",
        ago(utc),
    )


@register.filter
def when_listed(value: datetime | None) -> SafeString:
    """The same for a row of a table, to the minute: many rows make a heavy page."""
    if value is None:
        return NO_TIME
    utc = value.astimezone(UTC)
    return SafeString(f"<time>{utc:%Y-%m-%d %H:%MZ}</time> {ago(utc)}")  # nosec B703 - digits, and words of ours


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits: "3 h ago"."""
    if moment is None:
        return "never"
    seconds = (timezone.now() - moment).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "just now"
    for unit, length in (
        ("y", 31_557_600),
        ("mo", 2_629_800),
        ("d", 86_400),
        ("h", 3600),
        ("min", 60),
        ("s", 1),
    ):
        if size >= length:
            amount = f"{int(size // length)} {unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "just now"


@register.filter
def clock(moment: datetime | None) -> str:
    """The time of day, for a moment that is not long ago: "10:42 UTC"."""
    return f"{moment.astimezone(UTC):%H:%M} UTC" if moment else "unknown time"


@register.filter
def when_checked(moment: datetime | None) -> SafeString:
    """Return a time for a line of text: the time of day, with the day unless it is today, and how long ago that was."""
    if moment is None:
        return NO_TIME
    utc, today = moment.astimezone(UTC), timezone.now().astimezone(UTC).date()
    day = "" if utc.date() == today else f"{utc.day} {utc:%b %Y}, "
    text = f"{day}{utc:%H:%M} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time> ({})',
        f"{utc:%Y-%m-%d %H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        text,
        ago(utc),
    )


@register.filter
def missing_progress(sync: SyncState) -> str:
    """Return how far the check of the flows has come that Twilio's list lacks."""
    return freshness.progress(sync)


@register.filter
def short(sid: object) -> str:
    """A SID, or any long id, with its middle left out."""
    text = str(sid or "")
    return f"{text[:6]}…{text[-4:]}" if len(text) > 14 else text


@register.inclusion_tag("_sid.html", takes_context=True)
def sid_link(context: Context, sid: object, link: bool = True, in_row: bool = False) -> dict[str, Any]:
    text = str(sid or "")
    is_flow = link and schema.is_sid("FO", text)
    is_studio = link and schema.is_sid("FW", text) and context.get("is_twilio") is not False
    path = quote(f"/console/studio/flows/{text}?x-target-region=us1", safe="")
    return {
        "sid": text,
        "is_flow": is_flow,
        "console_url": _STUDIO + path if is_studio else "",
        "in_row": in_row,
    }


@register.simple_tag
def querystring_of(**values: object) -> str:
    """Parameters of an address, such as actor=Ana%20B."""
    return urlencode(values)


@register.filter
def handler(flow: Flow) -> str:
    """What handles the flow's messages, in a few words."""
    if not schema.is_understood("integration_type", flow.value("integration_type")):
        return f"{words.NOT_UNDERSTOOD}: {words.as_text(flow.value('integration_type'))}"
    kind = schema.handler_type(flow.resource)
    if kind == "studio":
        return f"Studio Flow {short(flow.value('integration_flow_sid')) or 'not set'}"
    if kind == "external":
        return f"Webhook {_host(flow.value('integration_url')) or 'not set'}"
    if kind == "task":
        return f"Workflow {short(flow.value('integration_workflow_sid')) or 'not set'}"
    return kind or _unchosen_handler(flow)


@register.filter
def handler_note(flow: Flow) -> str:
    """The line below a flow's handler: its kind, or why nobody can tell."""
    kind, said = schema.handler_type(flow.resource), flow.value("integration_type")
    if not schema.is_understood("integration_type", said):
        return "The integration type can't be read"
    if not kind:
        is_bare = _unchosen_handler(flow) == NO_HANDLER
        return "Messages go nowhere" if is_bare else "No integration type set; Twilio's default is Studio"
    if kind == schema.DEFAULT_INTEGRATION_TYPE and said in (None, ""):
        return "Studio by default (no integration type set)"
    return {"studio": "Studio", "external": "External webhook", "task": "TaskRouter"}.get(
        kind, "Integration type not supported here yet"
    )


def _unchosen_handler(flow: Flow) -> str:
    """The handler that a flow without an integration type has settings for."""
    if host := _host(flow.value("integration_url")):
        return f"No type set, webhook {host}"
    if flow.value("integration_workflow_sid"):
        return f"No type set, workflow {short(flow.value('integration_workflow_sid'))}"
    return NO_HANDLER


register.filter("state", state_of)


@register.filter
def status(flow: Flow) -> tuple[str, str]:
    """The class and the word for whether the flow is on."""
    return STATUSES[state_of(flow)]


@register.filter
def reception(flow: Flow) -> str:
    """A line on whether the flow takes messages."""
    return RECEPTIONS[state_of(flow)]


def _host(url: object) -> str:
    try:
        return urlsplit(str(url or "")).hostname or ""
    except ValueError:
        return ""


@register.filter
def ending(event: AuditEvent) -> str:
    """How the event ended, in a word."""
    if event.stage == Stage.OBSERVED:
        return _OBSERVED.get(event.action, "External")
    if getattr(event, "needs_decision", False):
        return "Needs your decision"
    if event.stage == Stage.RECONCILED and event.actor_id and event.result in _DECIDED:
        return _DECIDED[Result(event.result)]
    return words.RESULTS.get(_known_result(event), event.result)


@register.filter
def sentence(text: object) -> str:
    """A remark as a sentence: with a capital letter and one full stop."""
    words_said = str(text).strip()
    return f"{words_said[:1].upper()}{words_said[1:].rstrip('.')}." if words_said else ""


@register.filter
def stage_name(event: AuditEvent) -> str:
    """Name the stage of an event: "Confirmed later", or "Decision" where a user resolved the change."""
    if event.stage == Stage.RECONCILED and event.actor_id:
        return "Decision"
    return words.STAGES.get(event.stage, event.stage)


@register.filter
def refusal(event: AuditEvent) -> str:
    """Status and code of Twilio's answer to a change: "HTTP 410, Twilio error 20410"; empty where none came."""
    parts = [("HTTP", event.remote_status), ("Twilio error", event.remote_code)]
    return ", ".join(f"{name} {number}" for name, number in parts if number)


@register.filter
def shape(event: AuditEvent) -> str:
    """The class that gives it its shape and colour."""
    if event.stage == Stage.OBSERVED:
        return "none" if event.action in _OBSERVED else "doubt"
    return _SHAPES[Result(_known_result(event))] if event.result in Result.values else "none"


def _known_result(event: AuditEvent) -> str:
    """An event's result; of an attempt that is older than any call takes, that its outcome is unknown."""
    is_dead = event.result == Result.PENDING and event.at and event.at < timezone.now() - UNDER_WAY_FOR
    return Result.UNKNOWN if is_dead else event.result


@register.filter
def relation(event: AuditEvent, origin: AuditEvent) -> str:
    """What an event is to the one that it refers to: "Reverts", "Restores", or no more than that it refers to it."""
    if event.action == "flow.accept":
        return "Accepts"
    left, found = getattr(event, "payload", None), getattr(origin, "payload", None)
    state = left and (left.after or left.requested)
    if found and event.action == "flow.delete" and found.before is None and event.result in _CAME_TO_PASS:
        return "Reverts"
    if found and state and event.result in _CAME_TO_PASS:
        names = origin.changed_fields or [entry.name for entry in schema.WRITABLE]
        if found.before and not schema.differing(found.before, state, names):
            return "Reverts"
        if found.after and not schema.differing(
            found.after, state, [entry.name for entry in schema.WRITABLE]
        ):
            return "Restores"
    return "Refers to"


@register.filter
def who(event: AuditEvent) -> str:
    """Who did it. What was found at Twilio is nobody's."""
    return event.actor_label or ("Outside this dashboard" if event.stage == Stage.OBSERVED else "The system")


@register.filter
def breakable(text: SafeString) -> SafeString:
    """Where a narrow cell may break what `visible` made: behind the colon of an identity."""
    return mark_safe(text.replace(":", ":<wbr>"))  # noqa: S308 - `visible` has escaped it  # nosec B308 B703


@register.filter
def headline(event: AuditEvent) -> str:
    """What the event was, as a sentence: in the past where it came to pass, else as what was tried."""
    happened = event.result in _CAME_TO_PASS
    if event.action == "flow.update":
        return _update_headline(event, happened=happened)
    if event.action == "flow.drift":
        return _drift_headline(event)
    if event.action == "account.field":
        return _field_headline(event)
    done, tried = words.ACTIONS.get(event.action, (event.action, event.action))
    return done if happened else tried


def _field_headline(event: AuditEvent) -> str:
    name = next(iter(event.changed_fields), "")
    if name in schema.BY_NAME:
        return f"Read-only field changed at Twilio: {_in_sentence(label(name))}"
    return f"{words.ACTIONS[event.action][0]}: {name}" if name else words.ACTIONS[event.action][0]


def _drift_headline(event: AuditEvent) -> str:
    if event.changed_fields:
        return f"Changed at Twilio: {_listed(event.changed_fields)}"
    payload = getattr(event, "payload", None)
    if payload is None or payload.erased_at:
        return words.ACTIONS[event.action][0]
    return "Deleted at Twilio" if payload.after is None else "Created at Twilio"


def _update_headline(event: AuditEvent, *, happened: bool) -> str:
    if event.changed_fields == ["enabled"]:
        payload = getattr(event, "payload", None)
        seen = (payload and (payload.after or payload.requested)) or {}
        enabled = schema.normalised("enabled", seen.get("enabled"))
        if isinstance(enabled, bool):
            target = "on" if enabled else "off"
            return f"Turned {target}" if happened else f"Turn {target}"
        return "Turned on or off" if happened else "Turn on or off"
    word = "Changed" if happened else "Change"
    return f"{word} {_listed(event.changed_fields) or 'a flow'}"


def _listed(names: list[str], most: int = 3) -> str:
    labels = [_in_sentence(label(name)) for name in names]
    more = len(labels) - most
    return ", ".join(labels[:most]) + (f" and {more} more" if more > 0 else "")


def _in_sentence(text: str) -> str:
    """ "Friendly name" -> "friendly name", but "SID of …" and "Studio Flow SID" stay."""
    return (
        text
        if text[1:2].isupper() or text.startswith(("Studio", "Flex", "API"))
        else text[:1].lower() + text[1:]
    )
