"""Addresses of the flows' pages and of the audit log. Scripts rely on them."""

from django.urls import include, path, register_converter

from flows.converters import FlexFlowSid
from flows.views import audit, changes, flows

register_converter(FlexFlowSid, "flex_flow_sid")

flow_urls = [
    path("", flows.flow_list, name="list"),
    path("new/", changes.flow_new, name="new"),
    path("sync/", flows.flow_sync, name="sync"),
    path("<flex_flow_sid:sid>/", flows.flow_detail, name="detail"),
    path("<flex_flow_sid:sid>/edit/", changes.flow_edit, name="edit"),
    path("<flex_flow_sid:sid>/enabled/", changes.flow_enabled, name="enabled"),
    path("<flex_flow_sid:sid>/delete/", changes.flow_delete, name="delete"),
]

audit_urls = [
    path("", audit.event_list, name="list"),
    path("<uuid:event_id>/", audit.event_detail, name="detail"),
]

urlpatterns = [
    path("flows/", include((flow_urls, "flows"))),
    path("audit/", include((audit_urls, "audit"))),
]
