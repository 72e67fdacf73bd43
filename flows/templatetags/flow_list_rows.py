"""The tag that writes the rows of the list of flows, as flows/flex_flows/row_html.py formats them."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString

from flows.flex_flows.row_html import RowLayout, format_rows

register = template.Library()


@register.simple_tag(takes_context=True)
def flow_rows(context: Context) -> SafeString:
    """Return the rows of a page of flows.

    Context: query, rows (each a `ListRow`), columns (key), perms, found_targets (those that the
    search means).
    """
    layout = RowLayout(
        columns=tuple(str(column["key"]) for column in context["columns"]),
        shows_actions=bool(context["perms"]["flows"]["change_flow"]),
        zone=timezone.get_current_timezone(),
    )
    return format_rows(
        context["rows"],
        layout,
        search_text=str(context["query"].q),
        found_targets=context.get("found_targets") or (),
    )
