"""Requests of the palette, and the options in its answers."""

import re
from html import unescape

OPTION = re.compile(r'<(?:a|button) class="option".*?</(?:a|button)>', re.DOTALL)
GROUP = re.compile(r'<div role="group".*?</div>', re.DOTALL)
GROUP_TITLE = re.compile(r'role="presentation">(.*?)<')


def search(client, text="", *, page="/flows/"):
    """Return the palette's answer to a text, as htmx on this page gets it."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    return client.get("/palette/", {"q": text}, headers=headers)


def groups_of(response):
    """Return the labels and notes of the options, by the title of their group."""
    html = response.content.decode()
    return {
        GROUP_TITLE.search(group)[1]: [_text_of(option) for option in OPTION.findall(group)]
        for group in GROUP.findall(html)
    }


def addresses_of(response):
    """Return the addresses of links and of forms."""
    return re.findall(r'(?:href|action)="(.*?)"', unescape(response.content.decode()))


def _text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
