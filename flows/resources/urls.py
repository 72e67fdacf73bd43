"""The addresses of the pages of the Flex API: the same ones for each resource.

A SID of another kind is answered with 404, without asking Twilio.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, path, register_converter

from flows.resources.views import changing, reading
from flows.resources.views.flex_status import flex_status
from flows.resources.views.lookup import resource_lookup
from flows.twilio.flex_resources import PAGE_RESOURCES
from flows.twilio.resource import Resource

app_name = "flex"


@functools.cache  # several resources have SIDs with the same prefix
def _register_sid(prefix: str) -> str:
    """Register the converter of SIDs with this prefix, and return its name."""

    class Converter:
        regex = f"{prefix}[0-9a-fA-F]{{32}}"

        def to_python(self, value: str) -> str:
            return value

        def to_url(self, value: str) -> str:
            return value

    name = f"sid_{prefix}"
    register_converter(Converter, name)
    return name


def _resource_urls(resource: Resource) -> Iterator[URLPattern]:
    """Yield the addresses of the pages that a resource has by its operations."""

    parent = resource.parent
    folder = resource.slug
    if parent is not None:
        folder = f"{parent.slug}/<{_register_sid(parent.sid_prefix)}:parent_sid>/{folder}"

    def page(route: str, view: Any, name: str) -> URLPattern:
        pattern: URLPattern = path(f"{folder}/{route}", view, {"resource": resource}, name=name)
        return pattern

    name, sid = resource.name, f"<{_register_sid(resource.sid_prefix)}:sid>"
    if resource.is_singleton:
        yield page("", reading.resource_detail, name)
        yield page("edit/", changing.resource_edit, f"{name}-edit")
        return
    if parent is None:
        first_page = reading.resource_list if "list" in resource.operations else resource_lookup
        yield page("", first_page, f"{name}-list")
    if "create" in resource.operations:
        yield page("new/", changing.resource_new, f"{name}-new")
    if "fetch" in resource.operations:
        yield page(f"{sid}/", reading.resource_detail, name)
    if "update" in resource.operations:
        yield page(f"{sid}/edit/", changing.resource_edit, f"{name}-edit")
    if "archive" in resource.operations:
        yield page(f"{sid}/archive/", changing.resource_archive, f"{name}-archive")
    if "delete" in resource.operations:
        yield page(f"{sid}/delete/", changing.resource_delete, f"{name}-delete")


urlpatterns = [
    path("", reading.resource_overview, name="overview"),
    path("status/", flex_status, name="status"),
    *(pattern for resource in PAGE_RESOURCES for pattern in _resource_urls(resource)),
]
