"""Actions about policies and change requests. Each transition of a request is one event."""

from __future__ import annotations

from flows.audit.action_registry import Action


class PolicyAction(Action):
    SET = "policy.set", "Set the policy", "Set the policy"


class RequestAction(Action):
    SUBMIT = "request.submit", "Requested a change", "Request a change"
    REVISE = "request.revise", "Edited a change request", "Edit a change request"
    APPROVE = "request.approve", "Approved a change request", "Approve a change request"
    VOID = "request.void", "Approval voided", "Approval voided"
    REEVALUATE = "request.reevaluate", "Change request re-evaluated", "Change request re-evaluated"
    COMMENT = "request.comment", "Commented on a change request", "Comment on a change request"
    REJECT = "request.reject", "Rejected a change request", "Reject a change request"
    CANCEL = "request.cancel", "Cancelled a change request", "Cancel a change request"
    EXPIRE = "request.expire", "Change request expired", "Change request expired"
    APPLY = "request.apply", "Started a requested change", "Start a requested change"
    BREAK_GLASS = (
        "request.break_glass",
        "Started a requested change without approval",
        "Start a requested change without approval",
    )
    RETURN = "request.return", "Requested change not sent", "Requested change not sent"
    SUSPEND = "request.suspend", "Change request suspended", "Change request suspended"
    FINISH = "request.finish", "Finished a requested change", "Finish a requested change"
    FAIL = "request.fail", "Requested change failed", "Requested change failed"
