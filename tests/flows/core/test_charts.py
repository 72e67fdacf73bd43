"""Charts as SVG: sizes from numbers, links, patterns, and nothing that a strict CSP refuses."""

import re
from xml.etree import ElementTree

from flows.core import charts
from flows.core.charts import Bar, BarPart, Mark

SERIES = ["good", "bad"]


def parse(picture):
    return ElementTree.fromstring(str(picture))


def segments(picture):
    """Return series, top and height of each segment, with its gap."""
    return [
        (rect.get("fill"), float(rect.get("y")), float(rect.get("height")) + 1)
        for rect in parse(picture).iter("rect")
        if rect.get("fill")
    ]


def test_segments_stand_on_each_other_in_proportion_to_their_values():
    bars = [Bar("Monday", "?a", [30, 10]), Bar("Tuesday", "?b", [20, 0])]

    picture = charts.stacked_bars("days", SERIES, bars)

    (good, good_top, good_height), (bad, bad_top, bad_height), *rest = segments(picture)
    assert (good, bad) == ("url(#days-good)", "url(#days-bad)")
    assert good_height == 3 * bad_height == charts.BAR_HEIGHT * 3 / 4
    assert bad_top + bad_height == good_top
    assert rest == [("url(#days-good)", rest[0][1], charts.BAR_HEIGHT / 2)]


def test_smallest_value_is_still_seen_and_the_bar_stays_inside():
    picture = charts.stacked_bars("days", SERIES, [Bar("Monday", "?a", [5000, 1])])

    assert segments(picture)[1][2] == charts.MIN_SEGMENT_HEIGHT
    assert all(top >= 0 for _, top, _ in segments(picture))


def test_each_bar_is_a_link_that_screen_readers_and_the_tab_key_skip():
    bars = [Bar("Monday <b>", "?day=1&q=<", [0, 0]), Bar("Tuesday", "?day=2", [1, 0])]

    picture = charts.stacked_bars("days", SERIES, bars)

    links = list(parse(picture).iter("a"))
    assert [link.get("href") for link in links] == ["?day=1&q=<", "?day=2"]
    assert [link.find("title").text for link in links] == ["Monday <b>", "Tuesday"]
    assert {link.get("tabindex") for link in links} == {"-1"}
    assert parse(picture).get("aria-hidden") == "true"


def test_no_bars_are_an_empty_chart():
    assert list(parse(charts.stacked_bars("days", SERIES, [])).iter("a")) == []


def test_series_differ_by_their_pattern():
    patterns = parse(charts.stacked_bars("days", ["good", "none", "doubt", "bad"], [])).iter(
        "pattern"
    )

    assert len({pattern.find("path").get("d") for pattern in patterns}) == 4


def test_swatch_has_the_pattern_of_the_chart():
    assert "url(#days-bad)" in charts.swatch("days", "bad")


def places(picture):
    """Return the left percentage and the top of each mark."""
    marks = [link.find("svg") for link in parse(picture).iter("a")]
    return [(float(mark.get("x")[:-1]), int(mark.get("y"))) for mark in marks]


def test_marks_stand_on_the_line_at_their_time():
    marks = [Mark("Now", "/b", "bad", 1.0), Mark("First", "/a", "good", 0.0)]

    picture = charts.timeline(marks)

    (first, first_top), (last, last_top) = places(picture)
    assert (first, last) == (2, 98)
    assert first_top == last_top
    assert [link.get("href") for link in parse(picture).iter("a")] == ["/a", "/b"]


def test_marks_of_the_same_time_stand_on_top_of_each_other():
    marks = [Mark(str(number), "/", "good", 0.5) for number in range(9)]

    tops = [top for _, top in places(charts.timeline(marks))]

    assert len(set(tops[:4])) == 4
    assert min(tops) >= 0


def test_shape_without_a_mark_of_its_own_is_drawn():
    assert "mark-unheard" in charts.timeline([Mark("Odd", "/", "unheard", 0.5)])


def test_charts_have_no_inline_styles_and_scripts():
    bars = charts.stacked_bars("days", SERIES, [Bar("Monday", "?a", [3, 1])])
    marks = charts.timeline([Mark("First", "/a", "good", 0.3)])

    for picture in (bars, marks, charts.swatch("days", "bad")):
        assert not re.search(r"style|script|\son\w+=", picture)


def test_parts_of_a_row_follow_each_other_in_proportion_to_the_longest_bar():
    parts = [BarPart("On: 30", "?on", "good", 30), BarPart("Off: 10", "?off", "none", 10)]

    bar = parse(charts.row_bar("flows", parts, longest=80))

    rects = [(rect.get("x"), rect.get("width"), rect.get("fill")) for rect in bar.iter("rect")]
    assert rects == [
        ("0.00%", "37.50%", "url(#flows-good)"),
        ("37.50%", "12.50%", "url(#flows-none)"),
    ]
    links = list(bar.iter("a"))
    assert [(link.get("href"), link.find("title").text) for link in links] == [
        ("?on", "On: 30"),
        ("?off", "Off: 10"),
    ]
    assert {link.get("tabindex") for link in links} == {"-1"}
    assert bar.get("aria-hidden") == "true"


def test_smallest_part_of_a_row_is_seen_within_the_bar_and_an_empty_one_is_not():
    parts = [
        BarPart("On", "?on", "good", 9999),
        BarPart("Off", "?off", "none", 1),
        BarPart("Other", "?other", "doubt", 0),
    ]

    bar = parse(charts.row_bar("flows", parts, longest=10_000))

    _, (x, width) = [(rect.get("x"), rect.get("width")) for rect in bar.iter("rect")]
    assert (x, width) == ("99.00%", "1.00%")


def test_rows_of_a_chart_share_their_patterns():
    patterns = parse(charts.patterns("flows", ["good", "none"]))

    assert [pattern.get("id") for pattern in patterns.iter("pattern")] == [
        "flows-good",
        "flows-none",
    ]
