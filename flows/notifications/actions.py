"""Actions of notifications. Messages themselves are no events: the log doesn't depend on them."""

from __future__ import annotations

from flows.audit.action_registry import Action


class NotificationAction(Action):
    CREATE = "notification.create", "Created a notification", "Create a notification"
    CHANGE = "notification.change", "Changed a notification", "Change a notification"
    ENABLE = "notification.enable", "Enabled a notification", "Enable a notification"
    DISABLE = "notification.disable", "Disabled a notification", "Disable a notification"
    DELETE = "notification.delete", "Deleted a notification", "Delete a notification"
    ROTATE = (
        "notification.rotate_secret",
        "Rotated the signing secret of a notification",
        "Rotate the signing secret of a notification",
    )
    TEST = "notification.test", "Tested a notification", "Test a notification"
    REPLAY = "notification.replay", "Repeated a notification", "Repeat a notification"
