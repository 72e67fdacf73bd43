"""Hostile values in objects of the Flex API beside flows break no page and become no markup."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse

from flows.mirror.sync import sync_account
from flows.twilio.flex_resources import PAGE_RESOURCES
from tests import ACCOUNT
from tests.security.hostile import HARMFUL_ANYWHERE, HOSTILE_VALUES, MARKER, WRONG_TYPES
from tests.security.markup import read_body
from tests.security.test_hostile_api import find_injected

pytestmark = pytest.mark.django_db
CASES = [kind for kind in (*HOSTILE_VALUES, *WRONG_TYPES) if kind not in HARMFUL_ANYWHERE]
PAGES = ("", "edit", "delete", "archive")
# Fields by which an object is found, beside its own SID.
PARENT_FIELDS = {resource.parent_field for resource in PAGE_RESOURCES}


def make_hostile(resource, kind):
    """Return the values that Twilio may send of an object, each hostile."""
    value = WRONG_TYPES[kind] if kind in WRONG_TYPES else HOSTILE_VALUES[kind]
    fields = {
        field.name: {"a": value, f"<i>{MARKER}": [value]} if field.kind == "json" else value
        for field in resource.fields
        if field.is_returned and field.name not in {"sid", "account_sid", *PARENT_FIELDS}
    }
    return {**fields, "unknown_of_tomorrow": value, f"<b>{MARKER}": value}


def spoil(sandbox, resource, kind):
    """Make the first object of a resource hostile, and return the arguments of its addresses."""
    place = {}
    if resource.parent is not None:
        place["parent_sid"] = next(iter(sandbox.store_of(resource.parent).snapshot()))
    store = sandbox.store_of(resource, place.get("parent_sid", ""))
    sid = next(iter(store.snapshot()))
    store.edit(sid, make_hostile(resource, kind))
    return place if resource.is_singleton else {"sid": sid, **place}


def addresses(resource, arguments):
    """Yield the addresses of the pages that a resource has."""
    names = [resource.name, *(f"{resource.name}-{page}" for page in PAGES if page)]
    for name in names:
        try:
            yield reverse(f"flex:{name}", kwargs=arguments)
        except NoReverseMatch:
            continue
    if resource.parent is None and not resource.is_singleton:
        yield reverse(f"flex:{resource.name}-list")


@pytest.mark.parametrize("kind", CASES)
def test_pages_of_the_flex_api_show_hostile_values_as_text_only(sandbox, client_of, kind):
    sandbox.add_flow(friendly_name="Harmless", enabled=True, channel_type="sms")
    sandbox.add_flow(friendly_name="Chat", enabled=True, channel_type="web")
    sync_account(ACCOUNT)
    admin, findings = client_of("admin"), {}
    admin.raise_request_exception = False
    urls = [reverse("flex:status"), reverse("flows:new")]
    for resource in PAGE_RESOURCES:
        if sandbox_has(sandbox, resource):
            urls += addresses(resource, spoil(sandbox, resource, kind))

    for url in urls:
        response = admin.get(url)
        problems = find_injected(read_body(response).decode())
        if response.status_code >= 500 and response.status_code != 502:
            problems.append(f"HTTP {response.status_code}")
        if problems:
            findings[url] = problems

    assert findings == {}
    assert len(urls) > 25


def sandbox_has(sandbox, resource):
    """Return True if there is an object to spoil."""
    if resource.parent is not None:
        return True
    return bool(sandbox.store_of(resource).snapshot())
