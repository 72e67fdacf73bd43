"""Filters and tags that format values, times, events and flows. Every template has them built in.

Text from Twilio or from a user is made safe: escaped, isolated from the direction of the text
around it, and with invisible characters written out.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flows.audit import event_text, object_links
from flows.audit.models import AuditEvent
from flows.core import safe_text, time_text
from flows.core.search_marks import mark_search_words
from flows.erasure import seq_text
from flows.flex_flows import handlers, target_links
from flows.flex_flows.states import STATE_DESCRIPTIONS, STATE_LABELS, flow_state
from flows.history.moments import format_moment, second_after
from flows.mirror import freshness
from flows.mirror.models import Flow, SyncState
from flows.names.named_sids import NamedSid
from flows.twilio import labels
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import CHOICE_LABELS, FLEX_FLOW
from flows.twilio.sids import is_sid
from flows.twilio.values import parse_datetime

register = template.Library()
register.filter("visible", safe_text.visible)
register.filter("visible_lines", safe_text.visible_lines)
register.filter("linked", safe_text.linked)
register.filter("marked", mark_search_words)
register.filter("short", safe_text.short)
register.filter("allow_breaks", safe_text.allow_breaks)
register.filter("timestamp", time_text.timestamp)
register.filter("table_timestamp", time_text.table_timestamp)
register.filter("moment", time_text.exact_time)
register.filter("utc_second", time_text.utc_timestamp)
register.filter("ago", time_text.ago)
register.filter("inline_timestamp", time_text.inline_timestamp)
register.filter("day_label", time_text.day_label)
register.filter("event_numbers", seq_text.name_events)
register.filter("ending", event_text.ending)
register.filter("stage_name", event_text.stage_name)
register.filter("refusal", event_text.refusal)
register.filter("shape", event_text.shape)
register.filter("relation", event_text.relation)
register.filter("actor_name", event_text.actor_name)
register.filter("headline", event_text.headline)
register.filter("object_url", object_links.event_object_url)
register.filter("noun", object_links.event_noun)
register.filter("state", flow_state)
register.filter("handler", handlers.describe_handler)
register.filter("handler_briefly", handlers.describe_handler_briefly)
register.filter("handler_note", handlers.explain_handler)
register.filter("target_url", target_links.target_url)
register.filter("handler_sid", handlers.handler_sid)

# The script copies the title.
_NAMED_SID_HTML: Final = (
    '<bdi>{}</bdi> <span class="sid"><span title="{}">{}</span>'
    '<button class="copy" type="button" aria-label="Copy SID"></button></span>'
)
_STUDIO_CONSOLE_URL: Final = "https://console.twilio.com/us1/develop/studio/flows?frameUrl="
_CHOICE_FIELDS: Final = frozenset(field.name for field in FLEX_FLOW.fields if field.kind == "enum")
_BOOLEAN_HTML: Final = {True: SafeString("Yes"), False: SafeString("No")}


@register.filter("label")
def field_label(name: str) -> str:
    """Return the label of a flow's field."""
    return FLEX_FLOW.label_of(name)


@register.filter("shown")
def format_value(value: Any) -> SafeString:
    """Return a field's value as HTML."""
    if isinstance(value, labels.UnreadableValue):
        flag = format_html('<span class="flag">{}</span>', labels.UNREADABLE_LABEL)
        return format_html("{} {}", flag, format_value(value.value))
    if value in (None, ""):
        return safe_text.NOT_SET
    if isinstance(value, bool):
        return _BOOLEAN_HTML[value]
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        return format_html("<code>{}</code>", safe_text.visible(text))
    if isinstance(value, NamedSid):
        return format_html(
            _NAMED_SID_HTML, safe_text.visible(value.name), value, safe_text.short(value)
        )
    return format_html("<bdi>{}</bdi>", safe_text.visible(value))


@register.filter
def when(value: Any) -> SafeString:
    """Return a time with its age. A value that is not a time is shown as it is."""
    if not value:
        return time_text.UNKNOWN_TIME
    moment = value if isinstance(value, datetime) else parse_datetime(value)
    if moment is None:
        return format_value(value)
    return time_text.when(moment)


@register.filter("after")
def moment_after(value: datetime) -> str:
    """Return the first whole second from a time on, as a parameter of the history's pages."""
    return format_moment(second_after(value))


@register.filter
def display_lines(value: Any) -> SafeString:
    """Return a value as HTML in which the lines of a text stay lines."""
    if not isinstance(value, str) or isinstance(value, NamedSid):
        return format_value(value)
    lines = [(format_value(line),) for line in value.split("\n")]
    return format_html_join(SafeString("<br>"), "{}", lines)


@register.filter
def display_field(value: Any, name: str) -> SafeString:
    """Return the value of the field `name` as HTML, with the label of a choice."""
    display_value = labels.display_value(FLEX_FLOW, name, value)
    # An unset or unreadable choice is not a text.
    if name in _CHOICE_FIELDS and isinstance(display_value, str):
        return safe_text.visible(display_value)
    return format_value(display_value)


@register.filter
def is_malformed(value: Any, name: str) -> bool:
    """Return True if the value of the field `name` is not of the field's type."""
    return not FLEX_FLOW.is_readable(name, value)


@register.filter
def word(value: Any) -> Any:
    """Return the label of a channel or integration type. An unknown one is returned as it is."""
    if not isinstance(value, str):
        return value
    return CHOICE_LABELS.get(value, value)


@register.filter
def missing_progress(sync: SyncState) -> str:
    """Return the progress of checking the flows that Twilio's list lacks."""
    return freshness.describe_missing(sync)


@register.inclusion_tag("_sid.html", takes_context=True)
def sid_link(
    context: Context, sid: object, link: bool = True, in_row: bool = False, target_url: str = ""
) -> dict[str, Any]:
    """Show a SID, shortened, with a link to the flow's page or to Studio in Twilio's Console.

    A `NamedSid` has its name before it. `target_url` is the page of the target with this SID, for
    a link on the name, or on the SID if it has no name.
    """
    text = to_text(sid)
    has_console = context.get("is_twilio") is not False  # unlike the sandbox
    return {
        "sid": text,
        "name": sid.name if isinstance(sid, NamedSid) else "",
        "is_flow": link and FLEX_FLOW.is_sid(text),
        "console_url": _studio_console_url(text) if link and has_console else "",
        "in_row": in_row,
        "target_url": target_url,
    }


def _studio_console_url(sid: str) -> str:
    """Return the address of a Studio Flow in Twilio's Console, or "" for any other SID."""
    if not is_sid("FW", sid):
        return ""
    path = quote(f"/console/studio/flows/{sid}?x-target-region=us1", safe="")
    return _STUDIO_CONSOLE_URL + path


@register.simple_tag(takes_context=True)
def actor(context: Context, event: AuditEvent) -> SafeString:
    """Return who caused an event: the username in the log, with today's display name beside it."""
    return username(context, event_text.actor_name(event), event.actor_id)


@register.simple_tag(takes_context=True)
def username(context: Context, name: object, user_id: str = "") -> SafeString:
    """Return a username with the display name beside it.

    `display_names` in the context has ids and display names by username. With another `user_id`,
    the username belonged to someone else then, and stands alone.
    """
    known_id, display_name = (context.get("display_names") or {}).get(str(name), ("", ""))
    html = format_html("<bdi>{}</bdi>", safe_text.visible(name))
    if not display_name or user_id not in ("", known_id):
        return html
    html_beside = ' <span class="display-name">(<bdi>{}</bdi>)</span>'
    return html + format_html(html_beside, safe_text.visible(display_name))


@register.simple_tag
def querystring_of(**values: object) -> str:
    """Return the query string of a URL, such as actor=Ana+B."""
    return urlencode(values)


@register.filter
def status(flow: Flow) -> tuple[str, str]:
    """Return the CSS class and the label of the flow's state."""
    return STATE_LABELS[flow_state(flow)]


@register.filter
def handler_url(flow: Flow) -> str:
    """Return the address of the page of the flow's handler, or "" without a handler."""
    target = handlers.handler_target(flow)
    return target_links.target_url(*target) if target else ""


@register.filter
def reception(flow: Flow) -> str:
    """Return the flow's state as a line such as "Receiving messages"."""
    return STATE_DESCRIPTIONS[flow_state(flow)]


@register.filter
def sentence(text: object) -> str:
    """Return a text as a sentence, with a capital letter and one full stop."""
    words = str(text).strip()
    if not words:
        return ""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
