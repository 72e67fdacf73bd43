"""The results of the palette, and the page of the keyboard shortcuts."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods

from flexadmin.keyboard import shortcuts
from flexadmin.keyboard.palette import find_groups
from flows.audit.access import Request


@require_GET
def palette(request: Request) -> HttpResponse:
    """Show what the palette finds. Without its dialog, the list's search is opened instead."""
    text = request.GET.get("q", "")
    if not request.htmx:
        query = f"?{urlencode({'q': text})}" if text else ""
        return redirect(reverse("flows:list") + query)
    context = {"groups": find_groups(request, text), "text": text}
    return render(request, "keyboard/_palette_results.html", context)


@require_http_methods(["GET", "POST"])
def shortcut_list(request: Request) -> HttpResponse:
    """Show all shortcuts, or the list alone in a dialog. A POST turns single keys on or off."""
    if request.method == "POST":
        return _store_single_keys(request)
    context = {
        "sections": shortcuts.SHORTCUTS,
        "single_keys_are_on": shortcuts.has_single_keys(request),
    }
    template = "keyboard/_shortcuts.html" if request.htmx else "keyboard/shortcuts.html"
    response = render(request, template, {**context, "in_dialog": bool(request.htmx)})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _store_single_keys(request: Request) -> HttpResponse:
    is_on = request.POST.get("single_keys") == "on"
    response = redirect("shortcuts")
    shortcuts.store_single_keys(response, is_on=is_on)
    state = "on" if is_on else "off"
    messages.success(request, f"Turned single-key shortcuts {state} in this browser.")
    return response
