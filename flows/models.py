"""The models of all packages, so that Django finds them under one app label.

Each package writes its own models. Import a model from its package.
"""

from __future__ import annotations

from flows.accounts.models import RateLimit as RateLimit
from flows.approvals.models import Approval as Approval
from flows.approvals.models import ChangePolicy as ChangePolicy
from flows.approvals.models import ChangeRequest as ChangeRequest
from flows.audit.models import CLOCK_SKEW as CLOCK_SKEW
from flows.audit.models import LATE_APPLY_WINDOW as LATE_APPLY_WINDOW
from flows.audit.models import UNIQUE_STAGES as UNIQUE_STAGES
from flows.audit.models import AuditDay as AuditDay
from flows.audit.models import AuditEntry as AuditEntry
from flows.audit.models import AuditEvent as AuditEvent
from flows.audit.models import AuditPayload as AuditPayload
from flows.audit.models import ChainHead as ChainHead
from flows.audit.models import KeyedRequest as KeyedRequest
from flows.audit.models import OpenChange as OpenChange
from flows.audit.models import OpenDrift as OpenDrift
from flows.audit.models import Result as Result
from flows.audit.models import Stage as Stage
from flows.availability.models import Closure as Closure
from flows.checks.models import CheckedAccount as CheckedAccount
from flows.checks.models import StoredFinding as StoredFinding
from flows.checks.models import Suppression as Suppression
from flows.flex_flows.models import ListPreferences as ListPreferences
from flows.local_details.models import FlowTag as FlowTag
from flows.local_details.models import LocalDetails as LocalDetails
from flows.migration.models import FlowMigration as FlowMigration
from flows.migration.models import MigrationLease as MigrationLease
from flows.migration.models import MigrationStep as MigrationStep
from flows.mirror.models import Flow as Flow
from flows.mirror.models import LookedUpObject as LookedUpObject
from flows.mirror.models import MissingFlow as MissingFlow
from flows.mirror.models import SyncState as SyncState
from flows.monitor_events.models import MonitorLookup as MonitorLookup
from flows.monitor_events.models import MonitorState as MonitorState
from flows.names.models import NameReading as NameReading
from flows.names.models import NameRefresh as NameRefresh
from flows.names.models import ObjectReading as ObjectReading
from flows.names.models import ResourceName as ResourceName
from flows.notifications.models import Attempt as Attempt
from flows.notifications.models import Message as Message
from flows.notifications.models import OutboxPosition as OutboxPosition
from flows.notifications.models import Subscription as Subscription
from flows.plans.models import Plan as Plan
from flows.plans.models import PlannedChange as PlannedChange
from flows.resources.models import ResourceRefusal as ResourceRefusal
from flows.schedules.models import Schedule as Schedule
from flows.search.models import FlowEntry as FlowEntry
from flows.search.models import FlowTally as FlowTally
from flows.search.models import SavedView as SavedView
from flows.search.models import Target as Target
from flows.search.models import TargetUse as TargetUse
from flows.sid_map.models import SidMapping as SidMapping
