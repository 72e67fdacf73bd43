"""The tag that writes the rows of the list of flows.

Fifty rows would take Django's template engine longer than the rest of the page, so Python formats
them. Every part of a row is a `SafeString`, so it has been escaped before. The headings are in
flows/flex_flows/list_columns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from flows.core.safe_text import short, visible, visible_attribute
from flows.core.search_marks import mark_search_words, mark_target
from flows.core.time_text import table_timestamp, utc_minute
from flows.flex_flows.handlers import (
    describe_handler,
    handler_target,
)
from flows.flex_flows.states import STATE_LABELS, flow_state
from flows.flex_flows.target_links import MAX_LENGTH, quote_value
from flows.local_details.fields import Details
from flows.mirror.targets import TargetKind, describe_target
from flows.search.details_search import describe_details
from flows.search.target_search import FoundTarget
from flows.templatetags.formatting import NOT_SET, word

register = template.Library()

_SID_PLACEHOLDER: Final = "FO" + "0" * 32  # stands for a flow's SID in a URL
_ROW_HTML: Final = (
    '<tr{}><th scope="row"><input type="checkbox" name="sid" value="{}" form="many" '
    'aria-label="Select"><a class="name" dir="auto" href="{}" title="{}">{}</a> '
    '<span class="sid">{}<button class="copy" type="button" aria-label="Copy SID"></button></span>'
    "{}</th>"
)
# The cells after the name, by the key of their column.
_CELL_HTML: Final = {
    "account": '<td data-label="Account">{}</td>',
    "channel": "<td{}>{}</td>",
    "identity": '<td class="id" dir="auto"{}>{}</td>',
    "integration": '<td data-label="Handled by"{}>{}</td>',
    "owner": '<td class="owner" data-label="Owner and tags"{}>{}</td>',
    "enabled": "<td>{}</td>",
    "updated": '<td class="time" data-label="Changed"{}>{}</td>',
}
_ACTIONS_HTML: Final = '<td class="actions"><a href="{}">Turn {}</a><a href="{}">Edit</a></td>'
_OPEN_CHANGE_HTML: Final = '<td class="actions"><a href="{}">{}</a></td>'
_OPEN_CHANGE_FLAGS: Final = {True: "Change in progress", False: "Unknown outcome"}
# A triangle whose name and tooltip are the title. A card shows the title as text.
_FLAG_HTML: Final = '<span class="flag" role="img" title="{}"></span>'
_FLAG_SEPARATOR: Final = "&#10;"  # a line break in a tooltip
_LINK_HTML: Final = '<a href="{}">{}</a>'
_TARGET_SEPARATOR: Final = SafeString(" · ")
_TITLE_HTML: Final = ' title="{}"'
# Characters that a column shows at any width. A longer text gets a tooltip.
_CHANNEL_CHARACTERS: Final = 8
_OWNER_CHARACTERS: Final = 12
_HANDLER_CHARACTERS: Final = 18
_HANDLER_CHARACTERS_BESIDE_OWNER: Final = 14
_IDENTITY_CHARACTERS: Final = 22  # "whatsapp:" and a long number
_EMPTY: Final = SafeString("")
_NO_DETAILS: Final = Details()
_NO_ACTIONS: Final = SafeString('<td class="actions"></td>')
_GONE_CLASS: Final = SafeString(' class="gone"')
_ON, _OFF = SafeString("on"), SafeString("off")
_STATUS_HTML: Final = {  # the same as _status.html
    state: SafeString(f'<span class="status {shape}">{word}</span>')
    for state, (shape, word) in STATE_LABELS.items()
}


@register.simple_tag(takes_context=True)
def flow_rows(context: Context) -> SafeString:
    """Return the rows of a page of flows as HTML.

    Context: query, results (its rows, with the view's annotations), columns (key), perms,
    found_targets (those that the search means).
    """
    formatter = _RowFormatter(
        search_text=str(context["query"].q),
        found_targets=context.get("found_targets") or (),
        columns=[str(column["key"]) for column in context["columns"]],
        shows_actions=bool(context["perms"]["flows"]["change_flow"]),
    )
    rows = map(formatter.format_row, context["results"].rows)
    return _join_safe(rows)


class _RowFormatter:
    """The settings that the rows of one page share, and their URLs and account marks."""

    def __init__(
        self,
        *,
        search_text: str,
        found_targets: Iterable[FoundTarget],
        columns: Sequence[str],
        shows_actions: bool,
    ) -> None:
        self._search_text = search_text
        self._found_targets = {
            (target.account_sid, target.kind, target.value): target for target in found_targets
        }
        self._finds_details = any(target.is_detail for target in self._found_targets.values())
        self._columns = [key for key in columns if key in _CELL_HTML]
        has_owners = "owner" in self._columns
        self._handler_characters = (
            _HANDLER_CHARACTERS_BESIDE_OWNER if has_owners else _HANDLER_CHARACTERS
        )
        cells = "".join(_CELL_HTML[key] for key in self._columns)
        self._row_html = f"{_ROW_HTML}{cells}{{}}</tr>\n"
        self._shows_actions = shows_actions
        self._url_patterns = {
            name: reverse(f"flows:{name}", args=[_SID_PLACEHOLDER])
            for name in ("detail", "enabled", "edit")
        }
        self._targets_url = reverse("flows:targets")
        self._account_marks: dict[Any, SafeString] = {}

    def format_row(self, flow: Any) -> SafeString:
        sid = visible(flow.sid)
        return _format_safe(
            self._row_html,
            _GONE_CLASS if flow.gone_at else _EMPTY,
            sid,
            self._url("detail", sid),
            visible_attribute(flow),
            self._name(flow),
            visible(short(flow.sid)),
            _format_flags(flow),
            *self._cells(flow),
            self._actions_cell(flow, sid),
        )

    def _cells(self, flow: Any) -> Iterator[SafeString]:
        """Yield the parts of the cells after the name. Hidden columns take no work."""
        for key in self._columns:
            if key == "account":
                yield self._account_mark(flow)
            elif key == "integration":
                yield from self._handler_parts(flow)
            elif key == "owner":
                yield from self._owner_parts(flow)
            else:
                yield from _CELL_PARTS[key](flow)

    def _url(self, name: str, sid: SafeString) -> SafeString:
        return SafeString(self._url_patterns[name].replace(_SID_PLACEHOLDER, sid))

    def _name(self, flow: Any) -> SafeString:
        if len(self._search_text) < 2:  # one letter would be marked in almost every name
            return visible(flow)
        return mark_search_words(flow, self._search_text)

    def _handler_parts(self, flow: Any) -> tuple[SafeString, SafeString]:
        """Return the title and the contents of the cell with the flow's handler."""
        target = handler_target(flow)
        found = self._found_targets_of(flow) if self._found_targets else {}
        # A known name says enough, unless the search may have meant the SID.
        text = describe_handler(flow, with_sid=target in found)
        title = text
        html = self._mark(text, found.pop(target)) if target in found else visible(text)
        if target and len(target[1]) <= MAX_LENGTH:
            kind, value = target
            url = visible(f"{self._targets_url}{kind}/{quote_value(value)}/")
            html = _format_safe(_LINK_HTML, url, html)
        if found and "<mark>" not in self._name(flow):
            title, html = self._put_reasons_first(flow, found, title, html)
        return _format_title(title, self._handler_characters), html

    def _put_reasons_first(
        self, flow: Any, found: Mapping[tuple[str, str], FoundTarget], title: str, html: SafeString
    ) -> tuple[str, SafeString]:
        """Return a cell's title and contents after the targets for which the search found the row.

        A row needs these reasons if its name doesn't have the words of the search.
        """
        details = _describe_details(flow)
        reasons = {
            details.get(key) or describe_target(*key, item.name): item
            for key, item in found.items()
        }
        marked_reasons = [self._mark(reason, item) for reason, item in reasons.items()]
        whole_title = " · ".join([*reasons, title])
        return whole_title, SafeString(_TARGET_SEPARATOR.join([*marked_reasons, html]))

    def _found_targets_of(self, flow: Any) -> dict[tuple[str, str], FoundTarget]:
        """Return the flow's targets, owner and tags that the search means, by kind and value.

        The column of owners may be hidden, by the user or in a narrow window.
        """
        keys = [(kind, value) for kind, value, _ in flow.targets]
        keys.append((TargetKind.IDENTITY.value, flow.contact_identity))
        found = {key: self._found_targets.get((flow.account_sid, *key)) for key in keys}
        if self._finds_details:
            details = _describe_details(flow)
            found |= {key: self._found_targets.get(("", *key)) for key in details}
        return {key: target for key, target in found.items() if target}

    def _owner_parts(self, flow: Any) -> tuple[SafeString, SafeString]:
        """Return the owner and the tags as one text: each chip would be another node a row."""
        text = " ".join(filter(None, [flow.details.owner, *map("#{}".format, flow.details.tags)]))
        marked_words = self._search_text if self._finds_details else ""
        return _format_title(text, _OWNER_CHARACTERS), mark_search_words(text, marked_words)

    def _mark(self, text: str, target: FoundTarget) -> SafeString:
        return mark_target(text, self._search_text, target.value)

    def _account_mark(self, flow: Any) -> SafeString:
        account = flow.account
        if account not in self._account_marks:
            mark = render_to_string("_account_mark.html", {"account": account})
            self._account_marks[account] = SafeString(mark)
        return self._account_marks[account]

    def _actions_cell(self, flow: Any, sid: SafeString) -> SafeString:
        if not self._shows_actions:
            return _EMPTY
        if change := getattr(flow, "open_change", None):
            return self._open_change_cell(change)
        if not _is_changeable(flow):
            return _NO_ACTIONS
        target = _OFF if flow.enabled else _ON
        return _format_safe(
            _ACTIONS_HTML, self._url("enabled", sid), target, self._url("edit", sid)
        )

    @staticmethod
    def _open_change_cell(change: Any) -> SafeString:
        """Return a link to the change that the flow waits for, in place of its actions."""
        url = reverse("audit:detail", args=[change.event_id])
        return _format_safe(
            _OPEN_CHANGE_HTML, SafeString(url), SafeString(_OPEN_CHANGE_FLAGS[change.is_under_way])
        )


def _channel_parts(flow: Any) -> tuple[SafeString, ...]:
    channel = word(flow.channel_type) or "–"  # noqa: RUF001 - a dash for no channel
    return _format_title(channel, _CHANNEL_CHARACTERS), visible(channel)


def _identity_parts(flow: Any) -> tuple[SafeString, ...]:
    identity = flow.contact_identity
    text = visible(identity) if identity else NOT_SET
    return _format_title(identity, _IDENTITY_CHARACTERS), text


def _describe_details(flow: Any) -> dict[tuple[str, str], str]:
    """Return the owner and the tags of a flow by kind and value, if its list has loaded them."""
    return describe_details(getattr(flow, "details", _NO_DETAILS))


def _status_parts(flow: Any) -> tuple[SafeString, ...]:
    return (_STATUS_HTML[flow_state(flow)],)


def _time_parts(flow: Any) -> tuple[SafeString, ...]:
    updated_at = flow.date_updated
    return _format_title(utc_minute(updated_at), 0), table_timestamp(updated_at)


# The values of each cell in `_CELL_HTML`. Those of account, handler and owner are the formatter's.
_CELL_PARTS: Final[Mapping[str, Callable[[Any], tuple[SafeString, ...]]]] = {
    "channel": _channel_parts,
    "identity": _identity_parts,
    "enabled": _status_parts,
    "updated": _time_parts,
}


def _is_changeable(flow: Any) -> bool:
    """Return True if the user may change the flow."""
    if flow.gone_at:
        return False
    return bool(getattr(flow, "may_change", False))


def _format_title(text: str, characters: int) -> SafeString:
    """Return a title attribute with the text if it is longer than its column, or ""."""
    if len(text) <= characters:
        return _EMPTY
    return _format_safe(_TITLE_HTML, visible_attribute(text))


def _format_flags(flow: Any) -> SafeString:
    """Return one mark with all notes about a flow, or "" if there are none."""
    flags = [visible_attribute(flag) for flag in _flags(flow)]
    if not flags:
        return _EMPTY
    return _format_safe(_FLAG_HTML, SafeString(_FLAG_SEPARATOR.join(flags)))


def _flags(flow: Any) -> Iterator[str]:
    """Yield the notes about a flow. Only rows that the list's view annotated have most."""
    if flow.gone_at:
        yield "Deleted at Twilio"
    if getattr(flow, "is_missing", False):
        yield "Missing from Twilio's list (checking)"
    if change := getattr(flow, "open_change", None):
        yield _OPEN_CHANGE_FLAGS[change.is_under_way]
    if getattr(flow, "has_drifted", False):
        yield "External change"
    yield from getattr(flow, "warnings", ())


def _format_safe(markup: str, *parts: SafeString) -> SafeString:
    """Format markup without escaping its parts again, as `format_html` would."""
    return SafeString(markup.format(*parts))


def _join_safe(parts: Iterable[SafeString]) -> SafeString:
    return SafeString("".join(parts))
