"""Every URL of the site, read from the URL configuration, with valid arguments and form data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes.forms.decision import DecisionForm
from flows.flex_flows.details_form import DetailsForm
from flows.flex_flows.forms import sign_base
from flows.local_details.reading import load_details
from flows.mirror import mirror
from flows.mirror.stale_reads import StaleRead
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.plans.models import Plan
from flows.search.models import SavedView
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.acting import append_attempt

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_TABLE = json.loads(
    (Path(__file__).parent.parent / "data" / "access.json").read_text(encoding="utf-8")
)
ACCESS: dict[str, dict[str, str]] = _TABLE["places"]
ALLOWED_USERS: dict[str, list[str]] = _TABLE["who"]
# "nobody" is a user without a role.
USERS = ("anonymous", "nobody", "viewer", "operator", "auditor", "admin")
VOLATILE_TABLES = {"django_session", "django_migrations", "sqlite_sequence"}


def find_url_names(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """Yield the name of every URL. A URL without one couldn't be listed in the access table."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from find_url_names(
                entry, f"{space}{entry.namespace}:" if entry.namespace else space
            )
        else:
            assert isinstance(entry, URLPattern)
            assert entry.name, f"{entry.pattern} has no name"
            yield space + entry.name


URL_NAMES = sorted(set(find_url_names()))


def is_allowed(person: str, name: str, method: str) -> bool:
    return person in ALLOWED_USERS.get(ACCESS[name].get(method, ""), [])


def requires_sign_in(response: Any) -> bool:
    """Tell whether a response leads to the sign-in page: by a redirect, or with 401 for a form."""
    if response.status_code == 401:
        return True
    target, _, query = response.get("Location", "").partition("?")
    return (
        response.status_code == 302
        and target == resolve_url(settings.LOGIN_URL)
        and "next=" in query
    )


def _read_flow(sid: str) -> Any:
    """Read a flow. It may contradict a change that another call has just made."""
    try:
        return mirror.fetch(sid, account_sid=ACCOUNT)
    except StaleRead as stale:
        return stale.seen


def send_form(
    client: Client, method: str, url: str, data: dict[str, Any] | None = None, **kwargs: Any
) -> Any:
    """Send form data by any method. Safe methods carry it in the query."""
    if method in ("POST",):
        return client.post(url, data or {}, **kwargs)
    if method in ("PUT", "PATCH", "DELETE"):
        body = "&".join(f"{name}={value}" for name, value in (data or {}).items())
        return client.generic(
            method, url, body, content_type="application/x-www-form-urlencoded", **kwargs
        )
    return client.generic(method, url, query_params=data or {}, **kwargs)


def dump_database(*, without: set[str] = VOLATILE_TABLES) -> dict[str, list[str]]:
    """Return every row of every table as text, by table, without the times of the last sign-in."""
    rows_by_table = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - without):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            rows_by_table[table] = sorted(
                repr(
                    [
                        value
                        for name, value in zip(columns, row, strict=True)
                        if name != "last_login"
                    ]
                )
                for row in cursor.fetchall()
            )
    return rows_by_table


@dataclass
class SampleSite:
    """Site with sample data: flows, an external change, an unresolved change, a plan, a saved view.

    `call` returns the address of a URL name and form data that it accepts. Objects that a form uses
    up are created again with each call.
    """

    sandbox: Sandbox
    person: Callable[..., User]
    people: dict[str, User] = field(default_factory=dict)
    sid: str = ""
    unresolved_sid: str = ""

    def populate(self) -> SampleSite:
        self.people = {name: self.person(name) for name in USERS[2:]}
        self.people["nobody"] = User.objects.create_user("nobody", password="nobody-password")
        self._ensure_flow()
        self.unresolved_sid = self.sandbox.add_flow(friendly_name="In doubt")
        drifted_sid = self.sandbox.add_flow(friendly_name="Found changed")
        sync_account(ACCOUNT)
        self.sandbox.edit_flow(drifted_sid, friendly_name="Changed elsewhere")
        sync_account(ACCOUNT)
        append_attempt(self.unresolved_sid)
        OpenChange.objects.update(ambiguity="Somebody else changed the same field since.")
        return self

    def client(self, person: str, **kwargs: Any) -> Client:
        client = Client(**kwargs)
        if person != "anonymous":
            client.force_login(
                User.objects.get(pk=self.people[person].pk),
                backend=settings.AUTHENTICATION_BACKENDS[0],
            )
        return client

    def call(self, name: str, person: str = "admin") -> tuple[str, dict[str, Any]]:
        """Return the address of a URL name, and valid form data for it."""
        prepare = getattr(self, "_" + name.replace(":", "_").replace("-", "_"), None)
        arguments, data = prepare(person) if prepare else ({}, {})
        return reverse(name, kwargs=arguments), data

    def writes(self) -> list[RequestRecord]:
        return [request for request in self.sandbox.requests if request.method != "GET"]

    def _ensure_flow(self) -> str:
        if self.sid not in self.sandbox.flows:
            self.sid = self.sandbox.add_flow(
                friendly_name="Réclamations Lyon",
                channel_type="sms",
                contact_identity="+33199000123",
                enabled=True,
                integration_type="studio",
                integration_flow_sid="FW" + "1" * 32,
                integration_retry_count=3,
            )
            sync_account(ACCOUNT)
        return self.sid

    def _flow(self, **data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        change = {"change_id": str(uuid.uuid4()), "reason": "because"} if data else {}
        return {"sid": self._ensure_flow()}, {**change, **data}

    def _flows_detail(self, _person: str) -> Any:
        return self._flow()

    _flows_code = _flows_detail

    def _flows_new(self, _person: str) -> Any:
        return {}, {
            "friendly_name": f"New {uuid.uuid4().hex}", "chat_service_sid": "IS" + "2" * 32,
            "channel_type": "web", "integration_type": "studio",
            "integration_flow_sid": "FW" + "3" * 32, "change_id": str(uuid.uuid4()),
        }  # fmt: skip

    def _flows_edit(self, _person: str) -> Any:
        sid = self._ensure_flow()
        return self._flow(
            base=sign_base(_read_flow(sid)),
            friendly_name=f"Renamed {uuid.uuid4().hex}",
        )

    def _flows_enabled(self, _person: str) -> Any:
        sid = self._ensure_flow()
        return self._flow(enabled=str(not self.sandbox.flows[sid]["enabled"]).lower())

    def _flows_details(self, _person: str) -> Any:
        sid = self._ensure_flow()
        form = DetailsForm(sid=sid, current=load_details(sid))
        return self._flow(base=form.initial["base"], owner=f"Team {uuid.uuid4().hex[:6]}")

    def _flows_delete(self, _person: str) -> Any:
        return self._flow(confirm_name=self._ensure_flow())

    def _flows_list_preferences(self, _person: str) -> Any:
        return {}, {"column": ["channel", "enabled"], "density": "compact"}

    def _flows_view_save(self, _person: str) -> Any:
        return {}, {"name": "Mine", "query": "q=lyon"}

    def _flows_view_remove(self, person: str) -> Any:
        owner = self.people.get(person) or self.people["admin"]
        view, _ = SavedView.objects.get_or_create(
            person=owner, name="To be removed", defaults={"query": "q=x"}
        )
        return {"view_id": view.pk}, {}

    def _flows_view_share(self, person: str) -> Any:
        arguments, _ = self._flows_view_remove(person)
        is_shared = SavedView.objects.get(pk=arguments["view_id"]).is_shared
        return arguments, {"shared": str(not is_shared).lower()}

    def _flows_view_default(self, person: str) -> Any:
        # False, because later calls are for the list without a query.
        return self._flows_view_remove(person)[0], {"default": "false"}

    def _flows_drift_accept(self, _person: str) -> Any:
        if not OpenDrift.objects.exists():
            self.sandbox.edit_flow(
                self._ensure_flow(), friendly_name=f"Elsewhere {uuid.uuid4().hex}"
            )
            sync_account(ACCOUNT)
        return {"event_id": OpenDrift.objects.latest("event").event.event_id}, {"reason": "seen"}

    def _flows_drift_accept_many(self, person: str) -> Any:
        kwargs, form = self._flows_drift_accept(person)
        return {}, {"events": str(kwargs["event_id"]), **form}

    _flows_drift_revert_many = _flows_drift_accept_many

    def _flows_target(self, _person: str) -> Any:
        self._ensure_flow()
        return {"kind": "studio-flow", "value": "FW" + "1" * 32}, {}

    def _flows_copy_out(self, _person: str) -> Any:
        return {}, {"sid": self._ensure_flow(), "format": "csv"}

    def _flows_plan_new(self, _person: str) -> Any:
        return {}, {"sid": self._ensure_flow(), "kind": "disable"}

    def _flows_plan_import(self, _person: str) -> Any:
        return {}, {
            "entries": json.dumps([{"sid": self._ensure_flow(), "friendly_name": "Imported"}])
        }

    def _flows_plan(self, _person: str) -> Any:
        ask = drafts.BulkAction("retry_count", 2)
        plan = drafts.plan_bulk_action(action=ask, sids=[self._ensure_flow()], created_by="admin")
        return {"plan_id": plan.pk}, {"reason": "because"}

    _flows_plan_start = _flows_plan_stop = _flows_plan_discard = _flows_plan

    def _flows_plan_undo(self, person: str) -> Any:
        arguments, data = self._flows_plan(person)
        finished_at = AuditEvent.objects.latest("seq").at
        Plan.objects.filter(pk=arguments["plan_id"]).update(
            status="done", started_at=finished_at, ended_at=finished_at
        )
        return arguments, data

    _flows_plan_rest = _flows_plan_undo

    def _openid_connect_login(self, _person: str) -> Any:
        return {"provider_id": "oidc"}, {}

    _openid_connect_callback = _openid_connect_login

    def _mfa_deactivate_totp(self, person: str) -> Any:
        self._factor(person, "totp")
        return {}, {}

    def _mfa_view_recovery_codes(self, person: str) -> Any:
        self._factor(person, "recovery_codes")
        return {}, {}

    _mfa_recovery_codes_file = _mfa_view_recovery_codes

    def _session_end(self, person: str) -> Any:
        name = person if person in self.people else "admin"
        key = self.client(name).session.session_key
        session = UserSession.objects.create(
            user=self.people[name], session_key=key, ip="192.0.2.7"
        )
        return {"session_id": session.pk}, {}

    def _mfa_remove_webauthn(self, _person: str) -> Any:
        return {"pk": 1}, {}  # the password is required first

    def _factor(self, person: str, kind: str) -> Any:
        owner = self.people.get(person) or self.people["admin"]
        secret = get_adapter().encrypt("A" * 32)
        secrets = {"totp": {"secret": secret}, "recovery_codes": {"seed": secret, "used_mask": 0}}
        return Authenticator.objects.get_or_create(
            user=owner, type=kind, defaults={"data": secrets[kind]}
        )[0]

    def _profile_edit(self, person: str) -> Any:
        return {}, {"display_name": f"{person.title()} Silva", "theme": "dark"}

    def _password_change(self, person: str) -> Any:
        password = "a long passphrase"
        return {}, {
            "old_password": f"{person}-password",
            "new_password1": password,
            "new_password2": password,
        }

    def _person(self, _person: str) -> Any:
        spare, _ = User.objects.get_or_create(username="spare")
        return {"person_id": spare.pk}, {"reason": "because", "role": "viewer", "active": "false"}

    def _person_new(self, _person: str) -> Any:
        return {}, {"name": "newcomer", "role": "viewer", "reason": "because"}

    _person_rights = _person_role = _person_active = _person_factors = _person_sso = (
        _person_password
    ) = _person

    def _audit_export(self, _person: str) -> Any:
        return {}, {"format": "csv", "what": "all"}

    def _audit_verification(self, _person: str) -> Any:
        return {}, {"head": ""}

    def _audit_erasure(self, _person: str) -> Any:
        return {}, {"subject": "+33199000123"}  # the preview only

    def _audit_detail(self, _person: str) -> Any:
        change = OpenChange.objects.first()
        event = change.attempt if change else AuditEvent.objects.latest("seq")
        return {"event_id": event.event_id}, {}

    _audit_reconcile = _audit_detail

    def _audit_decide(self, _person: str) -> Any:
        if not OpenChange.objects.exists():
            append_attempt(self.unresolved_sid)
            OpenChange.objects.update(ambiguity="Somebody else changed the same field since.")
        change = OpenChange.objects.get()
        signed_puzzle = DecisionForm(
            resource=FLEX_FLOW, candidates=[], is_creation=False, ambiguity=change.ambiguity
        ).findings_token
        data = {"verdict": "not_applied", "reason": "I looked", "seen": signed_puzzle}
        return {"event_id": change.attempt.event_id}, data
