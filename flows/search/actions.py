"""Actions of saved views that change what other users see."""

from __future__ import annotations

from flows.audit.action_registry import Action


class SavedViewAction(Action):
    SHARE = "view.share", "Shared a view with everyone", "Share a view with everyone"
    UNSHARE = "view.unshare", "Stopped sharing a view", "Stop sharing a view"
    CHANGE = "view.change", "Changed a shared view", "Change a shared view"
