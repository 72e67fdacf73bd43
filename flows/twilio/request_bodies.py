"""The bodies of requests: the parameters of a form, or a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The names of parameters with their values. A list is a repeated parameter.
Parameters = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON object as the body of a request."""

    value: dict[str, Any]
