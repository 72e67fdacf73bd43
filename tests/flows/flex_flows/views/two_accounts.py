"""Helpers of the tests with two accounts on one site."""

import uuid

from django.urls import reverse

IS, FW = "IS" + "1" * 32, "FW" + "1" * 32


def switch_off(client, sid):
    data = {"enabled": "false", "reason": "A try", "change_id": str(uuid.uuid4())}
    return client.post(reverse("flows:enabled", args=[sid]), data)


def text_of(response):
    return response.content.decode()
