"""Subscriptions to events of the audit log, the messages that they lead to, and the attempts to send them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Channel(models.TextChoices):
    """How a subscription's messages are sent."""

    OWN_EMAIL = "own_email", "My e-mail"  # to the address in the owner's profile
    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    WEBHOOK = "webhook", "Webhook"


class MessageStatus(models.TextChoices):
    COLLECTING = "collecting", "Collecting"  # its bulk change is in progress
    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"  # given up; a user can send it again


class Subscription(models.Model):
    """Which events are sent, and where. Empty lists and an empty query exclude nothing.

    Only `services`, `delivery` and erasures write it. `encrypted_url` and the secrets are readable
    with the site's SECRET_KEY only (secret_box.py).
    """

    name = models.CharField(max_length=60)
    # The user whose subscription it is; null for one of the site.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # The user's e-mails about change requests and policies, by rule (request_rules.py).
    is_automatic = models.BooleanField(default=False)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    recipients = models.JSONField(default=list)  # e-mail addresses
    encrypted_url = models.TextField(blank=True)
    host = models.CharField(max_length=255, blank=True)  # of the URL, for pages
    encrypted_secret = models.TextField(blank=True)
    encrypted_previous_secret = models.TextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    actions = models.JSONField(default=list)
    results = models.JSONField(default=list)
    account_sids = models.JSONField(default=list)
    query = models.TextField(blank=True)  # of the flow list, without a question mark
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)  # if the site disabled it
    start_seq = models.BigIntegerField()  # only events after it are sent
    # State of the delivery
    failure_count = models.IntegerField(default=0)  # attempts that failed since the last success
    paused_until = models.DateTimeField(null=True)  # nothing is sent before
    lease_id = models.UUIDField(null=True)  # of the run that sends its messages
    leased_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        permissions = [("manage_subscription", "Can manage notifications")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(is_automatic=False),
                name="one_own_subscription",
            ),
            models.UniqueConstraint(
                fields=["owner"],
                condition=models.Q(is_automatic=True),
                name="one_automatic_subscription",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(owner__isnull=True),
                name="one_site_subscription",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message of a subscription about one event or several. It is the outbox.

    It has the places of its events in the log, not their contents, which are read when it is sent.
    So an erasure of personal data reaches messages that are still to be sent. `id` gives the order.
    """

    message_id = models.UUIDField(unique=True, default=uuid.uuid4)  # the same in each attempt
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="messages"
    )
    event_seqs = models.JSONField(default=list)  # empty for a test
    target_sids = models.JSONField(default=list)  # of the events' objects
    plan_id = models.UUIDField(null=True)  # the bulk change that the events belong to
    status = models.CharField(
        max_length=16, choices=MessageStatus.choices, default=MessageStatus.PENDING
    )
    attempt_count = models.IntegerField(default=0)  # since it was queued or queued again
    queued_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["subscription", "status", "id"], name="message_status"),
            models.Index(fields=["finished_at"], name="message_finished"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)

    @property
    def is_test(self) -> bool:
        return not self.event_seqs


class Attempt(models.Model):
    """One attempt to send a message. `problem` is empty if it was delivered."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    duration_ms = models.IntegerField()
    status = models.IntegerField(null=True)  # of the HTTP answer
    problem = models.CharField(max_length=300, blank=True)  # a sentence for users

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.message_id} {self.at}"


class OutboxPosition(models.Model):
    """The seq of the last event that was turned into messages, in one row."""

    name = models.CharField(max_length=16, primary_key=True)
    seq = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} {self.seq}"
