"""Stored findings, when each account was last checked, and findings that someone accepts for a while."""

from __future__ import annotations

from django.db import models


class Suppression(models.Model):
    """The findings of a rule at a flow that no page counts until a day has passed, in UTC.

    A finding with another sentence, such as one about another target, is not among them. Only
    `suppressions` writes it, in the transaction of the event that records it. The event has the
    reason and the user.
    """

    account_sid = models.CharField(max_length=34, db_index=True)
    sid = models.CharField(max_length=34)  # of the flow
    rule_id = models.CharField(max_length=64)
    digests = models.JSONField(default=list)  # of the findings
    until = models.DateField()  # the last day
    event_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sid", "rule_id"], name="one_suppression_of_a_finding")
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.sid}"


class StoredFinding(models.Model):
    """A finding at a flow, as the last check of the account left it.

    Only `stored_findings` writes it. A finding that couldn't be judged again stays as it was.
    """

    account_sid = models.CharField(max_length=34)
    sid = models.CharField(max_length=34)  # of the flow
    rule_id = models.CharField(max_length=64)
    severity = models.CharField(max_length=16)  # the value of a Severity
    digest = models.CharField(max_length=32)
    message = models.TextField()
    first_seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "sid", "digest"], name="one_row_of_a_finding"
            )
        ]
        indexes = [models.Index(fields=["rule_id", "sid"], name="finding_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.sid}"


class CheckedAccount(models.Model):
    """The last check of an account, the one that is running, and the one that waits.

    `counts` has the numbers of the stored findings: lists of a rule's id, a severity, the number of
    flows, and the number of findings. `judged_rules` are the ids of the rules that were judged at
    least once. `unmet_rules` are those that the last check couldn't judge, for want of a reading,
    and `outdated_flows` are the numbers of flows that it couldn't judge, by the rule's id.
    """

    account_sid = models.CharField(max_length=34, primary_key=True)
    changes = models.IntegerField(default=0)  # times that something of the account changed
    checked_changes = models.IntegerField(default=-1)  # those that the last check knew of
    queued_at = models.DateTimeField(null=True)  # set while a task waits
    started_at = models.DateTimeField(null=True)  # set while a check is running
    checked_at = models.DateTimeField(null=True)  # start of the last complete check
    failed_at = models.DateTimeField(null=True)  # end of the last check if it failed
    counts = models.JSONField(default=list)
    judged_rules = models.JSONField(default=list)
    unmet_rules = models.JSONField(default=list)
    outdated_flows = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.account_sid
