"""Every URL of the site, read from the URL configuration, with valid arguments and form data."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
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
from django.utils import timezone

from flexadmin.models import ApiToken
from flows.accounts.clients import resource_client
from flows.api.site_api import openapi_document
from flows.approvals.contents import hash_content
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes.forms.decision import DecisionForm
from flows.checks import suppressions
from flows.checks.flow_surroundings import check_with_surroundings
from flows.flex_flows.details_form import DetailsForm
from flows.flex_flows.forms import sign_base
from flows.local_details.reading import load_details
from flows.migration.models import FlowMigration
from flows.migration.services import DELETION_DELAY
from flows.migration.status import MigrationStatus
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.mirror.sync import sync_account
from flows.names.models import ResourceName
from flows.notifications.models import Channel, Message, MessageStatus, Subscription
from flows.plans import drafts
from flows.plans.models import Plan
from flows.resources import forms
from flows.schedules import services
from flows.schedules.timing import Timing
from flows.search.models import SavedView
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.flex.plugin_configuration import PLUGIN_CONFIGURATION
from flows.twilio.flex_resources import PAGE_RESOURCES
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import Sandbox
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.webhook_tests.services import digest_url
from tests import ACCOUNT
from tests.faults.acting import append_attempt
from tests.flows.approvals.acting import ANY, set_policy

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_TABLE = json.loads(
    (Path(__file__).parent.parent / "data" / "access.json").read_text(encoding="utf-8")
)
ACCESS: dict[str, dict[str, str]] = _TABLE["places"]
ALLOWED_USERS: dict[str, list[str]] = _TABLE["who"]
# "nobody" is a user without a role.
USERS = ("anonymous", "nobody", "viewer", "operator", "auditor", "admin")
UNREACHABLE_WEBHOOK = "http://127.0.0.1:9/in"  # a loopback address, which no test is sent to
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
API_CALLS = {name for name in URL_NAMES if name.startswith("api:")}  # no cookie opens them

# The arguments of each call's address, by the call's id in the OpenAPI document.
API_ARGUMENTS = {
    operation["operationId"]: re.findall(r"{(\w+)}", path)
    for path, operations in openapi_document()["paths"].items()
    for operation in operations.values()
}


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
    external_sid: str = ""

    def populate(self) -> SampleSite:
        self.people = {name: self.person(name) for name in USERS[2:]}
        User.objects.update(email="someone@example.com")
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
        if name in API_CALLS:
            arguments, data = self._call_api(name.removeprefix("api:"))
            return reverse(name, kwargs=arguments), data
        if name.startswith("flex:"):
            arguments, data = self._call_resource(name.removeprefix("flex:"))
            return reverse(name, kwargs=arguments), data
        prepare = getattr(self, "_" + name.replace(":", "_").replace("-", "_"), None)
        arguments, data = prepare(person) if prepare else ({}, {})
        return reverse(name, kwargs=arguments), data

    def writes(self) -> list[RequestRecord]:
        return [request for request in self.sandbox.requests if request.method != "GET"]

    def _call_api(self, operation_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of a call of the API, which no session opens."""
        values = {
            "sid": self._ensure_flow(),
            "account_sid": ACCOUNT,
            "name": "plugin",
            "notification_id": 7,
        }
        names = API_ARGUMENTS.get(operation_id, [])
        return {name: values.get(name, uuid.UUID(int=7)) for name in names}, {}

    def _token_revoke(self, person: str) -> tuple[dict[str, Any], dict[str, Any]]:
        owner = self.people.get(person) or self.people["admin"]
        token = ApiToken.objects.create(
            person=owner, key=uuid.uuid4().hex, scope="read", expires_at=timezone.now()
        )
        return {"token_id": token.pk}, {}

    def _checks_detail(self, _person: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"rule_id": "target-gone"}, {}

    def _checks_suppress(self, _person: str) -> tuple[dict[str, Any], dict[str, Any]]:
        sid = self._ensure_flow()
        ResourceName.objects.get_or_create(
            account_sid=ACCOUNT,
            sid="FW" + "1" * 32,
            defaults={
                "resource": STUDIO_FLOW.name,
                "name": "Gone",
                "changed_at": timezone.now(),
                "gone_at": timezone.now(),
            },
        )
        findings = check_with_surroundings(
            ACCOUNT, sid, Flow.objects.get(sid=sid).resource, with_suppressed=True
        )
        data = {
            "until": suppressions.today().isoformat(),
            "reason": "because",
            "change_id": str(uuid.uuid4()),
            "seen": " ".join(
                each.digest for each in findings if each.rule.rule_id == "target-gone"
            ),
        }
        return {"rule_id": "target-gone", "sid": sid}, data

    def _checks_end_suppression(self, _person: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"rule_id": "target-gone", "sid": self._ensure_flow()}, {}

    def _requests_detail(self, person: str, **values: Any) -> tuple[dict[str, Any], Any]:
        """Return a change request of someone else, or of the user as `requester`."""
        requester = self.people.get(values.pop("requester", ""))
        sid = self._ensure_flow()
        flow = Flow.objects.get(sid=sid)
        request = ChangeRequest(
            **{"status": RequestStatus.IN_REVIEW, **values},
            account_sid=ACCOUNT,
            resource="flow",
            operation="update",
            target_sid=sid,
            friendly_name="Requested",
            before=flow.resource,
            requested={"integration_retry_count": 2},
            requester_id=str(requester.pk) if requester else "0",
            requester_label=person,
            form_id=uuid.uuid4(),
            created_at=timezone.now(),
            submitted_at=timezone.now(),
        )
        request.content_hash = hash_content(request)
        request.save()
        data = {
            "content_hash": request.content_hash,
            "comment": "because",
            "reason": "because",
            "confirm": "on",
            "integration_retry_count": "1",
        }
        return {"request_id": request.pk}, data

    _requests_approve = _requests_reject = _requests_comment = _requests_detail
    _requests_break_glass = _requests_detail

    def _requests_apply(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._requests_detail(person, status=RequestStatus.APPROVED)

    def _requests_edit(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._requests_detail(person, requester=person)

    _requests_cancel = _requests_edit

    def _schedules_form(self, person: str) -> tuple[dict[str, Any], Any]:
        target, data = self._requests_detail(person, status=RequestStatus.APPROVED)
        return target, data | self._timing()

    def _schedules_cancel(self, person: str) -> tuple[dict[str, Any], Any]:
        """Return a request with a schedule."""
        target, data = self._requests_detail(person, status=RequestStatus.APPROVED)
        services.set_time(
            target["request_id"],
            content_hash=data["content_hash"],
            timing=Timing(due_at=timezone.now() + timedelta(days=1)),
            actor=Actor(id="0", label=person),
        )
        return target, data

    def _flows_schedule_enabled(self, person: str) -> tuple[dict[str, Any], Any]:
        target, data = self._flows_enabled(person)
        return target, data | self._timing()

    def _flows_schedule_edit(self, person: str) -> tuple[dict[str, Any], Any]:
        target, data = self._flows_edit(person)
        name = f"Renamed {uuid.uuid4().int % 1000}"  # a longer number would look like a secret
        return target, data | self._timing() | {"friendly_name": name}

    def _timing(self) -> dict[str, str]:
        tomorrow = timezone.now() + timedelta(days=1)
        return {"due_at": f"{tomorrow:%Y-%m-%dT%H:%M}", "window": "15", "time_zone": "UTC"}

    def _requests_policy(self, _person: str) -> tuple[dict[str, Any], Any]:
        """Return the form of a policy that requires nothing."""
        data = {
            "approvals_required": "1",
            "approver_permission": "flows.change_flow",
            "time_zone": "UTC",
            "reason": "because",
            "change_id": str(uuid.uuid4()),
        }
        return {"account_sid": ACCOUNT}, data

    def _migration_steps(self, _person: str, **values: Any) -> tuple[dict[str, Any], Any]:
        """Return the flow of a migration, which is ready unless `values` say something else."""
        sid = self._ensure_flow()
        FlowMigration.objects.filter(flow_sid=sid).delete()
        FlowMigration.objects.create(
            account_sid=ACCOUNT,
            flow_sid=sid,
            friendly_name="Moving",
            channel_type="sms",
            contact_identity="+33199000123",
            created_at=timezone.now(),
            requested_at=timezone.now(),
            **{"status": MigrationStatus.READY, **values},
        )
        return {"sid": sid}, {"reason": "because", "confirm_name": sid}

    _migration_rollback = _migration_steps

    def _migration_verify(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._migration_steps(person, status=MigrationStatus.SWITCHED)

    def _migration_delete(self, person: str) -> tuple[dict[str, Any], Any]:
        verified_at = timezone.now() - 2 * DELETION_DELAY
        return self._migration_steps(
            person, status=MigrationStatus.VERIFIED, verified_at=verified_at
        )

    def _migration_resume(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._migration_steps(
            person, status=MigrationStatus.STUCK, interrupted_status=MigrationStatus.ROLLING_BACK
        )

    _migration_close = _migration_resume

    def _migration_stop(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._migration_steps(person, status=MigrationStatus.SWITCHING)

    def _migration_switch(self, person: str) -> tuple[dict[str, Any], Any]:
        arguments, data = self._migration_steps(person)
        return {}, {**data, "sid": arguments["sid"], "handlers_checked": "on", "by_hand_done": "on"}

    def _migration_prepare(self, _person: str) -> tuple[dict[str, Any], Any]:
        return {}, {"sid": self._ensure_flow(), "reason": "because"}

    def _notifications_detail(self, person: str, **data: str) -> tuple[dict[str, Any], Any]:
        """Return a notification of this user, and form data."""
        owner = self.people.get(person, self.people["admin"])
        subscription, _ = Subscription.objects.get_or_create(
            owner=owner, name="Mine", defaults={"channel": Channel.OWN_EMAIL, "start_seq": 0}
        )
        return {"subscription_id": subscription.pk}, {"reason": "because", **data}

    def _notifications_edit(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._notifications_detail(person, name="Mine", channel=Channel.OWN_EMAIL)

    def _notifications_act(self, person: str) -> tuple[dict[str, Any], Any]:
        return self._notifications_detail(person, action="test")

    def _notifications_replay(self, person: str) -> tuple[dict[str, Any], Any]:
        arguments, data = self._notifications_detail(person)
        at = timezone.now()
        message = Message.objects.create(
            subscription_id=arguments["subscription_id"],
            status=MessageStatus.DELIVERED,
            queued_at=at,
            next_attempt_at=at,
            finished_at=at,
        )
        return {**arguments, "message_id": message.message_id}, data

    def _notifications_new(self, _person: str) -> tuple[dict[str, Any], Any]:
        name = f"Mine {uuid.uuid4()}"
        return {}, {"name": name, "channel": Channel.OWN_EMAIL, "reason": "because"}

    def _call_resource(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return arguments and form data for a page of a resource of the Flex API."""
        base_name, _, page = name.partition("-")
        resource = next((one for one in PAGE_RESOURCES if one.name == base_name), None)
        if resource is None or page == "list":
            return {}, {"sid": make_sid("KD", "Order 4711")}  # for those that are looked up
        values = {field.name: self._value_of(field) for field in resource.fields_set_by("create")}
        data = {**values, "change_id": str(uuid.uuid4()), "reason": "because"}
        place, parent_sid = {}, ""
        if resource.parent is not None:
            parent_sid = next(iter(self.sandbox.store_of(resource.parent).snapshot()))
            place = {"parent_sid": parent_sid}
        if page == "new":
            return place, data
        client = resource_client(resource, ACCOUNT)
        if "create" not in resource.operations and resource.parent is not None:
            (sid,) = self.sandbox.store_of(resource, parent_sid).snapshot()
            base = client.fetch(sid, parent_sid=parent_sid)
            self.sandbox.store_of(resource, parent_sid).edit(sid, {"status": "active"})
            data |= {"base": forms.sign_base(resource, base | {"status": "active"})}
            return {"sid": sid, **place}, data | {"status": "closed"}
        if resource.is_singleton:
            base = client.fetch(ACCOUNT)
            data |= {"base": forms.sign_base(resource, base), "ui_language": uuid.uuid4().hex}
            return {}, data
        snapshot = client.create(
            {entry.name: values[entry.name] for entry in resource.fields_set_by("create")},
            parent_sid=parent_sid,
        ).snapshot
        data["base"] = forms.sign_base(resource, snapshot)
        data["confirm_name"] = snapshot["sid"]
        return {"sid": snapshot["sid"], **place}, data

    def _value_of(self, field: Field) -> str:
        """Return a value that a field of a new object accepts."""
        if field.name == "flex_flow_sid":
            return self._ensure_flow()
        if field.name == "configuration_sid":
            return next(iter(self.sandbox.store_of(PLUGIN_CONFIGURATION).snapshot()))
        if field.takes:  # the variant has none of them
            return ""
        if field.kind == "enum" and (field.required_on_create or field.is_of_every_variant):
            return list(field.choices)[-1]
        if field.kind == "url":
            return f"https://plugins.example.com/{uuid.uuid4().hex[:6]}.js"
        if field.name == "channel":
            return '{"type": "sms", "initiated_by": "agent"}'
        if field.kind == "text":
            return f"{field.name} {uuid.uuid4().hex[:6]}"[: field.max_length]
        return "true" if field.kind == "boolean" else ""

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

    _flows_code = _flows_usage = _flows_history_flow = _migration_flow = _flows_detail

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

    def _flows_webhook(self, _person: str) -> Any:
        return {"sid": self._ensure_external_flow()}, {}

    def _flows_webhook_test(self, _person: str) -> Any:
        """Return a test that is recorded, but not sent: its address is not allowed."""
        sid = self._ensure_external_flow()
        digest = digest_url(sid, UNREACHABLE_WEBHOOK)
        data = {"text": "A test", "url_digest": digest, "change_id": str(uuid.uuid4())}
        return {"sid": sid}, {**data, "reason": "because"}

    def _ensure_external_flow(self) -> str:
        if self.external_sid not in self.sandbox.flows:
            self.external_sid = self.sandbox.add_flow(
                integration_type="external", integration_url=UNREACHABLE_WEBHOOK
            )
            sync_account(ACCOUNT)
        return self.external_sid

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

    def _flows_plan_request(self, person: str) -> Any:
        set_policy(ANY)
        return self._flows_plan(person)

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
    ) = _person_tokens = _person

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
