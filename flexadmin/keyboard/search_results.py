"""The flows, the targets and the events that the palette finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flexadmin.keyboard.palette_query import Option, PaletteQuery
from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission_anywhere, scope_of
from flows.audit import event_text, log_list
from flows.audit.log_query import LogQuery, is_event_number
from flows.audit.models import AuditEntry
from flows.core import time_text
from flows.core.safe_text import short, visible
from flows.core.search_marks import mark_search_words
from flows.flex_flows.states import STATE_LABELS, flow_state
from flows.flex_flows.target_links import target_url
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind
from flows.search import flow_search
from flows.targets import listing
from flows.twilio.flex.flex_flow import CHOICE_LABELS, FLEX_FLOW

MAX_RESULTS: Final = 5  # flows, targets and events, each, that the palette shows


def find_flows(query: PaletteQuery) -> Iterator[Option]:
    """Yield the flows that the list's search finds, and a link to the list if there are more."""
    if not query.words or not has_permission_anywhere(query.request.user, "flows.view_flow"):
        return
    scope = scope_of(query.request.user, "flows.view_flow")
    search = flow_search.Query.of({"q": query.text}, scope)
    flows = flow_search.find_first(search, MAX_RESULTS + 1)
    for flow in flows[:MAX_RESULTS]:
        url = reverse("flows:detail", args=[flow.sid])
        yield Option(mark_search_words(flow, query.text), url, _describe_flow(flow, query.text))
    if len(flows) > MAX_RESULTS:
        yield _more_option("More flows that match", "flows:list", query.text)
    sid = query.text.strip()
    if not flows and FLEX_FLOW.is_sid(sid):  # perhaps not synced yet
        yield Option(format_html("Open {}", short(sid)), reverse("flows:detail", args=[sid]))


def find_targets(query: PaletteQuery) -> Iterator[Option]:
    """Yield what flows can point to, such as Studio Flows, by the words of its name."""
    if not query.words or not has_permission_anywhere(query.request.user, "flows.view_flow"):
        return
    scope = scope_of(query.request.user, "flows.view_flow")
    targets = listing.find_by_name(query.words, scope, MAX_RESULTS + 1)
    for target, name in targets[:MAX_RESULTS]:
        url = target_url(target.kind, target.value)
        label = mark_search_words(name, query.text)
        yield Option(label, url, _describe_target(target, name))
    if len(targets) > MAX_RESULTS:
        yield _more_option("More targets that match", "flows:targets", query.text)


def find_events(query: PaletteQuery) -> Iterator[Option]:
    """Yield the event of a number, then the newest entries of the log that match a search."""
    if not query.words or not has_permission_anywhere(query.request.user, "flows.view_auditevent"):
        return
    scope = scope_of(query.request.user, "flows.view_auditevent")
    yield from _find_event_by_number(query.text, scope)
    search = LogQuery.from_parameters({"q": query.text})
    entries = log_list.find_newest(search, scope, MAX_RESULTS + 1)
    for entry in entries[:MAX_RESULTS]:
        url = reverse("audit:detail", args=[entry.outcome.event_id])
        label = visible(event_text.headline(entry.outcome))
        yield Option(label, url, _describe_entry(entry, query.text))
    if len(entries) > MAX_RESULTS:
        yield _more_option("More events that match", "audit:list", query.text)


def _find_event_by_number(text: str, scope: twilio_accounts.Scope) -> Iterator[Option]:
    """Yield the event with this number, which can be written as 542 or #542."""
    number = text.strip().removeprefix("#")
    if not is_event_number(number):
        return
    for event in log_list.readable_events(scope).filter(seq=int(number)):
        url = reverse("audit:detail", args=[event.event_id])
        yield Option(format_html("Event {}", event.seq), url, visible(event_text.headline(event)))


def _more_option(label: str, url_name: str, text: str) -> Option:
    url = f"{reverse(url_name)}?{urlencode({'q': text})}"
    return Option(format_html("{} “{}”", label, visible(text.strip())), url)


def _describe_flow(flow: Flow, text: str) -> SafeString:
    """Return the channel, the contact identity, the state and the account of a flow."""
    channel = CHOICE_LABELS.get(flow.channel_type, flow.channel_type)
    _, state = STATE_LABELS[flow_state(flow)]
    parts = [
        visible(channel),
        mark_search_words(flow.contact_identity, text),
        visible(state),
        visible(_account_name(flow.account_sid)),
    ]
    return _join_parts(parts)


def _describe_target(target: listing.ListedTarget, name: str) -> SafeString:
    """Return the kind, the SID or number, and the account of a target.

    A number that is named after itself is not repeated.
    """
    value = target.value
    if target.kind != TargetKind.IDENTITY:
        value = short(value)
    parts = [
        visible(TargetKind(target.kind).label),
        visible(value),
        visible(_account_name(target.account_sid)),
    ]
    if value == name:
        del parts[1]
    return _join_parts(parts)


def _describe_entry(entry: AuditEntry, text: str) -> SafeString:
    """Return the flow's name, the result, the actor and the age of an entry of the log."""
    payload = entry.outcome.stored_payload
    name = payload.friendly_name if payload else ""
    parts = [
        mark_search_words(name, text),
        visible(event_text.ending(entry.outcome)),
        visible(event_text.actor_name(entry.start)),
        format_html("{}", time_text.ago(entry.start.at)),
    ]
    return _join_parts(parts)


def _account_name(sid: str) -> str:
    """Return the name of an account. The only account of a site has none."""
    names = {account.sid: account.name for account in twilio_accounts.all_accounts()}
    return names.get(sid, "")


def _join_parts(parts: list[SafeString]) -> SafeString:
    return format_html_join(" · ", "{}", ((part,) for part in parts if part))
