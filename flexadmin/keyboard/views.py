"""The page of the keyboard shortcuts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from flexadmin.keyboard import shortcuts
from flows.audit.access import Request


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
