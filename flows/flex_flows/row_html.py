"""The rows of the list of flows as HTML.

Fifty rows would take Django's template engine longer than the rest of the page, so Python formats
them. Every part of a row is a `SafeString`, so it has been escaped before. The headings are in
list_columns.py, the template tag is in flows/templatetags/flow_list_rows.py.

Most rows are the same as at the last request. So the HTML of a row is kept under all that it shows
(`ListRow`) and how (`RowLayout`): a row that differs in anything is formatted again. The marks of a
search in the name and the age of the flow are added at each request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from flows.accounts.twilio_accounts import Account
from flows.checks.flow_rules import find_warnings
from flows.core.process_cache import process_cached
from flows.core.safe_text import NOT_SET, short, visible, visible_attribute
from flows.core.search_marks import mark_search_words, mark_target
from flows.core.time_text import UNKNOWN_TIME, ago, timestamp, utc_minute
from flows.flex_flows.handlers import (
    describe_handler,
    handler_target,
    set_handler_name,
)
from flows.flex_flows.list_rows import ListRow, OpenChangeMark
from flows.flex_flows.states import STATE_LABELS, flow_state
from flows.flex_flows.target_links import MAX_LENGTH, quote_value
from flows.mirror.targets import TargetKind, describe_target
from flows.search.details_search import describe_details
from flows.search.target_search import FoundTarget
from flows.twilio.flex.flex_flow import CHOICE_LABELS

MAX_KEPT_MARKS: Final = 100  # one for each account
MAX_KEPT_ROWS: Final = 2000  # of about 5 kB each

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
# They stand for the name and the age in a row that is kept. No text has them: `visible` writes them out.
_NAME_PLACEHOLDER: Final = SafeString("\x01")
_AGE_PLACEHOLDER: Final = SafeString("\x02")
_TIME_HTML: Final = "<time>{}</time> {}"
_NO_ACTIONS: Final = SafeString('<td class="actions"></td>')
_GONE_CLASS: Final = SafeString(' class="gone"')
_ON, _OFF = SafeString("on"), SafeString("off")
_STATUS_HTML: Final = {  # the same as _status.html
    state: SafeString(f'<span class="status {shape}">{word}</span>')
    for state, (shape, word) in STATE_LABELS.items()
}


def format_rows(
    rows: Iterable[ListRow],
    layout: RowLayout,
    *,
    search_text: str = "",
    found_targets: Iterable[FoundTarget] = (),
) -> SafeString:
    """Return the rows of a page as HTML. `found_targets` are those that the search means."""
    targets_by_key = {
        (target.account_sid, target.kind, target.value): target for target in found_targets
    }
    html = []
    for row in rows:
        row_targets = _found_targets_of(row, targets_by_key) if targets_by_key else ()
        html.append(
            _format_row(row, layout, row_targets, search_text if row_targets else "")
            .replace(_NAME_PLACEHOLDER, _mark_name(str(row.flow), search_text))
            .replace(_AGE_PLACEHOLDER, ago(row.flow.date_updated))
        )
    return SafeString("".join(html))


class _RowUrls(NamedTuple):
    """The addresses of a flow's pages, with a placeholder for its SID, and that of all targets."""

    detail: str
    enabled: str
    edit: str
    targets: str


class RowLayout(NamedTuple):
    """All that the rows of a page have in common."""

    columns: tuple[str, ...]  # their keys
    shows_actions: bool
    zone: tzinfo


@lru_cache
def _row_urls() -> _RowUrls:
    return _RowUrls(
        detail=reverse("flows:detail", args=[_SID_PLACEHOLDER]),
        enabled=reverse("flows:enabled", args=[_SID_PLACEHOLDER]),
        edit=reverse("flows:edit", args=[_SID_PLACEHOLDER]),
        targets=reverse("flows:targets"),
    )


def _found_targets_of(
    row: ListRow, found_targets: Mapping[tuple[str, str, str], FoundTarget]
) -> tuple[FoundTarget, ...]:
    """Return the flow's targets, owner and tags that the search means.

    The column of owners may be hidden, by the user or in a narrow window.
    """
    flow = row.flow
    keys = [(flow.account_sid, kind, value) for kind, value, _ in json.loads(flow.targets_json)]
    keys.append((flow.account_sid, TargetKind.IDENTITY.value, flow.contact_identity))
    keys += [("", *key) for key in describe_details(row.details)]
    return tuple(filter(None, map(found_targets.get, keys)))


def _mark_name(name: str, search_text: str) -> SafeString:
    if len(search_text) < 2:  # one letter would be marked in almost every name
        return visible(name)
    return mark_search_words(name, search_text)


@process_cached(MAX_KEPT_ROWS)
def _format_row(
    row: ListRow, layout: RowLayout, found_targets: tuple[FoundTarget, ...], search_text: str
) -> str:
    """Return a row as HTML, with placeholders for its name and its age.

    `found_targets` are those for which the search found it, `search_text` is "" without any.
    """
    return _RowFormatter(row, layout, found_targets, search_text).format()


class _RowFormatter:
    """Formats one row.

    Everything that it reads is an argument of `_format_row` or the same as long as a process runs.
    """

    def __init__(
        self,
        row: ListRow,
        layout: RowLayout,
        found_targets: tuple[FoundTarget, ...],
        search_text: str,
    ) -> None:
        self._row = row
        self._layout = layout
        self._found_targets = {(target.kind, target.value): target for target in found_targets}
        self._search_text = search_text
        self._flow = row.flow.to_flow()
        self._urls = _row_urls()
        self._sid = visible(row.flow.sid)
        self._names = row.flow.names_by_sid
        set_handler_name(self._flow, self._names)

    def format(self) -> str:
        keys = [key for key in self._layout.columns if key in _CELL_HTML]
        cells = [_CELL_HTML[key].format(*self._cell_parts(key)) for key in keys]
        start = _ROW_HTML.format(
            _GONE_CLASS if self._flow.gone_at else _EMPTY,
            self._sid,
            self._url(self._urls.detail),
            visible_attribute(self._flow),
            _NAME_PLACEHOLDER,
            visible(short(self._flow.sid)),
            self._flags(),
        )
        return f"{start}{''.join(cells)}{self._actions_cell()}</tr>\n"

    def _cell_parts(self, key: str) -> tuple[SafeString, ...]:
        """Return the parts of a cell after the name."""
        if key in _CELL_PARTS:
            return _CELL_PARTS[key](self._row)
        if key == "account":
            return (_account_mark(self._row.account),)
        if key == "integration":
            return self._handler_parts()
        if key == "owner":
            return self._owner_parts()
        if key == "updated":
            return self._time_parts()
        return (_STATUS_HTML[flow_state(self._flow)],)

    def _url(self, pattern: str) -> SafeString:
        return SafeString(pattern.replace(_SID_PLACEHOLDER, self._sid))

    def _handler_parts(self) -> tuple[SafeString, SafeString]:
        """Return the title and the contents of the cell with the flow's handler."""
        target = handler_target(self._flow)
        found_targets = dict(self._found_targets)
        # A known name says enough, unless the search may have meant the SID.
        text = describe_handler(self._flow, with_sid=target in found_targets)
        title = text
        html = (
            self._mark(text, found_targets.pop(target))
            if target in found_targets
            else visible(text)
        )
        if target and len(target[1]) <= MAX_LENGTH:
            kind, value = target
            url = visible(f"{self._urls.targets}{kind}/{quote_value(value)}/")
            html = _format_safe(_LINK_HTML, url, html)
        if found_targets and "<mark>" not in _mark_name(str(self._flow), self._search_text):
            title, html = self._put_reasons_first(found_targets, title, html)
        has_owners = "owner" in self._layout.columns
        characters = _HANDLER_CHARACTERS_BESIDE_OWNER if has_owners else _HANDLER_CHARACTERS
        return _format_title(title, characters), html

    def _put_reasons_first(
        self, found_targets: Mapping[tuple[str, str], FoundTarget], title: str, html: SafeString
    ) -> tuple[str, SafeString]:
        """Return a cell's title and contents after the targets for which the search found the row.

        A row needs these reasons if its name doesn't have the words of the search.
        """
        details = describe_details(self._row.details)
        reasons = {
            details.get(key) or describe_target(*key, item.name): item
            for key, item in found_targets.items()
        }
        marked_reasons = [self._mark(reason, item) for reason, item in reasons.items()]
        whole_title = " · ".join([*reasons, title])
        return whole_title, SafeString(_TARGET_SEPARATOR.join([*marked_reasons, html]))

    def _owner_parts(self) -> tuple[SafeString, SafeString]:
        """Return the owner and the tags as one text: each chip would be another node a row."""
        details = self._row.details
        text = " ".join(filter(None, [details.owner, *map("#{}".format, details.tags)]))
        is_found = any(target.is_detail for target in self._found_targets.values())
        html = mark_search_words(text, self._search_text) if is_found else visible(text)
        return _format_title(text, _OWNER_CHARACTERS), html

    def _mark(self, text: str, target: FoundTarget) -> SafeString:
        return mark_target(text, self._search_text, target.value)

    def _time_parts(self) -> tuple[SafeString, SafeString]:
        updated_at = self._flow.date_updated
        if updated_at is None:
            return _EMPTY, UNKNOWN_TIME
        time = SafeString(timestamp(updated_at, self._layout.zone))
        title = _format_title(utc_minute(updated_at), 0)
        return title, _format_safe(_TIME_HTML, time, _AGE_PLACEHOLDER)

    def _actions_cell(self) -> SafeString:
        if not self._layout.shows_actions:
            return _EMPTY
        if self._row.open_change:
            return _open_change_cell(self._row.open_change)
        if not self._row.is_changeable:
            return _NO_ACTIONS
        return _format_safe(
            _ACTIONS_HTML,
            self._url(self._urls.enabled),
            _OFF if self._flow.enabled else _ON,
            self._url(self._urls.edit),
        )

    def _flags(self) -> SafeString:
        """Return one mark with all notes about a flow, or "" if there are none."""
        warnings = find_warnings(self._flow.resource, self._names, suppressed=self._row.suppressed)
        flags = [
            visible_attribute(flag)
            for flag in (*_row_flags(self._row), *self._row.account_warnings, *warnings)
        ]
        if not flags:
            return _EMPTY
        return _format_safe(_FLAG_HTML, SafeString(_FLAG_SEPARATOR.join(flags)))


@process_cached(MAX_KEPT_MARKS)
def _account_mark(account: Account) -> SafeString:
    return SafeString(render_to_string("_account_mark.html", {"account": account}))


def _open_change_cell(change: OpenChangeMark) -> SafeString:
    """Return a link to the change that the flow waits for, in place of its actions."""
    url = reverse("audit:detail", args=[change.event_id])
    flag = _OPEN_CHANGE_FLAGS[change.is_under_way]
    return _format_safe(_OPEN_CHANGE_HTML, SafeString(url), SafeString(flag))


def _row_flags(row: ListRow) -> Iterator[str]:
    """Yield the notes about a flow, apart from the warnings about its settings."""
    if row.flow.gone_at:
        yield "Deleted at Twilio"
    if row.is_missing:
        yield "Missing from Twilio's list (checking)"
    if row.open_change:
        yield _OPEN_CHANGE_FLAGS[row.open_change.is_under_way]
    if row.has_drifted:
        yield "External change"


def _channel_parts(row: ListRow) -> tuple[SafeString, ...]:
    channel_type = row.flow.channel_type
    channel = CHOICE_LABELS.get(channel_type, channel_type) or "–"  # noqa: RUF001 - a dash for none
    return _format_title(channel, _CHANNEL_CHARACTERS), visible(channel)


def _identity_parts(row: ListRow) -> tuple[SafeString, ...]:
    identity = row.flow.contact_identity
    text = visible(identity) if identity else NOT_SET
    return _format_title(identity, _IDENTITY_CHARACTERS), text


# The values of the cells in `_CELL_HTML` that take only the row. The others are the formatter's.
_CELL_PARTS: Final[Mapping[str, Callable[[ListRow], tuple[SafeString, ...]]]] = {
    "channel": _channel_parts,
    "identity": _identity_parts,
}


def _format_title(text: str, characters: int) -> SafeString:
    """Return a title attribute with the text if it is longer than its column, or ""."""
    if len(text) <= characters:
        return _EMPTY
    return _format_safe(_TITLE_HTML, visible_attribute(text))


def _format_safe(markup: str, *parts: SafeString) -> SafeString:
    """Format markup without escaping its parts again, as `format_html` would."""
    return SafeString(markup.format(*parts))
