"""The tag that shows a part of a page as it was rendered before for the same values.

Most of a page is the same at each request, and Django's template engine takes longer for it than the
database. A part is a template that sees the values that the tag names, and nothing else: no user, no
request. So the same values always make the same HTML, and nothing has to be invalidated.

So a part must not depend on the clock, either: it can't say how long ago something was.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.functional import LazyObject, empty
from django.utils.safestring import SafeString

from flows.core.process_cache import process_cached

# Most parts are smaller than 10 kB with their values. The filters of a site with a thousand owners
# take 150 kB.
MAX_REMEMBERED: Final = 500

register = template.Library()


@dataclass(frozen=True, slots=True)
class Part:
    """A template and its values. Two are equal if they are rendered as the same HTML."""

    template_name: str
    key: Hashable
    values: Mapping[str, Any] = field(compare=False)


@register.simple_tag(takes_context=True)
def remembered(context: Context, template_name: str, names: str = "", **values: Any) -> SafeString:
    """Return a template rendered with these values alone, and those of the page with these names.

    They are texts, numbers, booleans, None, immutable objects, and lists or dicts of these.
    """
    values |= {name: context.get(name, "") for name in names.split()}
    plain_values = {name: _unwrap(value) for name, value in values.items()}
    return _render(Part(template_name, _freeze(plain_values), plain_values))


@process_cached(MAX_REMEMBERED)
def _render(part: Part) -> SafeString:
    return SafeString(render_to_string(part.template_name, dict(part.values)))


def _unwrap(value: Any) -> Any:
    """Return the object that a lazy one stands for, which would keep the request in memory."""
    if not isinstance(value, LazyObject):
        return value
    if value._wrapped is empty:
        value._setup()
    return value._wrapped


def _freeze(value: Any) -> Hashable:
    """Return a key that is equal only for values that are shown alike, unlike 1 and True."""
    if isinstance(value, Mapping):
        return tuple((name, _freeze(item)) for name, item in value.items())
    if type(value) in (list, tuple):
        return tuple(map(_freeze, value))
    return type(value), value
