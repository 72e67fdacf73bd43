"""Time zones to choose from."""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from functools import cache
from typing import Any, Final

# Old names of zones, and zones that are no place.
HIDDEN_REGIONS: Final = frozenset(
    ("Brazil", "Canada", "Chile", "Etc", "Mexico", "SystemV", "US", "posix", "right")
)

Choices = list[tuple[str, Any]]


@cache
def time_zone_choices() -> Choices:
    """Return the time zones by region: those of the system, or of tzdata if it has none."""
    zones_by_region: defaultdict[str, Choices] = defaultdict(list)
    for name in sorted(zoneinfo.available_timezones()):
        region, _, city = name.partition("/")
        if city and region not in HIDDEN_REGIONS:
            zones_by_region[region].append((name, city.replace("_", " ").replace("/", " / ")))
    return [("UTC", "UTC"), *zones_by_region.items()]
