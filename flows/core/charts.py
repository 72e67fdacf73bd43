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
MIN_SEGMENT_HEIGHT: Final = 3  # pixels; a single failure among thousands is still seen
_MAX_SEGMENTS_HEIGHT: Final = 12  # pixels that the smallest segments may add to the highest bar
_BAR_WIDTH: Final = 0.76  # of the space for one bar

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
_SWATCH_HTML: Final = (
    '<svg class="swatch" width="12" height="12" aria-hidden="true" focusable="false">'
    '<rect width="12" height="12" fill="url(#{}-{})"/></svg>'
)
# Lines of a pattern 6 pixels wide, by series. Series without any are plain.
_HATCHES: Final = {
    "good": "",
    "bad": "M-1 1l2-2M0 6l6-6M5 7l2-2",
    "doubt": "M1.5 1.5h3v3h-3z",
    "none": "M0 3h6",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that links to what it counts. `values` are its segments, from the bottom up."""

    title: str
    url: str
    values: Sequence[int]


def stacked_bars(name: str, series: Sequence[str], bars: Sequence[Bar]) -> SafeString:
    """Return bars of equal width, each with one segment per series.

    `name` is unique on the page. `series` are keys of the patterns: good, bad, doubt or none.
    """
    highest = max((sum(bar.values) for bar in bars), default=0)
    space = 100 / max(len(bars), 1)
    links = [
        _draw_bar(name, series, bar, left=index * space, space=space, highest=highest)
        for index, bar in enumerate(bars)
    ]
    patterns = format_html_join(
        "", _PATTERN_HTML, ((name, one, _HATCHES.get(one, "")) for one in series)
    )
    defs = format_html("<defs>{}</defs>", patterns)
    height = BAR_HEIGHT + _MAX_SEGMENTS_HEIGHT
    return format_html(_SVG_HTML, "bars", height, defs, _join(links))


def swatch(name: str, series: str) -> SafeString:
    """Return a square in the pattern of a series, for the legend of the chart `name`."""
    return format_html(_SWATCH_HTML, name, series)


def _draw_bar(
    name: str, series: Sequence[str], bar: Bar, *, left: float, space: float, highest: int
) -> SafeString:
    """Return a bar as a link. Its whole column can be clicked, also where the bar is low."""
    parts = [format_html(_HIT_AREA_HTML, f"{left:.2f}", f"{space:.2f}")]
    bar_left = left + space * (1 - _BAR_WIDTH) / 2
    top = BAR_HEIGHT + _MAX_SEGMENTS_HEIGHT
    for one, value in zip(series, bar.values, strict=True):
        if not value:
            continue
        height = max(round(value / highest * BAR_HEIGHT), MIN_SEGMENT_HEIGHT)
        top -= height
        parts.append(
            format_html(
                _SEGMENT_HTML,
                f"{bar_left:.2f}",
                top,
                f"{space * _BAR_WIDTH:.2f}",
                height - 1,  # a gap between segments
                name,
                one,
            )
        )
    return format_html(_LINK_HTML, bar.url, bar.title, _join(parts))


def _join(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))
