"""Rules, and what they find: a rule says what is wrong in general, a finding where it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.utils.crypto import salted_hmac

DIGEST_LENGTH: Final = 32
_DIGEST_SALT: Final = "flows.checks.finding"


class Severity(Enum):
    """The severity of a finding, the worst first. Scripts rely on the values."""

    ERROR = "error"  # customers may get no answer
    WARNING = "warning"  # looks wrong, and may be meant
    INFORMATION = "information"  # worth knowing

    @property
    def label(self) -> str:
        return self.name.capitalize()

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong. `rule_id` is in URLs and in the output of `check_flows`.

    `title` is a sentence about the flows that have it. `needs` are the names of the resources that
    the rule has to know completely. It judges a part of the flows as soon as it knows one of
    `judged_with`.
    """

    rule_id: str
    severity: Severity
    title: str
    explanation: str
    advice: str
    needs: tuple[str, ...] = ()
    judged_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence for users, without secrets, about a flow that a rule applies to.

    It is no error while the flow is off, because such a flow gets no messages.
    """

    rule: Rule
    message: str
    is_on: bool = True

    @property
    def digest(self) -> str:
        """The finding's key for suppressions. A finding that says something else has another."""
        text = f"{self.rule.rule_id}\n{self.severity.value}\n{self.message}"
        return salted_hmac(_DIGEST_SALT, text, algorithm="sha256").hexdigest()[:DIGEST_LENGTH]

    @property
    def severity(self) -> Severity:
        if self.rule.severity == Severity.ERROR and not self.is_on:
            return Severity.WARNING
        return self.rule.severity


def warnings_of(findings: Iterable[Finding]) -> list[str]:
    """Return the sentences of findings that are more than information, the worst first."""
    serious = [each for each in findings if each.severity != Severity.INFORMATION]
    return [each.message for each in sorted(serious, key=lambda each: each.rule.severity.rank)]
