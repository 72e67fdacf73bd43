"""Rules about what a flow points to: deleted at Twilio, a draft, or part of something else.

They follow from the names that were read from Twilio. What has no name is not judged here, but against
the lists of the account (`missing_targets.py`). So names that were only partly read can leave something
unfound, but find nothing that isn't so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from flows.checks.findings import Rule, Severity
from flows.core.safe_text import short
from flows.mirror.targets import TargetKind, find_target_values
from flows.names.lookup import Name, load_names
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

NamesBySid = Mapping[str, Name]
NO_NAMES: Final[NamesBySid] = MappingProxyType({})

TARGET_GONE: Final = Rule(
    "target-gone",
    Severity.ERROR,
    "Points to something that Twilio no longer has",
    "Twilio has nothing to hand the message to, so customers get no answer.",
    "Choose another target in the flow, or create the missing one again at Twilio.",
    needs=(STUDIO_FLOW.name, WORKSPACE.name, WORKFLOW.name),
    judged_with=(STUDIO_FLOW.name, WORKSPACE.name, WORKFLOW.name),
)
NEVER_PUBLISHED: Final = Rule(
    "studio-flow-never-published",
    Severity.ERROR,
    "Points to a Studio Flow that was never published",
    "Twilio only runs published Studio Flows, so customers get no answer.",
    "Publish the Studio Flow in the Console.",
    needs=(STUDIO_FLOW.name,),
)
DRAFT: Final = Rule(
    "studio-flow-draft",
    Severity.WARNING,
    "Points to a Studio Flow whose latest revision is a draft",
    "Customers get the last published revision, not the latest one.",
    "Publish the draft in the Console, or leave it if it isn't finished.",
    needs=(STUDIO_FLOW.name,),
)
OTHER_WORKSPACE: Final = Rule(
    "workflow-in-another-workspace",
    Severity.ERROR,
    "The workflow belongs to another workspace than the flow's",
    "TaskRouter looks for the workflow in the flow's workspace and doesn't find it there.",
    "Choose the workspace of the workflow, or a workflow of this workspace.",
    needs=(WORKFLOW.name,),
)
# The targets whose lists tell which of them an account has.
LISTED_TARGETS: Final = {
    TargetKind.STUDIO_FLOW: STUDIO_FLOW,
    TargetKind.WORKSPACE: WORKSPACE,
    TargetKind.WORKFLOW: WORKFLOW,
}
RULES: Final = (TARGET_GONE, NEVER_PUBLISHED, OTHER_WORKSPACE, DRAFT)


def load_target_names(flows: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, NamesBySid]:
    """Return the names of what flows point to, by account SID and SID, with one query.

    A flow is the SID of its account and its snapshot. Each account has an entry.
    """
    targets: set[tuple[str, str]] = set()
    by_account: dict[str, dict[str, Name]] = {}
    for account_sid, snapshot in flows:
        by_account[account_sid] = {}
        targets.update((account_sid, value) for _, value in find_target_values(snapshot))
    for (account_sid, sid), name in load_names(targets).items():
        by_account[account_sid][sid] = name
    return dict(by_account)


def check_targets(snapshot: Mapping[str, Any], names: NamesBySid) -> Iterator[tuple[Rule, str]]:
    """Yield what is wrong with each target of a flow."""
    if not names:
        return
    for kind, value in find_target_values(snapshot):
        target = names.get(value)
        if target is None:
            continue
        if target.is_gone:
            yield TARGET_GONE, _describe_gone(kind, target)
        elif target.resource == STUDIO_FLOW.name and target.status == "draft":
            yield _check_draft(target)
        elif kind == TargetKind.WORKFLOW:
            yield from _check_workspace(target, snapshot)


def knows_targets(snapshot: Mapping[str, Any], names: NamesBySid) -> bool:
    """Return True if every target of a flow that has a name at Twilio is known by it."""
    return all(
        value in names for kind, value in find_target_values(snapshot) if kind in LISTED_TARGETS
    )


def _describe_gone(kind: TargetKind, target: Name) -> str:
    if not target.name:
        return describe_missing(kind, target.sid)
    return (
        f"The {_words_of(kind)} “{target.name}” was deleted at Twilio. Messages can't be handled."
    )


def describe_missing(kind: TargetKind, sid: str) -> str:
    """Return the sentence about a target that an account never had, as far as is known."""
    return (
        f"Twilio has no {_words_of(kind)} {short(sid)} in this account. Messages can't be handled."
    )


def _words_of(kind: TargetKind) -> str:
    return kind.label if kind == TargetKind.STUDIO_FLOW else kind.label.lower()


def _check_draft(target: Name) -> tuple[Rule, str]:
    """Return what is wrong with a draft. Only a first revision proves that none was published."""
    if target.revision == 1:
        sentence = (
            f"The Studio Flow “{target.name}” was never published. Messages can't be handled."
        )
        return NEVER_PUBLISHED, sentence
    return DRAFT, (
        f"The latest revision of the Studio Flow “{target.name}” is a draft. "
        "Messages use the last published one, if there is one."
    )


def _check_workspace(workflow: Name, snapshot: Mapping[str, Any]) -> Iterator[tuple[Rule, str]]:
    workspace_sid = snapshot.get("integration_workspace_sid")
    if not workflow.parent_sid or not workspace_sid or workflow.parent_sid == workspace_sid:
        return
    place = short(workflow.parent_sid)
    sentence = (
        f"The workflow “{workflow.name}” belongs to the workspace {place}, not to the flow's."
    )
    yield OTHER_WORKSPACE, f"{sentence} Messages can't be handled."
