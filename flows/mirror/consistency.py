"""A check of the mirror's columns against the snapshots that they are taken from."""

from __future__ import annotations

from collections.abc import Iterator

from flows.mirror import flow_rows, snapshot_checks
from flows.mirror.models import Flow
from flows.mirror.targets import find_targets


def mirror_columns() -> Iterator[str]:
    """Yield a sentence on the first flow whose columns differ from its snapshot, if any."""
    for flow in Flow.objects.order_by("sid").iterator():
        name = _find_differing_column(flow)
        if name:
            yield f"The mirror's {name} of flow {flow.sid} differs from its snapshot."
            return


def _find_differing_column(flow: Flow) -> str:
    """Return the name of the first column that differs from the snapshot, or ""."""
    account_sid = flow.resource.get("account_sid") or flow.account_sid
    expected = {
        **flow_rows.extract_columns(flow.resource),
        "account_sid": account_sid,
        "targets": find_targets(flow.resource),
        "has_warnings": snapshot_checks.has_warnings(flow.resource),
    }
    for name, value in expected.items():
        if getattr(flow, name) != value:
            return name
    return ""
