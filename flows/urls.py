"""URLs of the flows, the audit log and the accounts. Scripts rely on them."""

from django.urls import include, path, register_converter

from flows.audit.views import log, log_export, verification
from flows.changes.views import event
from flows.converters import FlexFlowSidConverter, TargetKindConverter, TargetValueConverter
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
)
from flows.mirror.views import accounts
from flows.plans.views import importing, plans
from flows.search import views
from flows.targets import views as targets

register_converter(FlexFlowSidConverter, "flex_flow_sid")
register_converter(TargetKindConverter, "target_kind")
register_converter(TargetValueConverter, "target_value")

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
    path("copy-out/", export.flow_export, name="copy-out"),
    path("plans/", plans.plan_list, name="plans"),
    path("plans/new/", plans.plan_new, name="plan-new"),
    path("plans/import/", importing.plan_import, name="plan-import"),
    path("plans/<uuid:plan_id>/", plans.plan_detail, name="plan"),
    path("plans/<uuid:plan_id>/start/", plans.plan_start, name="plan-start"),
    path("plans/<uuid:plan_id>/stop/", plans.plan_stop, name="plan-stop"),
    path("plans/<uuid:plan_id>/undo/", plans.plan_rollback, name="plan-undo"),
    path("plans/<uuid:plan_id>/rest/", plans.plan_retry, name="plan-rest"),
    path("plans/<uuid:plan_id>/discard/", plans.plan_discard, name="plan-discard"),
    path("<flex_flow_sid:sid>/", detail.flow_detail, name="detail"),
    path("<flex_flow_sid:sid>/code/", detail.flow_code, name="code"),
    path("<flex_flow_sid:sid>/edit/", create_and_edit.flow_edit, name="edit"),
    path("<flex_flow_sid:sid>/details/", details.flow_details, name="details"),
    path("<flex_flow_sid:sid>/enabled/", confirmations.flow_enabled, name="enabled"),
    path("<flex_flow_sid:sid>/delete/", confirmations.flow_delete, name="delete"),
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

account_urls = [
    path("", accounts.account_list, name="list"),
    path("act/", accounts.account_action, name="act"),
    path("names/", accounts.names_refresh, name="names"),
]

urlpatterns = [
    path("accounts/", include((account_urls, "accounts"))),
    path("flows/", include((flow_urls, "flows"))),
    path("audit/", include((audit_urls, "audit"))),
]
