"""Tags that keep the user's place in the list of flows on the pages that follow it."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows.flex_flows import list_links

register = template.Library()


@register.simple_tag(takes_context=True)
def list_url(context: Context) -> str:
    """Return the address of the list that the user came from."""
    return list_links.list_url(context["request"])


@register.simple_tag(takes_context=True)
def flow_url(context: Context, name: str, sid: str = "", **parameters: Any) -> str:
    """Return the address of a flow's page, such as "edit", with the place in the list."""
    url = reverse(f"flows:{name}", args=[sid] if sid else [])
    texts = {key: str(value) for key, value in parameters.items()}
    return list_links.with_list(context["request"], url, **texts)


@register.simple_tag(takes_context=True)
def list_field(context: Context) -> SafeString:
    """Return a hidden field with the place in the list, or "" for the whole list."""
    query = list_links.list_query(context["request"])
    if not query:
        return SafeString("")
    html = '<input type="hidden" name="{}" value="{}">'
    return format_html(html, list_links.PARAMETER, query)
