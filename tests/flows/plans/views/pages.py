"""Steps on the pages of bulk changes, as a user's browser takes them."""

from html import unescape
from typing import Final

from django.urls import reverse

from flows.plans.models import Plan

NEW: Final = "/flows/plans/new/"


def create_draft(client, sids, kind="disable", **fields):
    response = client.post(NEW, {"sid": sids, "kind": kind, **fields})
    assert response.status_code == 302, response.content.decode()
    return Plan.objects.latest("created_at")


def get_page(client, plan, **query):
    return client.get(reverse("flows:plan", args=[plan.pk]), query)


def post_action(client, plan, action, **data):
    return client.post(reverse(f"flows:plan-{action}", args=[plan.pk]), data)


def text_of(page):
    return unescape(page.content.decode())
