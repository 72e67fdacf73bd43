"""The commands of the palette: pages to open, actions to start, and what to do with a flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flexadmin.keyboard.palette_query import Option, PaletteQuery
from flows.accounts.permissions import has_permission_everywhere, resource_permission
from flows.audit.models import OpenChange
from flows.flex_flows.states import flow_state
from flows.mirror.models import Flow
from flows.twilio.flex_resources import FLEX_RESOURCES

VIEW: Final = "flows.view_flow"
ADD: Final = "flows.add_flow"
CHANGE: Final = "flows.change_flow"
DELETE: Final = "flows.delete_flow"
VIEW_LOG: Final = "flows.view_auditevent"
EXPORT_LOG: Final = "flows.export_auditevent"
ERASE: Final = "flows.erase_auditevent"
MANAGE_USERS: Final = "flexadmin.manage_people"
TURN_ON_OR_OFF: Final = "flows:enabled"


@dataclass(frozen=True, slots=True)
class Command:
    """A page, or an action that starts on a page.

    Everyone may use a command without a permission; `everywhere` takes it on all accounts. The
    words of `synonyms` find the command, too. With `form_data`, a form is submitted. A command for
    a flow has the flow's SID in its URL: in the path, or in the query as `sid_parameter`.
    """

    label: str
    url_name: str
    permission: str = ""
    synonyms: str = ""
    form_data: Mapping[str, str] | None = None
    busy_label: str = ""
    sid_parameter: str = ""
    everywhere: bool = False

    def is_permitted(self, query: PaletteQuery) -> bool:
        if self.everywhere:
            return has_permission_everywhere(query.request.user, self.permission)
        return not self.permission or query.has_perm(self.permission, "")


PAGES: Final = (
    Command("Overview", "home", VIEW, "home start dashboard"),
    Command("Flows", "flows:list", VIEW, "list"),
    Command(
        "Flows at a date", "flows:history", VIEW, "history past time state earlier before version"
    ),
    Command("Compare flows", "flows:history-compare", VIEW, "diff difference moments accounts"),
    Command("External changes", "flows:drift", VIEW, "drift inbox accept revert"),
    Command("Targets", "flows:targets", VIEW, "where used studio webhook workflow number"),
    Command("Checks", "checks:list", VIEW, "warnings errors findings problems lint"),
    Command(
        "Who gets a message",
        "checks:routing",
        VIEW,
        "routing explain coverage numbers senders message path route handler",
    ),
    Command(
        "Migration", "migration:board", VIEW, "addresses conversations move verdict switch over"
    ),
    Command("Bulk changes", "flows:plans", VIEW, "roll back undo"),
    Command("Change requests", "requests:list", VIEW, "approvals approve review inbox"),
    Command("Scheduled changes", "schedules:list", VIEW, "calendar schedule later time holidays"),
    Command("Policies", "requests:policies", VIEW, "approval hours reason four eyes"),
    Command("Flex API", "flex:overview", VIEW, "resources"),
    *(
        Command(one.plural, f"flex:{one.index_name}", resource_permission(one, "view"), "flex api")
        for one in FLEX_RESOURCES
    ),
    Command("Audit log", "audit:list", VIEW_LOG, "events history"),
    Command("Verification", "audit:verification", EXPORT_LOG, "hash chain", everywhere=True),
    Command("Erase personal data", "audit:erasure", ERASE, "gdpr delete", everywhere=True),
    Command("Notifications", "notifications:list", VIEW_LOG, "email slack teams webhook alerts"),
    Command("Accounts", "accounts:list", VIEW, "read-only twilio connection"),
    Command("Users", "people", MANAGE_USERS, "roles team", everywhere=True),
    Command("Account settings", "me", "", "profile password 2fa passkey sessions security"),
    Command("Keyboard shortcuts", "shortcuts", "", "keys help"),
)
FIRST_ACTIONS: Final = (
    Command("New flow", "flows:new", ADD, "create add"),
    Command("Sync with Twilio", "flows:sync", VIEW, "refresh", {}, "Syncing…"),
    Command("Import flows", "flows:plan-import", CHANGE, "upload csv json"),
)
# The exports of flows (`_export_commands`) stand between these.
LAST_ACTIONS: Final = (
    Command("Export audit log", "audit:export", EXPORT_LOG, "download events csv ndjson"),
    Command("Add user", "person-new", MANAGE_USERS, "new create invite", everywhere=True),
    Command("Sign out", "logout", "", "log out", {}, "Signing out…"),
)
FLOW_COMMANDS: Final = (
    Command("Edit this flow", "flows:edit", CHANGE, "change"),
    Command("Turn on or off this flow", TURN_ON_OR_OFF, CHANGE, "enable disable"),
    Command("Clone this flow", "flows:new", ADD, "copy duplicate", sid_parameter="clone"),
    Command("Show this flow as code", "flows:code", VIEW, "curl terraform cli"),
    Command("Show the history of this flow", "audit:list", VIEW_LOG, "log", sid_parameter="sid"),
    Command("Show this flow at a date", "flows:history-flow", VIEW, "past time state"),
    Command("Show the migration of this flow", "migration:flow", VIEW, "move address"),
    Command("Delete this flow", "flows:delete", DELETE, "remove"),
)


def find_pages(query: PaletteQuery) -> Iterator[Option]:
    yield from _find_commands(PAGES, query)


def find_actions(query: PaletteQuery) -> Iterator[Option]:
    yield from _find_commands((*FIRST_ACTIONS, *_export_commands(query), *LAST_ACTIONS), query)


def find_flow_actions(query: PaletteQuery) -> Iterator[Option]:
    """Yield what the user can do with the flow of the page."""
    sid = query.page.kwargs.get("sid", "") if query.page else ""
    commands = [
        command for command in FLOW_COMMANDS if query.matches(f"{command.label} {command.synonyms}")
    ]
    if not sid or not commands:
        return
    flow = _find_flow(sid)
    for command in commands:
        if flow is not None and _is_offered(command, flow, query):
            yield Option(_flow_label(command, flow), _flow_url(command, flow.sid))


def _find_commands(commands: tuple[Command, ...], query: PaletteQuery) -> Iterator[Option]:
    for command in commands:
        if not query.matches(f"{command.label} {command.synonyms}"):
            continue
        if command.is_permitted(query):
            yield Option(
                label=format_html("{}", command.label),
                url=reverse(command.url_name),
                form_data=command.form_data,
                busy_label=command.busy_label,
            )


def _export_commands(query: PaletteQuery) -> Iterator[Command]:
    """Yield the exports of the flows: those that match the list's query, or all of them."""
    is_list = query.page is not None and query.page.view_name == "flows:list"
    list_query = query.page_query if is_list else ""
    flows = "the flows of this list" if list_query else "all flows"
    for file_format in ("csv", "json"):
        form_data = {"all": "1", "query": list_query, "format": file_format}
        label = f"Export {flows} as {file_format.upper()}"
        yield Command(label, "flows:copy-out", VIEW, "download", form_data)


def _find_flow(sid: str) -> Flow | None:
    """Return a flow of the mirror, with `has_open_change`."""
    open_changes = OpenChange.objects.filter(target_sid=OuterRef("sid"))
    return Flow.objects.annotate(has_open_change=Exists(open_changes)).filter(sid=sid).first()


def _is_offered(command: Command, flow: Flow, query: PaletteQuery) -> bool:
    """Return True if the flow's own page would offer this command, too."""
    is_locked = bool(flow.gone_at) or flow.has_open_change  # type: ignore[attr-defined]
    if is_locked and command.permission not in (VIEW, VIEW_LOG):
        return False
    return query.has_perm(command.permission, flow.account_sid)


def _flow_url(command: Command, sid: str) -> str:
    if command.sid_parameter:
        return f"{reverse(command.url_name)}?{urlencode({command.sid_parameter: sid})}"
    return reverse(command.url_name, args=[sid])


def _flow_label(command: Command, flow: Flow) -> SafeString:
    if command.url_name != TURN_ON_OR_OFF:
        return format_html("{}", command.label)
    return format_html("Turn {} this flow", "off" if flow_state(flow) == "on" else "on")
