"""The addresses of the pages of objects at Twilio, by their resource and their account."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource

FLEX_NAMESPACE: Final = "flex"  # of the addresses of all other resources


def object_url(resource: Resource, sid: str, account_sid: str, *, parent_sid: str = "") -> str:
    """Return the address of an object's page, or "" if it has none.

    That of a flow needs no account. Others name it if the site has several. `parent_sid` is the
    object that this one belongs to, for a resource below a parent.
    """
    if not resource.is_sid(sid):
        return ""
    if resource is FLEX_FLOW:
        return reverse("flows:detail", kwargs={"sid": sid})
    arguments = {} if resource.is_singleton else {"sid": sid}
    if parent_sid:
        arguments["parent_sid"] = parent_sid
    try:
        url = reverse(f"{FLEX_NAMESPACE}:{resource.name}", kwargs=arguments)
    except NoReverseMatch:  # a resource without pages, or an unknown parent
        return ""
    return with_account(url, account_sid)


def event_object_url(event: AuditEvent) -> str:
    """Return the address of the page of the object that an event is about, or ""."""
    if not is_about_resource(event.action):
        return ""
    resource = resource_of_action(event.action)
    return object_url(
        resource, event.target_sid, event.account_sid or "", parent_sid=event.parent_sid
    )


def event_noun(event: AuditEvent) -> str:
    """Return the word for the object that an event is about, such as "flow"."""
    if not is_about_resource(event.action):
        return FLEX_FLOW.noun
    return resource_of_action(event.action).noun


def with_account(url: str, account_sid: str, **parameters: str) -> str:
    """Return an address with these parameters, and with the account if the site has several."""
    if account_sid and twilio_accounts.only_account() is None:
        parameters = {"account": account_sid, **parameters}
    return f"{url}?{urlencode(parameters)}" if parameters else url
