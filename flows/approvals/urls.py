"""URLs of change requests and of the policies of accounts, under `/requests/`."""

from django.urls import path

from flows.approvals.views import policies, requests

app_name = "requests"
urlpatterns = [
    path("", requests.request_list, name="list"),
    path("policies/", policies.policy_list, name="policies"),
    path("policies/<slug:account_sid>/", policies.policy_form, name="policy"),
    path("<uuid:request_id>/", requests.request_detail, name="detail"),
    path("<uuid:request_id>/edit/", requests.request_edit, name="edit"),
    path("<uuid:request_id>/approve/", requests.request_approve, name="approve"),
    path("<uuid:request_id>/reject/", requests.request_reject, name="reject"),
    path("<uuid:request_id>/comment/", requests.request_comment, name="comment"),
    path("<uuid:request_id>/cancel/", requests.request_cancel, name="cancel"),
    path("<uuid:request_id>/apply/", requests.request_apply, name="apply"),
    path("<uuid:request_id>/break-glass/", requests.request_bypass, name="break-glass"),
]
