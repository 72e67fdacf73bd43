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

from flows.states import STATUSES, state_of
from flows.templatetags.flows import (
    UNSET,
    breakable,
    handler,
    marked,
    short,
    visible,
    when_listed,
    word,
)

register = template.Library()

_SID: Final = "FO" + "0" * 32  # stands for a flow's own in an address
_ROW: Final = (
    '<tr{}><th scope="row"><input type="checkbox" name="sid" value="{}" form="many" aria-label="Select">'
    '<a class="name" dir="auto" href="{}">{}</a> <span class="sid">{}<button class="copy" type="button" '
    'aria-label="Copy SID"></button></span>{}</th>{}<td>{}</td><td class="id" dir="auto">{}</td>'
    '<td data-label="Handled by">{}</td><td>{}</td><td class="time" data-label="Changed">{}</td>{}</tr>\n'
)
_ACCOUNT: Final = '<td data-label="Account">{}</td>'
_ACTIONS: Final = '<td class="actions"><a href="{}">Turn {}</a><a href="{}">Edit</a></td>'
_FLAG: Final = '<span class="flag">{}</span>'
_NOTHING: Final = SafeString("")
_NO_ACTIONS: Final = SafeString('<td class="actions"></td>')
_GONE: Final = SafeString(' class="gone"')
_ON, _OFF = SafeString("on"), SafeString("off")
_STATUS: Final = {  # as _status.html has it
    state: SafeString(f'<span class="status {shape}">{word}</span>')  # nosec B703 - constants
    for state, (shape, word) in STATUSES.items()
}


@register.simple_tag(takes_context=True)
def flow_rows(context: Context) -> SafeString:
    """The rows of `found`. Context: query, found (its rows, with what the view knows of them), shows_account, perms."""
    q, can_change = str(context["query"].q), bool(context["perms"]["flows"]["change_flow"])
    addresses = {name: reverse(f"flows:{name}", args=[_SID]) for name in ("detail", "enabled", "edit")}
    found = context["found"]
    marks: dict[Any, SafeString] = {}

    def mark(account: Any) -> SafeString:
        if account not in marks:
            marks[account] = _put(_ACCOUNT, render_to_string("_account_mark.html", {"account": account}))
        return marks[account]

    def row(flow: Any) -> SafeString:
        sid = visible(flow.sid)
        return _put(
            _ROW,
            _GONE if flow.gone_at else _NOTHING,
            sid,
            _address(addresses["detail"], sid),
            marked(flow, q) if len(q) > 1 else visible(flow),
            visible(short(flow.sid)),
            _joined(_put(_FLAG, visible(flag)) for flag in _flags(flow)),
            mark(flow.account) if context.get("shows_account") else _NOTHING,
            visible(word(flow.channel_type) or "–"),  # noqa: RUF001 - a dash, for nothing
            breakable(visible(flow.contact_identity)) if flow.contact_identity else UNSET,
            visible(handler(flow)),
            _STATUS[state_of(flow)],
            when_listed(flow.date_updated),
            _actions(flow, sid, addresses) if can_change else _NOTHING,
        )

    return _joined(map(row, found["rows"] if isinstance(found, dict) else found.rows))


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
    switch, edit = (_address(addresses[name], sid) for name in ("enabled", "edit"))
    return _put(_ACTIONS, switch, _OFF if flow.enabled else _ON, edit)


def _address(of_no_flow: str, sid: SafeString) -> SafeString:
    return SafeString(of_no_flow.replace(_SID, sid))  # nosec B703 - an address of ours, and a SID that is escaped


def _put(markup: str, *parts: SafeString) -> SafeString:
    """`format_html` without its second look at what is safe already."""
    return SafeString(markup.format(*parts))  # nosec B703 - of parts that are escaped


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return SafeString("".join(parts))  # nosec B703 - of parts that are escaped
