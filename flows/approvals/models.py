"""The policy of each account, change requests, and their approvals."""

from __future__ import annotations

import uuid

from django.db import models

from flows.approvals.request_status import RequestStatus
from flows.redaction.redacted import Redacted


class ChangePolicy(models.Model):
    """The policy of one account. An account without a row has none.

    Only `policies` writes it, in the transaction of the event that records it.
    """

    account_sid = models.CharField(max_length=34, primary_key=True)
    requires_reason = models.BooleanField(default=False)
    kinds = models.JSONField(default=list)  # values of ChangeKind that need approval
    bulk_limit = models.PositiveIntegerField(null=True)  # larger bulk changes need approval
    approvals_required = models.PositiveSmallIntegerField(default=1)
    approver_permission = models.CharField(max_length=64)  # a value of ApproverPermission
    # Hours in which changes are sent. Without days there are none.
    days = models.JSONField(default=list)  # 0 is Monday
    opens_at = models.TimeField(null=True)
    closes_at = models.TimeField(null=True)
    time_zone = models.CharField(max_length=64, blank=True)
    set_at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        default_permissions = ()
        permissions = [
            ("set_policy", "Can set the policy of an account"),
            ("bypass_policy", "Can apply a change request without approval"),
        ]

    def __str__(self) -> str:
        return self.account_sid


class ChangeRequest(models.Model):
    """A change that its account's policy doesn't let through at once.

    Its id is the `request_id` of all its events. `before` and `requested` hold the current and the
    requested values, with secrets masked. Only `requests` and `transitions` write it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # Only `transitions.move` changes it.
    status = models.CharField(max_length=16, choices=RequestStatus)
    account_sid = models.CharField(max_length=34, db_index=True)
    resource = models.CharField(max_length=64)  # the name of a resource
    operation = models.CharField(max_length=16)
    target_sid = models.CharField(max_length=34, blank=True)  # empty for a creation
    parent_sid = models.CharField(max_length=34, blank=True)
    friendly_name = models.TextField(blank=True)
    before: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(null=True)
    requested: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    # The bulk change that is requested. `requested` then has a summary of it, and the hash of its rows.
    plan = models.OneToOneField(
        "flows.Plan", on_delete=models.PROTECT, null=True, related_name="change_request"
    )
    refers_to = models.UUIDField(null=True)  # the event that the change restores or reverts
    content_hash = models.CharField(max_length=64)
    requester_id = models.CharField(max_length=64)
    requester_label = models.CharField(max_length=150)
    # The form that was sent. Its second submission leads to the same request.
    form_id = models.UUIDField(unique=True)
    # The change's id in the log. Each edited content, and each new try, has its own.
    change_id = models.UUIDField(unique=True, default=uuid.uuid4)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField()  # of this content
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    is_without_approval = models.BooleanField(default=False)  # break glass was used
    note = models.TextField(blank=True)  # why it is suspended, rejected, failed or was not sent

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "account_sid"], name="request_status"),
            models.Index(fields=["target_sid"], name="request_target"),
        ]

    def __str__(self) -> str:
        return self.friendly_name or self.target_sid or self.resource


class Approval(models.Model):
    """A user's approval of the content of a change request.

    `terms` are those of the policy when it was given. A voided approval stays, with its reason.
    """

    request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="approvals")
    user_id = models.CharField(max_length=64)
    user_label = models.CharField(max_length=150)
    content_hash = models.CharField(max_length=64)
    terms = models.JSONField(default=dict)
    approved_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["request", "user_id"],
                condition=models.Q(voided_at=None),
                name="one_approval_of_a_user",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_label} {self.request_id}"
