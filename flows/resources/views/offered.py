"""The changes that a page of the Flex API offers to its user."""

from __future__ import annotations

from flows.accounts.permissions import has_permission, resource_permission
from flows.audit.access import Request
from flows.mirror import live
from flows.twilio.resource import Resource


def can(request: Request, resource: Resource, operation: str) -> bool:
    """Return True if the user can make a change of objects in the page's account now."""
    if operation not in resource.operations:
        return False
    permission = resource_permission(resource, "change")
    if not has_permission(request.user, permission, request.account_sid):
        return False
    return live.find_restriction(resource, request.account_sid, operation) is None
