"""A check of the mirror's table: its columns against the snapshots that they are taken from."""

from __future__ import annotations

from collections.abc import Iterator

from flows.mirror import mirror
from flows.mirror.models import Flow


def mirror_columns() -> Iterator[str]:
    """The columns that lists show and search are taken from the flow's snapshot, which each sync compares."""
    for flow in Flow.objects.order_by("sid").iterator():
        expected = mirror.extract_columns(flow.resource)
        differing = [name for name, value in expected.items() if getattr(flow, name) != value]
        if flow.resource.get("account_sid") not in (None, flow.account_sid):
            differing.append("account_sid")
        if differing:
            yield f"The mirror's {differing[0]} of flow {flow.sid} differs from its snapshot."
            return
