"""What the pages say about flows, events, times and values. Builtins: no template loads them.

Whatever came from Twilio or from a person is shown inert: escaped, isolated from the direction of the
text around it, and with invisible characters written out.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from django import template
from django.template import Context
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from flows.audit import event_text
from flows.core import safe_text, time_text
from flows.flex_flows.states import STATE_DESCRIPTIONS, STATE_LABELS, flow_state
from flows.mirror import freshness
from flows.mirror.models import Flow, SyncState
from flows.twilio import labels as words
from flows.twilio.flex import flex_flow

register = template.Library()
register.filter("visible", safe_text.visible)
register.filter("visible_lines", safe_text.visible_lines)
register.filter("linked", safe_text.linked)
register.filter("marked", safe_text.marked)
register.filter("short", safe_text.short)
register.filter("allow_breaks", safe_text.allow_breaks)
register.filter("table_timestamp", time_text.table_timestamp)
register.filter("ago", time_text.ago)
register.filter("clock", time_text.clock)
register.filter("inline_timestamp", time_text.inline_timestamp)
register.filter("label", words.field_label)
register.filter("ending", event_text.ending)
register.filter("stage_name", event_text.stage_name)
register.filter("refusal", event_text.refusal)
register.filter("shape", event_text.shape)
register.filter("relation", event_text.relation)
register.filter("who", event_text.who)
register.filter("headline", event_text.headline)

NOT_SET: Final = format_html('<span class="unset">{}</span>', "Not set")

_STUDIO_CONSOLE_URL: Final = "https://console.twilio.com/us1/develop/studio/flows?frameUrl="
# The class that gives a result its shape and colour.
NOTHING_SET: Final = "No handler"


@register.filter
def shown(value: Any) -> SafeString:
    """A field's value as people read it."""
    if isinstance(value, words.UnreadableValue):
        return format_html(
            '<span class="flag">{}</span> {}', words.UNREADABLE_LABEL, shown(value.value)
        )
    if value is None or value == "":
        return NOT_SET
    if isinstance(value, bool):
        return conditional_escape("Yes" if value else "No")
    if isinstance(value, (dict, list)):
        return format_html(
            "<code>{}</code>",
            safe_text.visible(json.dumps(value, ensure_ascii=False, sort_keys=True)),
        )
    return format_html("<bdi>{}</bdi>", safe_text.visible(value))


@register.filter
def when(value: Any) -> SafeString:
    """Return the time in UTC, and how long ago that was; what is no time, as it is."""
    moment = value if isinstance(value, datetime) else flex_flow.parse_datetime(value)
    if moment is None:
        return shown(value) if value else time_text.UNKNOWN_TIME
    return time_text.when(moment)


@register.filter
def display_lines(value: Any) -> SafeString:
    """The same for a text of several lines, each on its own."""
    if not isinstance(value, str) or "\n" not in value:
        return shown(value)
    return format_html_join(
        SafeString("<br>"), "{}", ((shown(line),) for line in value.split("\n"))
    )


@register.filter
def display_field(value: Any, name: str) -> SafeString:
    """The value of a field of this name as people read it."""
    meant = words.display_value(name, value)
    if (
        name in flex_flow.FIELDS_BY_NAME
        and flex_flow.FIELDS_BY_NAME[name].kind == "enum"
        and isinstance(meant, str)
        and meant
    ):
        return safe_text.visible(meant)
    return shown(meant)


@register.filter
def is_malformed(value: Any, name: str) -> bool:
    """Tell that a field's value can't be read as one of its kind."""
    return not flex_flow.is_readable(name, value)


@register.filter
def word(value: Any) -> Any:
    """A channel or integration type as people spell it; one that nobody knows yet, whatever it is, as it is."""
    return words.CHOICE_LABELS.get(value, value) if isinstance(value, str) else value


@register.filter
def missing_progress(sync: SyncState) -> str:
    """Return how far the check of the flows has come that Twilio's list lacks."""
    return freshness.describe_missing(sync)


@register.inclusion_tag("_sid.html", takes_context=True)
def sid_link(
    context: Context, sid: object, link: bool = True, in_row: bool = False
) -> dict[str, Any]:
    text = str(sid or "")
    is_flow = link and flex_flow.is_sid("FO", text)
    is_studio = link and flex_flow.is_sid("FW", text) and context.get("is_twilio") is not False
    path = quote(f"/console/studio/flows/{text}?x-target-region=us1", safe="")
    return {
        "sid": text,
        "is_flow": is_flow,
        "console_url": _STUDIO_CONSOLE_URL + path if is_studio else "",
        "in_row": in_row,
    }


@register.simple_tag
def querystring_of(**values: object) -> str:
    """Parameters of an address, such as actor=Ana%20B."""
    return urlencode(values)


@register.filter
def handler(flow: Flow) -> str:
    """What handles the flow's messages, in a few words."""
    if not flex_flow.is_readable("integration_type", flow.value("integration_type")):
        return f"{words.UNREADABLE_LABEL}: {words.value_to_text(flow.value('integration_type'))}"
    kind = flex_flow.handler_type(flow.resource)
    if kind == "studio":
        return f"Studio Flow {safe_text.short(flow.value('integration_flow_sid')) or 'not set'}"
    if kind == "external":
        return f"Webhook {_hostname(flow.value('integration_url')) or 'not set'}"
    if kind == "task":
        return f"Workflow {safe_text.short(flow.value('integration_workflow_sid')) or 'not set'}"
    return kind or _implied_handler(flow)


@register.filter
def handler_note(flow: Flow) -> str:
    """The line below a flow's handler: its kind, or why nobody can tell."""
    kind, said = flex_flow.handler_type(flow.resource), flow.value("integration_type")
    if not flex_flow.is_readable("integration_type", said):
        return "The integration type can't be read"
    if not kind:
        is_bare = _implied_handler(flow) == NOTHING_SET
        return (
            "Messages go nowhere"
            if is_bare
            else "No integration type set; Twilio's default is Studio"
        )
    if kind == flex_flow.DEFAULT_INTEGRATION_TYPE and said in (None, ""):
        return "Studio by default (no integration type set)"
    return {"studio": "Studio", "external": "External webhook", "task": "TaskRouter"}.get(
        kind, "Integration type not supported here yet"
    )


def _implied_handler(flow: Flow) -> str:
    """The handler that a flow without an integration type has settings for."""
    if host := _hostname(flow.value("integration_url")):
        return f"No type set, webhook {host}"
    if flow.value("integration_workflow_sid"):
        return f"No type set, workflow {safe_text.short(flow.value('integration_workflow_sid'))}"
    return NOTHING_SET


register.filter("state", flow_state)


@register.filter
def status(flow: Flow) -> tuple[str, str]:
    """The class and the word for whether the flow is on."""
    return STATE_LABELS[flow_state(flow)]


@register.filter
def reception(flow: Flow) -> str:
    """A line on whether the flow takes messages."""
    return STATE_DESCRIPTIONS[flow_state(flow)]


def _hostname(url: object) -> str:
    try:
        return urlsplit(str(url or "")).hostname or ""
    except ValueError:
        return ""


@register.filter
def sentence(text: object) -> str:
    """A remark as a sentence: with a capital letter and one full stop."""
    words_said = str(text).strip()
    return f"{words_said[:1].upper()}{words_said[1:].rstrip('.')}." if words_said else ""
