"""The rows of the list of flows. Fifty of them would keep Django's template engine busy for longer than all the rest of
the page, so they are put together here. Whatever is put in has been escaped (`visible` and its like do), which its type
says: SafeString.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from flows.core.safe_text import allow_breaks, marked, short, visible
from flows.core.time_text import table_timestamp
from flows.flex_flows.states import STATE_LABELS, flow_state
from flows.templatetags.flows import NOT_SET, handler, word

register = template.Library()

_SID_PLACEHOLDER: Final = "FO" + "0" * 32  # stands for a flow's own in an address
_ROW_HTML: Final = (
    '<tr{}><th scope="row"><input type="checkbox" name="sid" value="{}" form="many" aria-label="Select">'
    '<a class="name" dir="auto" href="{}">{}</a> <span class="sid">{}<button class="copy" type="button" '
    'aria-label="Copy SID"></button></span>{}</th>{}<td>{}</td><td class="id" dir="auto">{}</td>'
    '<td data-label="Handled by">{}</td><td>{}</td><td class="time" data-label="Changed">{}</td>{}</tr>\n'
)
_ACCOUNT_HTML: Final = '<td data-label="Account">{}</td>'
_ACTIONS_HTML: Final = '<td class="actions"><a href="{}">Turn {}</a><a href="{}">Edit</a></td>'
_FLAG_HTML: Final = '<span class="flag">{}</span>'
_EMPTY: Final = SafeString("")
_NO_ACTIONS: Final = SafeString('<td class="actions"></td>')
_GONE_CLASS: Final = SafeString(' class="gone"')
_ON, _OFF = SafeString("on"), SafeString("off")
_STATUS_HTML: Final = {  # as _status.html has it
    state: SafeString(f'<span class="status {shape}">{word}</span>')
    for state, (shape, word) in STATE_LABELS.items()
}


@register.simple_tag(takes_context=True)
def flow_rows(context: Context) -> SafeString:
    """The rows of `found`. Context: query, found (its rows, with what the view knows of them), shows_account, perms."""
    q, can_change = str(context["query"].q), bool(context["perms"]["flows"]["change_flow"])
    addresses = {
        name: reverse(f"flows:{name}", args=[_SID_PLACEHOLDER])
        for name in ("detail", "enabled", "edit")
    }
    found = context["found"]
    marks: dict[Any, SafeString] = {}

    def mark(account: Any) -> SafeString:
        if account not in marks:
            marks[account] = _format_safe(
                _ACCOUNT_HTML, render_to_string("_account_mark.html", {"account": account})
            )
        return marks[account]

    def row(flow: Any) -> SafeString:
        sid = visible(flow.sid)
        return _format_safe(
            _ROW_HTML,
            _GONE_CLASS if flow.gone_at else _EMPTY,
            sid,
            _flow_url(addresses["detail"], sid),
            marked(flow, q) if len(q) > 1 else visible(flow),
            visible(short(flow.sid)),
            _join_safe(_format_safe(_FLAG_HTML, visible(flag)) for flag in _flags(flow)),
            mark(flow.account) if context.get("shows_account") else _EMPTY,
            visible(word(flow.channel_type) or "–"),  # noqa: RUF001 - a dash, for nothing
            allow_breaks(visible(flow.contact_identity)) if flow.contact_identity else NOT_SET,
            visible(handler(flow)),
            _STATUS_HTML[flow_state(flow)],
            table_timestamp(flow.date_updated),
            _actions(flow, sid, addresses) if can_change else _EMPTY,
        )

    return _join_safe(map(row, found["rows"] if isinstance(found, dict) else found.rows))


def _flags(flow: Any) -> Iterator[str]:
    if flow.gone_at:
        yield "Deleted at Twilio"
    if getattr(flow, "is_missing", False):
        yield "Missing from Twilio's list (checking)"
    if change := getattr(flow, "open_change", None):
        yield "Change in progress" if change.is_under_way else "Unknown outcome"
    if getattr(flow, "has_drifted", False):
        yield "External change"
    yield from getattr(flow, "warnings", ())


def _actions(flow: Any, sid: SafeString, addresses: dict[str, str]) -> SafeString:
    if not getattr(flow, "may_change", False) or flow.gone_at or getattr(flow, "open_change", None):
        return _NO_ACTIONS
    switch, edit = (_flow_url(addresses[name], sid) for name in ("enabled", "edit"))
    return _format_safe(_ACTIONS_HTML, switch, _OFF if flow.enabled else _ON, edit)


def _flow_url(of_no_flow: str, sid: SafeString) -> SafeString:
    return SafeString(of_no_flow.replace(_SID_PLACEHOLDER, sid))


def _format_safe(markup: str, *parts: SafeString) -> SafeString:
    """`format_html` without its second look at what is safe already."""
    return SafeString(markup.format(*parts))


def _join_safe(parts: Iterable[SafeString]) -> SafeString:
    return SafeString("".join(parts))
