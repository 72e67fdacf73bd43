"""Actions about the schedules of change requests. Each step of a schedule is one event."""

from __future__ import annotations

from flows.audit.action_registry import Action


class ScheduleAction(Action):
    SET = "schedule.set", "Scheduled a change", "Schedule a change"
    START = "schedule.start", "Started a scheduled change", "Start a scheduled change"
    FINISH = "schedule.finish", "Finished a scheduled change", "Finish a scheduled change"
    SUSPEND = "schedule.suspend", "Scheduled change suspended", "Scheduled change suspended"
    CANCEL = "schedule.cancel", "Cancelled a schedule", "Cancel a schedule"
