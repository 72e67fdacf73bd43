"""Small charts as SVG, drawn from numbers on the server.

Positions along the axis are percentages and heights are pixels, so a chart fills any width without
distortion. Colours are classes of the stylesheet, and patterns tell the series apart without
colour. Charts are hidden from screen readers and skipped by the Tab key: the page must show the
same figures and links as a table or a list next to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR_HEIGHT: Final = 56  # pixels of the highest bar
MIN_SEGMENT_HEIGHT: Final = 4  # pixels; a single failure among thousands is still seen
_MAX_SEGMENTS_HEIGHT: Final = 16  # pixels that the smallest segments may add to the highest bar
_BAR_WIDTH: Final = 0.76  # of the space for one bar
_ROW_BAR_HEIGHT: Final = 16  # pixels
_MIN_PART_WIDTH: Final = 1.0  # percent of the longest bar
_MARK_SIZE: Final = 16  # pixels
_MARK_SPACE: Final = 6.0  # percent of the axis that one mark takes in a narrow column
_MAX_MARK_ROWS: Final = 4

_SVG_HTML: Final = (
    '<svg class="chart-{}" width="100%" height="{}" aria-hidden="true" focusable="false">{}{}</svg>'
)
_PATTERN_HTML: Final = (
    '<pattern id="{0}-{1}" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="fill-{1}" width="6" height="6"/><path class="hatch" d="{2}"/></pattern>'
)
_LINK_HTML: Final = '<a href="{}" tabindex="-1"><title>{}</title>{}</a>'
_HIT_AREA_HTML: Final = '<rect class="hit" x="{}%" width="{}%" height="100%"/>'
_SEGMENT_HTML: Final = '<rect x="{}%" y="{}" width="{}%" height="{}" fill="url(#{}-{})"/>'
_PATTERNS_HTML: Final = (
    '<svg class="chart-patterns" width="0" height="0" aria-hidden="true" focusable="false">'
    "<defs>{}</defs></svg>"
)
_ROW_BAR_HTML: Final = (
    '<svg class="chart-row" width="100%" height="{}" aria-hidden="true" focusable="false">{}</svg>'
)
_PART_HTML: Final = '<rect x="{}%" width="{}%" height="100%" fill="url(#{}-{})"/>'
_SWATCH_HTML: Final = (
    '<svg class="swatch" width="12" height="12" aria-hidden="true" focusable="false">'
    '<rect width="12" height="12" fill="url(#{}-{})"/></svg>'
)
_MARK_HTML: Final = (
    '<svg x="{}%" y="{}" width="1" height="{}" overflow="visible"><g class="mark-{}">'
    '<rect class="hit" x="-12" y="-4" width="24" height="24"/><path d="{}"/></g></svg>'
)
# Lines of a pattern 6 pixels wide, by series. Series without any are plain.
_HATCHES: Final = {
    "good": "",
    "bad": "M-1 1l2-2M0 6l6-6M5 7l2-2",
    "doubt": "M2 2h2v2h-2z",
    "none": "M3 0v6",
}
# Outlines of a mark around (0, 8), by the shape of the result.
_MARKS: Final = {
    "good": "M-6 8a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
    "bad": "M-5 3l10 10M5 3l-10 10",
    "doubt": "M0 2l6 6l-6 6l-6 -6z",
    "stop": "M-5 8h10M-6 8a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
    "busy": "M-6 8a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
    "none": "M-4 8a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that links to what it counts. `values` are its segments, from the bottom up."""

    title: str
    url: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar in a table's row, which links to what it counts."""

    title: str
    url: str
    series: str
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that links to what it stands for. `position` is between 0 and 1 on the axis."""

    title: str
    url: str
    shape: str
    position: float


def stacked_bars(name: str, series: Sequence[str], bars: Sequence[Bar]) -> SafeString:
    """Return bars of equal width, each with one segment per series.

    `name` is unique on the page. `series` are keys of the patterns: good, bad, doubt or none.
    """
    highest = max((sum(bar.values) for bar in bars), default=0)
    space = 100 / max(len(bars), 1)
    links = [
        _draw_bar(name, series, bar, x=index * space, space=space, highest=highest)
        for index, bar in enumerate(bars)
    ]
    defs = format_html("<defs>{}</defs>", _draw_patterns(name, series))
    height = BAR_HEIGHT + _MAX_SEGMENTS_HEIGHT
    return format_html(_SVG_HTML, "bars", height, defs, _join(links))


def row_bar(name: str, parts: Iterable[BarPart], *, longest: int) -> SafeString:
    """Return a bar for a row of a table, with one part after the other.

    `longest` is the total of the table's longest bar, which fills the width. The page has the
    `patterns` of the chart `name`.
    """
    x = 0.0
    links = []
    for part in parts:
        if not part.value:
            continue
        width = max(part.value / longest * 100, _MIN_PART_WIDTH)
        x = min(x, 100 - width)
        numbers = f"{x:.2f}", f"{width:.2f}"
        drawing = format_html(_PART_HTML, *numbers, name, part.series)
        links.append(format_html(_LINK_HTML, part.url, part.title, drawing))
        x += width
    return format_html(_ROW_BAR_HTML, _ROW_BAR_HEIGHT, _join(links))


def patterns(name: str, series: Sequence[str]) -> SafeString:
    """Return the patterns that the bars and swatches of the chart `name` share."""
    return format_html(_PATTERNS_HTML, _draw_patterns(name, series))


def swatch(name: str, series: str) -> SafeString:
    """Return a square in the pattern of a series, for the legend of the chart `name`."""
    return format_html(_SWATCH_HTML, name, series)


def timeline(marks: Iterable[Mark]) -> SafeString:
    """Return marks on a line. Marks that would overlap stand on top of each other."""
    rows = _arrange_in_rows(marks)
    height = _MARK_SIZE * (max((row for _, row in rows), default=0) + 1) + 8
    baseline = height - 4 - _MARK_SIZE
    links = []
    for mark, row in rows:
        path = _MARKS.get(mark.shape, _MARKS["none"])
        x = f"{2 + 96 * mark.position:.2f}"  # no mark is cut off at the ends
        drawing = format_html(
            _MARK_HTML, x, baseline - row * _MARK_SIZE, _MARK_SIZE, mark.shape, path
        )
        links.append(format_html(_LINK_HTML, mark.url, mark.title, drawing))
    y = baseline + _MARK_SIZE // 2
    axis = format_html('<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>', y, y)
    return format_html(_SVG_HTML, "timeline", height, axis, _join(links))


def _draw_patterns(name: str, series: Sequence[str]) -> SafeString:
    rows = ((name, one, _HATCHES.get(one, "")) for one in series)
    return format_html_join("", _PATTERN_HTML, rows)


def _draw_bar(
    name: str, series: Sequence[str], bar: Bar, *, x: float, space: float, highest: int
) -> SafeString:
    """Return a bar as a link. Its whole column can be clicked, also where the bar is low."""
    parts = [_HIT_AREA_HTML.format(f"{x:.2f}", f"{space:.2f}")]
    bar_left = x + space * (1 - _BAR_WIDTH) / 2
    top = BAR_HEIGHT + _MAX_SEGMENTS_HEIGHT
    for one, value in zip(series, bar.values, strict=True):
        if not value:
            continue
        height = max(round(value / highest * BAR_HEIGHT), MIN_SEGMENT_HEIGHT)
        top -= height
        left_text, width_text = f"{bar_left:.2f}", f"{space * _BAR_WIDTH:.2f}"
        gap = 1
        parts.append(_SEGMENT_HTML.format(left_text, top, width_text, height - gap, name, one))
    drawing = SafeString("".join(parts))  # of numbers and names in the code
    return format_html(_LINK_HTML, bar.url, bar.title, drawing)


def _arrange_in_rows(marks: Iterable[Mark]) -> list[tuple[Mark, int]]:
    """Return each mark with its row, 0 on the line, so that few marks overlap."""
    row_ends = [-_MARK_SPACE] * _MAX_MARK_ROWS
    rows = []
    for mark in sorted(marks, key=lambda mark: mark.position):
        x = mark.position * 100
        free_rows = [row for row, end in enumerate(row_ends) if x - end >= _MARK_SPACE]
        row = free_rows[0] if free_rows else row_ends.index(min(row_ends))
        row_ends[row] = x
        rows.append((mark, row))
    return rows


def _join(parts: Iterable[SafeString]) -> SafeString:
    return SafeString("".join(parts))
