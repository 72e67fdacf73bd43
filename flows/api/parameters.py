"""The refusal of parameters that a call doesn't have: a misspelled filter would list everything."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http import HttpRequest
from django.urls import ResolverMatch

from flows.api.problems import invalid

Call = Callable[..., Any]


def refuse_unknown_parameters(document: Callable[[], Mapping[str, Any]]) -> Callable[[Call], Call]:
    """Return a decorator of calls that raises `Problem` for a parameter that isn't in the document."""

    def decorate(call: Call) -> Call:
        @functools.wraps(call)
        def checked(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            known_names = _known_parameters(document(), request)
            unknown = sorted(request.GET.keys() - known_names)
            if unknown:
                raise invalid({name[:40]: ["This call has no such parameter."] for name in unknown})
            return call(request, *arguments, **named)

        return checked

    return decorate


def _known_parameters(document: Mapping[str, Any], request: HttpRequest) -> set[str]:
    match = cast("ResolverMatch", request.resolver_match)
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", match.route)
    parameters = document["paths"][path][str(request.method).lower()]["parameters"]
    return {each["name"] for each in parameters if each["in"] == "query"}
