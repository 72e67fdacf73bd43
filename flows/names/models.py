"""Names of the objects at Twilio that flows point to, and the state of reading them."""

from __future__ import annotations

from django.db import models


class ResourceName(models.Model):
    """The name of one object at Twilio, such as a Studio Flow, as last read.

    `resource` is the name of its `flows.twilio.resource.Resource`. An object that Twilio no longer
    has keeps its last name. `name` is empty if a flow points to an object that was never there.
    """

    account_sid = models.CharField(max_length=34)
    sid = models.CharField(max_length=34)
    resource = models.CharField(max_length=32)
    name = models.TextField(blank=True)
    name_folded = models.TextField(blank=True)  # for searching and sorting
    # As Twilio has it, such as "draft". An address is "on" or "off".
    status = models.CharField(max_length=32, blank=True)
    parent_sid = models.CharField(max_length=34, blank=True)  # the workspace of a workflow
    # What a flow has in place of the SID: the number, the sender's or another address, or the unique
    # name of a task channel.
    reference = models.TextField(blank=True)
    revision = models.IntegerField(null=True)  # the latest one of a Studio Flow
    # What its list says about the handling of its messages: hosts, no addresses (details.py). Empty
    # for an object that has none, and for one that was last read before this column existed.
    details = models.JSONField(default=dict)
    changed_at = models.DateTimeField()  # last change of this row
    gone_at = models.DateTimeField(null=True)  # first time that Twilio no longer had it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account_sid", "sid"], name="one_name_of_a_sid")
        ]

    def __str__(self) -> str:
        return self.name or self.sid


class ObjectReading(models.Model):
    """The result of reading one object by itself, because its list doesn't have it.

    `resource` is the name of the `flows.twilio.resource.Resource` that was read: the definition of
    a Studio Flow, the numbers or the senders of a Messaging Service, or a setting of the account.
    """

    account_sid = models.CharField(max_length=34)
    sid = models.CharField(max_length=34)  # of the Studio Flow, the service or the account
    resource = models.CharField(max_length=32)
    revision = models.IntegerField(null=True)  # of the Studio Flow
    facts = models.JSONField(
        default=dict
    )  # what the site keeps of it: SIDs and words, no addresses
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "sid", "resource"], name="one_reading_of_an_object"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sid} {self.resource}"


class NameRefresh(models.Model):
    """The last reading of all names of an account, and the running one."""

    account_sid = models.CharField(max_length=34, primary_key=True)
    started_at = models.DateTimeField(null=True)  # set while names are being read
    ended_at = models.DateTimeField(null=True)  # end of the last reading, complete or not

    def __str__(self) -> str:
        return self.account_sid


class NameReading(models.Model):
    """The last reading of one resource of an account, complete or failed."""

    account_sid = models.CharField(max_length=34)
    resource = models.CharField(max_length=32)
    read_at = models.DateTimeField(null=True)  # start of the last complete reading
    failed_at = models.DateTimeField(null=True)  # start of the last reading if it failed
    status = models.IntegerField(null=True)  # of Twilio's refusal
    code = models.IntegerField(null=True)  # Twilio's own, of its refusal
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "resource"], name="one_reading_of_a_resource"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_sid} {self.resource}"
