"""The files in which the sandbox keeps its objects from one start to the next, one a collection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.twilio.resource import Resource


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """The state files next to that of the flows, or none without one."""

    flows: Path | None = None

    def file_of(self, resource: Resource, parent_sid: str = "") -> Path | None:
        """Return the state file of a collection."""
        if self.flows is None:
            return None
        names = (self.flows.stem, resource.name, parent_sid)
        return self.flows.with_name("-".join(filter(None, names)) + self.flows.suffix)
