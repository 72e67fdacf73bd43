"""The icons of heroicons. Each is rendered once for each size and set of attributes, then kept.

The package parses an icon's XML each time, which took as long as a database query on every page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django import template
from heroicons.templatetags import heroicons

MAX_REMEMBERED: Final = 256  # icons; a template's attributes could come from data

register = template.Library()
for _draw in (heroicons.heroicon_mini, heroicons.heroicon_outline):
    register.simple_tag(lru_cache(MAX_REMEMBERED)(_draw))
