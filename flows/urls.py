"""URLs of the flows, the audit log and the accounts. Scripts rely on them."""

from django.urls import include, path

from flows import converters  # noqa: F401 - registers what the patterns use
from flows.api import reference as api_reference
from flows.api.urls import call_urls
from flows.audit.views import log, log_export, verification
from flows.changes.views import event
from flows.checks import suppression_views
from flows.checks import views as checks
from flows.copying import views as copying
from flows.erasure import views as erasure
from flows.external_changes import views as drift
from flows.flex_flows.views import (
    confirmations,
    create_and_edit,
    detail,
    details,
    export,
    flow_list,
    list_preferences,
    sync,
    usage,
    webhook,
)
from flows.history.views import comparison as history_comparison
from flows.history.views import exports as history_exports
from flows.history.views import flow_list as history
from flows.mirror.views import accounts
from flows.plans.views import importing, plans
from flows.plans.views import routing as planned_routing
from flows.schedules.views import flow_changes as schedules
from flows.search import views
from flows.targets import views as targets

flow_urls = [
    path("", flow_list.flow_list, name="list"),
    path("new/", create_and_edit.flow_new, name="new"),
    path("sync/", sync.flow_sync, name="sync"),
    path("list-view/", list_preferences.save_list_preferences, name="list-preferences"),
    path("views/", views.view_save, name="view-save"),
    path("views/<int:view_id>/remove/", views.view_delete, name="view-remove"),
    path("views/<int:view_id>/share/", views.view_share, name="view-share"),
    path("views/<int:view_id>/default/", list_preferences.change_default_view, name="view-default"),
    path("drift/", drift.drift_inbox, name="drift"),
    path("drift/<uuid:event_id>/accept/", drift.drift_accept, name="drift-accept"),
    path("drift/accept/", drift.drift_accept_many, name="drift-accept-many"),
    path("drift/revert/", drift.drift_revert_many, name="drift-revert-many"),
    path("targets/", targets.target_list, name="targets"),
    path("targets/<target_kind:kind>/<target_value:value>/", targets.target_detail, name="target"),
    path("history/", history.history_list, name="history"),
    path("history/export/", history_exports.history_export, name="history-export"),
    path("history/compare/", history_comparison.history_compare, name="history-compare"),
    path(
        "history/compare/export/",
        history_exports.history_compare_export,
        name="history-compare-export",
    ),
    path("history/copy/", copying.history_copy, name="history-copy"),
    path("copy-out/", export.flow_export, name="copy-out"),
    path("plans/", plans.plan_list, name="plans"),
    path("plans/new/", plans.plan_new, name="plan-new"),
    path("plans/import/", importing.plan_import, name="plan-import"),
    path("plans/<uuid:plan_id>/", plans.plan_detail, name="plan"),
    path("plans/<uuid:plan_id>/start/", plans.plan_start, name="plan-start"),
    path("plans/<uuid:plan_id>/request/", plans.plan_request, name="plan-request"),
    path("plans/<uuid:plan_id>/stop/", plans.plan_stop, name="plan-stop"),
    path("plans/<uuid:plan_id>/undo/", plans.plan_rollback, name="plan-undo"),
    path("plans/<uuid:plan_id>/rest/", plans.plan_retry, name="plan-rest"),
    path("plans/<uuid:plan_id>/discard/", plans.plan_discard, name="plan-discard"),
    path("<flex_flow_sid:sid>/", detail.flow_detail, name="detail"),
    path("<flex_flow_sid:sid>/code/", detail.flow_code, name="code"),
    path("<flex_flow_sid:sid>/edit/", create_and_edit.flow_edit, name="edit"),
    path("<flex_flow_sid:sid>/details/", details.flow_details, name="details"),
    path("<flex_flow_sid:sid>/enabled/", confirmations.flow_enabled, name="enabled"),
    path("<flex_flow_sid:sid>/edit/schedule/", schedules.schedule_edit, name="schedule-edit"),
    path(
        "<flex_flow_sid:sid>/enabled/schedule/",
        schedules.schedule_enabled,
        name="schedule-enabled",
    ),
    path("<flex_flow_sid:sid>/delete/", confirmations.flow_delete, name="delete"),
    path("<flex_flow_sid:sid>/usage/", usage.flow_usage, name="usage"),
    path("<flex_flow_sid:sid>/history/", history.history_flow, name="history-flow"),
    path("<flex_flow_sid:sid>/webhook/", webhook.flow_webhook, name="webhook"),
    path("<flex_flow_sid:sid>/webhook/test/", webhook.flow_webhook_test, name="webhook-test"),
]

audit_urls = [
    path("", log.event_list, name="list"),
    path("export/", log_export.log_export, name="export"),
    path("verification/", verification.verification, name="verification"),
    path("erasure/", erasure.erase_personal_data, name="erasure"),
    path("<uuid:event_id>/", event.event_detail, name="detail"),
    path("<uuid:event_id>/reconcile/", event.event_reconcile, name="reconcile"),
    path("<uuid:event_id>/decide/", event.event_decide, name="decide"),
]

check_urls = [
    path("", checks.check_list, name="list"),
    path("routing/", planned_routing.routing, name="routing"),
    path("<slug:rule_id>/", checks.check_detail, name="detail"),
    path(
        "<slug:rule_id>/<flex_flow_sid:sid>/suppress/",
        suppression_views.suppress_finding,
        name="suppress",
    ),
    path(
        "<slug:rule_id>/<flex_flow_sid:sid>/show-again/",
        suppression_views.end_suppression,
        name="end-suppression",
    ),
]

account_urls = [
    path("", accounts.account_list, name="list"),
    path("act/", accounts.account_action, name="act"),
    path("names/", accounts.names_refresh, name="names"),
]

urlpatterns = [
    path("api/", api_reference.show_reference, name="api-reference"),
    path("api/v1/", include((call_urls, "api"))),
    path("accounts/", include((account_urls, "accounts"))),
    path("flows/", include((flow_urls, "flows"))),
    path("audit/", include((audit_urls, "audit"))),
    path("checks/", include((check_urls, "checks"))),
    path("requests/", include("flows.approvals.urls")),
    path("schedules/", include("flows.schedules.urls")),
    path("flex/", include("flows.resources.urls")),
    path("migration/", include("flows.migration.urls")),
    path("notifications/", include("flows.notifications.urls")),
]
