"""Addresses of the pages of the Flex API. With several accounts they name the account.

The pages of a resource below a parent are below the page of the object that has the collection:
`parent_sid` is that object.
"""

from __future__ import annotations

from django.urls import reverse

from flows.audit.object_links import FLEX_NAMESPACE, object_url, with_account
from flows.twilio.resource import Resource


def list_url(
    resource: Resource, account_sid: str, *, parent_sid: str = "", **parameters: str
) -> str:
    """Return the address of the list of a resource, or of the object whose page has that list."""
    if resource.parent is not None:
        return object_url(resource.parent, parent_sid, account_sid)
    url = reverse(f"{FLEX_NAMESPACE}:{resource.index_name}")
    return with_account(url, account_sid, **parameters)


def new_url(
    resource: Resource, account_sid: str, *, parent_sid: str = "", **parameters: str
) -> str:
    """Return the address of the form for a new object."""
    return _page_url(resource, "new", {"parent_sid": parent_sid}, account_sid, parameters)


def form_url(
    resource: Resource, sid: str, account_sid: str, operation: str, *, parent_sid: str = ""
) -> str:
    """Return the address of the form that edits, archives or deletes an object."""
    page = "edit" if operation == "update" else operation
    arguments = {"sid": "" if resource.is_singleton else sid, "parent_sid": parent_sid}
    return _page_url(resource, page, arguments, account_sid, {})


def _page_url(
    resource: Resource,
    page: str,
    arguments: dict[str, str],
    account_sid: str,
    parameters: dict[str, str],
) -> str:
    """Return the address of a page. Arguments that are empty are not part of it."""
    given_arguments = {name: value for name, value in arguments.items() if value}
    url = reverse(f"{FLEX_NAMESPACE}:{resource.name}-{page}", kwargs=given_arguments)
    return with_account(url, account_sid, **parameters)
