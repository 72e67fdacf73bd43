"""The pages of the checks: every rule with the number of flows it found, and the findings of one rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, require_permission
from flows.audit.models import AuditEvent
from flows.availability.offered_changes import AvailableActions
from flows.checks.checking import (
    RULES,
    RULES_BY_ID,
    OutdatedNeed,
    Report,
    UnmetNeed,
    check_accounts,
)
from flows.checks.finding_counts import load_check_states
from flows.checks.finding_groups import SHAPES
from flows.checks.findings import Rule, Severity
from flows.checks.stored_state import oldest_reading
from flows.checks.suppressions import OPERATION
from flows.mirror import freshness

PAGE_SIZE: Final = 50


class AccountForm(forms.Form):
    """The account whose flows a page shows, or all of those that the user may see."""

    account = forms.ChoiceField(required=False)

    def __init__(self, data: Any, accounts: Iterable[Account]) -> None:
        super().__init__(data)
        self.accounts = {account.sid: account for account in accounts}
        self.fields["account"] = forms.ChoiceField(
            required=False, choices=[(sid, sid) for sid in self.accounts]
        )

    def selected(self) -> list[Account]:
        """Return the chosen account, or all. Raises Http404 for an account that isn't one."""
        if not self.is_valid():
            raise Http404("No such account")
        sid = self.cleaned_data["account"]
        return [self.accounts[sid]] if sid else list(self.accounts.values())

    @property
    def query(self) -> str:
        """The query of links to pages about the same accounts, or ""."""
        sid = self.cleaned_data["account"]
        return f"?account={sid}" if sid else ""


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def check_list(request: Request) -> HttpResponse:
    """Show every rule with the number of flows that it found, the worst first."""
    form = AccountForm(request.GET, twilio_accounts.visible_accounts(request.scope))
    accounts = form.selected()
    report = check_accounts(accounts)
    context = {
        **_page_context(form, accounts),
        "report": report,
        "totals": _totals(report),
        "rows": _rule_rows(report),
        "passed": _passed_rules(report),
        "suppressed_rules": _count_suppressed(report),
        "unmet": _describe_unmet(report.unmet, form.accounts),
        "outdated": _describe_outdated(report.outdated, form.accounts),
    }
    return render(request, "checks/list.html", context)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def check_detail(request: Request, rule_id: str) -> HttpResponse:
    """Show why a rule matters, what to do, and the flows that it found."""
    rule = RULES_BY_ID.get(rule_id)
    if rule is None:
        raise Http404("No such check")
    form = AccountForm(request.GET, twilio_accounts.visible_accounts(request.scope))
    accounts = form.selected()
    report = check_accounts(accounts)
    findings = [each for each in report.findings if each.rule == rule]
    unmet = [need for need in report.unmet if need.rule == rule]
    outdated = [need for need in report.outdated if need.rule == rule]
    actions = AvailableActions(request)
    changeable = {sid for sid in form.accounts if actions.can(OPERATION, sid)}
    page = Paginator(findings, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        **_page_context(form, accounts),
        "rule": rule,
        "shape": SHAPES[rule.severity],
        "total": len(findings),
        "page": page,
        "rows": [
            {
                "finding": each,
                "shape": SHAPES[each.severity],
                "account": form.accounts[each.account_sid],
                "can_change": each.account_sid in changeable,
            }
            for each in page
        ],
        "can_suppress": bool(changeable),
        "suppressed": _suppressed_rows(report, rule, changeable),
        "unmet": _describe_unmet(unmet, form.accounts),
        "outdated": _describe_outdated(outdated, form.accounts),
        "previous_url": _page_url(request, page.previous_page_number())
        if page.has_previous()
        else None,
        "next_url": _page_url(request, page.next_page_number()) if page.has_next() else None,
    }
    return render(request, "checks/detail.html", context)


def _page_context(form: AccountForm, accounts: list[Account]) -> dict[str, Any]:
    mirrors = freshness.load_freshness(accounts)
    return {
        "accounts": list(form.accounts.values()) if len(form.accounts) > 1 else [],
        "chosen_account": form.cleaned_data["account"],
        "account_query": form.query,
        "freshness": freshness.select_worst(mirrors),
        "names_read_at": oldest_reading([account.sid for account in accounts]),
        "list_query": _list_query(form, accounts),
    }


def _list_query(form: AccountForm, accounts: list[Account]) -> str:
    """Return the rest of a link to the list of flows filtered by check, "" for no link.

    The list has the findings that are stored, so there is no link until all accounts were checked.
    """
    account_sids = frozenset(account.sid for account in accounts)
    checked = {state.account_sid for state in load_check_states(account_sids)}
    if not account_sids or checked != account_sids:
        return ""
    sid = form.cleaned_data["account"]
    return f"&account={sid}" if sid else "&view=all"


def _totals(report: Report) -> list[dict[str, Any]]:
    """Return the number of findings of each severity that has some."""
    counts = report.count_by_severity()
    return [
        {"severity": severity, "shape": SHAPES[severity], "count": counts[severity]}
        for severity in Severity
        if counts[severity]
    ]


def _rule_rows(report: Report) -> list[dict[str, Any]]:
    """Return the rules that found something. A rule is as bad as its worst finding."""
    counts = report.count_by_rule()
    worst: dict[str, Severity] = {}
    for each in report.findings:  # the worst first
        worst.setdefault(each.rule.rule_id, each.severity)
    rows = [
        {
            "rule": rule,
            "severity": worst[rule.rule_id],
            "shape": SHAPES[worst[rule.rule_id]],
            "count": counts[rule.rule_id],
        }
        for rule in RULES
        if counts[rule.rule_id]
    ]
    return sorted(rows, key=lambda row: (row["severity"].rank, -row["count"]))


def _passed_rules(report: Report) -> list[Rule]:
    """Return the rules that found nothing at all, but for those that weren't checked everywhere."""
    rule_ids_with_findings = {each.rule.rule_id for each in report.findings}
    rule_ids_with_findings |= {each.rule.rule_id for each, _ in report.suppressed}
    unmet = {need.rule.rule_id for need in report.unmet}
    unmet |= {need.rule.rule_id for need in report.outdated}
    return [rule for rule in RULES if rule.rule_id not in rule_ids_with_findings | unmet]


def _count_suppressed(report: Report) -> list[tuple[Rule, int]]:
    """Return the rules with suppressed findings, and their numbers."""
    counts = Counter(each.rule.rule_id for each, _ in report.suppressed)
    return [(rule, counts[rule.rule_id]) for rule in RULES if counts[rule.rule_id]]


def _suppressed_rows(
    report: Report, rule: Rule, changeable: Collection[str]
) -> list[dict[str, Any]]:
    """Return the suppressed findings of a rule, each with the event that has the reason."""
    suppressed = [pair for pair in report.suppressed if pair[0].rule == rule]
    events = AuditEvent.objects.filter(event_id__in=[row.event_id for _, row in suppressed])
    events_by_id = {event.event_id: event for event in events}
    return [
        {
            "finding": finding,
            "suppression": row,
            "event": events_by_id.get(row.event_id),
            "can_change": finding.account_sid in changeable,
        }
        for finding, row in suppressed
    ]


def _describe_unmet(needs: Iterable[UnmetNeed], accounts: dict[str, Account]) -> list[str]:
    """Return a sentence for each kind of objects that wasn't read, with its rules and accounts.

    Rules that judged a part of the flows all the same have a sentence of their own.
    """
    rules: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for need in needs:
        key = need.account_sid, need.unread, need.is_partial
        rules[key].append(f"“{need.rule.title}”")
    sentences = []
    for (account_sid, unread, is_partial), titles in rules.items():
        verb = "was" if len(titles) == 1 else "were"
        extent = "checked only in part" if is_partial else "not checked"
        sentences.append(
            f"{_place_of(account_sid, accounts)}{get_text_list(titles, 'and')} {verb} {extent}, "
            f"because the {unread} of the account were not read."
        )
    return sentences


def _describe_outdated(needs: Iterable[OutdatedNeed], accounts: dict[str, Account]) -> list[str]:
    """Return a sentence for each rule that some flows weren't checked for.

    The rules about definitions share one, because they are about the same flows.
    """
    rules: dict[tuple[str, int, bool, str], list[str]] = defaultdict(list)
    for need in needs:
        is_about_definitions = need.is_about_definitions
        own = "" if is_about_definitions else need.rule.rule_id
        key = need.account_sid, need.flow_count, is_about_definitions, own
        rules[key].append(f"“{need.rule.title}”")
    sentences = []
    for (account_sid, count, is_about_definitions, _), titles in rules.items():
        if is_about_definitions:
            subject = _count_unknown_definitions(count)
        else:
            flows = "1 flow was" if count == 1 else f"{count:,} flows were"
            subject = f"{flows} changed after the names and numbers were read."
        verb = "was" if len(titles) == 1 else "were"
        sentences.append(
            f"{_place_of(account_sid, accounts)}{subject} {get_text_list(titles, 'and')} {verb} not "
            f"checked for {'it' if count == 1 else 'them'}."
        )
    return sentences


def _count_unknown_definitions(count: int) -> str:
    flows = "1 flow points" if count == 1 else f"{count:,} flows point"
    return (
        f"{flows} to a Studio Flow whose published definition isn't known, such as one with a later "
        "draft."
    )


def _place_of(account_sid: str, accounts: dict[str, Account]) -> str:
    """Return what begins a sentence about one of several accounts."""
    return f"{accounts[account_sid]}: " if len(accounts) > 1 else ""


def _page_url(request: Request, number: int) -> str:
    parameters = request.GET.copy()
    parameters["page"] = str(number)
    return f"?{parameters.urlencode()}"
