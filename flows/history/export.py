"""Files of the flows at a moment, and of a comparison: CSV with escaped formulas, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flows.core.csv_cells import BYTE_ORDER_MARK, to_csv_cell
from flows.history.known_states import KnownState
from flows.history.listing import state_of
from flows.history.moments import LogPosition
from flows.history.pairs import Pair
from flows.twilio.flex.flex_flow import FLEX_FLOW

CONTENT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# What the log says about a flow, before the flow's own fields.
_STATE_NAMES: Final = ("state", "uncertain", "recorded_at", "event_id")


def flows_as_csv(flows: Iterable[KnownState], position: LogPosition) -> str:
    """Return a line for each flow: the moment, what is known of it, and its fields."""
    names = [name for name in FLEX_FLOW.by_name if name not in ("sid", "account_sid")]
    header = ["at", "sid", "account_sid", "friendly_name", *_STATE_NAMES]
    header += [name for name in names if name != "friendly_name"]
    lines = []
    for flow in flows:
        item = _describe(flow)
        cells = [position.parameter, *(item[name] for name in header[1:8])]
        lines.append([*cells, *(flow.values.get(name) for name in header[8:])])
    return _to_csv(header, lines)


def flows_as_json(flows: Iterable[KnownState], position: LogPosition) -> str:
    """Return {"at": …, "flows": […]}. A flow has what is known of it, and its `fields`."""
    items = [{**_describe(flow), "fields": dict(flow.values)} for flow in flows]
    return _to_json({"at": position.parameter, "flows": items})


def pairs_as_csv(pairs: Iterable[Pair], sides: Mapping[str, Any], *, with_equal: bool) -> str:
    """Return a line for each field of each pair. A pair without fields has one line."""
    header = ["flow", "result", "matched_by", "uncertain", "left_sid", "right_sid"]
    header += ["field", "left", "right"]
    lines: list[list[Any]] = []
    for pair in pairs:
        sids = [state.sid if state else "" for state in (pair.left, pair.right)]
        start = [pair.label, pair.result, pair.matched_by, pair.is_uncertain, *sids]
        fields = pair.fields(with_equal=with_equal)
        lines += [[*start, row.name, row.raw_left, row.raw_right] for row in fields]
        if not fields:
            lines.append([*start, "", None, None])
    titles = [f"left: {sides['left']}", f"right: {sides['right']}"]
    header[-2:] = titles
    return _to_csv(header, lines)


def pairs_as_json(pairs: Iterable[Pair], sides: Mapping[str, Any], *, with_equal: bool) -> str:
    """Return {"left": …, "right": …, "pairs": […]}, each pair with its fields."""
    items = []
    for pair in pairs:
        fields = {
            row.name: {"left": row.raw_left, "right": row.raw_right, "differs": row.is_different}
            for row in pair.fields(with_equal=with_equal)
        }
        items.append(
            {
                "result": pair.result,
                "matched_by": pair.matched_by,
                "left": _describe(pair.left) if pair.left else None,
                "right": _describe(pair.right) if pair.right else None,
                "fields": fields,
            }
        )
    return _to_json({**sides, "pairs": items})


def _describe(flow: KnownState) -> dict[str, Any]:
    """Return what is known of a flow, without its fields."""
    return {
        "sid": flow.sid,
        "account_sid": flow.account_sid,
        "friendly_name": flow.name,
        "state": state_of(flow),
        "uncertain": flow.is_uncertain,
        "recorded_at": flow.event_at.isoformat(),
        "event_id": str(flow.event_id),
    }


def _to_csv(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(map(to_csv_cell, header))
    writer.writerows([to_csv_cell(value) for value in line] for line in lines)
    return buffer.getvalue()


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
