"""Helpers for the pages of the inbox, their forms and the events that they record."""

import uuid

from flows.audit.models import AuditEvent
from tests.conftest import form_data


def text(page):
    return page.content.decode()


def inbox_items(page):
    """Return the external changes on a page of the inbox, without their groups."""
    return [member for item in page.context["groups"] for member in item["group"].members]


def save(client, page, path, **fields):
    """Submit the form of a page with some other values."""
    return client.post(path, {**form_data(page), "change_id": uuid.uuid4(), **fields})


def last(**having):
    return AuditEvent.objects.filter(**having).latest("seq")
