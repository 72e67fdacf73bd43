"""A check of the mirror's columns against the snapshots that they are taken from."""

from __future__ import annotations

from collections.abc import Iterator

from flows.mirror import flow_rows
from flows.mirror.models import Flow


def mirror_columns() -> Iterator[str]:
    """Yield a sentence on the first flow whose columns differ from its snapshot, if any."""
    for flow in Flow.objects.order_by("sid").iterator():
        expected = flow_rows.extract_columns(flow.resource)
        differing = [name for name, value in expected.items() if getattr(flow, name) != value]
        if flow.resource.get("account_sid") not in (None, flow.account_sid):
            differing.append("account_sid")
        if differing:
            yield f"The mirror's {differing[0]} of flow {flow.sid} differs from its snapshot."
            return
