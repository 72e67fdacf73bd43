"""The choices of a contact identity in a flow's form: the account's numbers and WhatsApp senders.

A new flow mostly takes a number that no flow uses, so those come first, each group by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from flows.flex_flows.forms import IDENTITY_FIELD, FlowForm
from flows.flex_flows.target_picker import MAX_OPTIONS, Option, OptionGroup, TargetPicker
from flows.names.models import ResourceName
from flows.search.models import FlowEntry
from flows.search.number_spellings import count_odd_spellings, find_odd_spellings
from flows.search.target_names import SENDERS

HINT: Final = "Numbers that no flow uses come first."


def offer_numbers(form: FlowForm, account_sid: str) -> None:
    """Replace the input of the contact identity by a picker. Without numbers, it stays an input."""
    groups = _load_groups(account_sid)
    if not groups or IDENTITY_FIELD not in form.fields:
        return
    form_field = form.fields[IDENTITY_FIELD]
    form_field.help_text = f"{form_field.help_text} {HINT}"
    attributes = {
        name: value for name, value in form_field.widget.attrs.items() if name != "maxlength"
    }
    form_field.widget = TargetPicker(
        groups,
        empty_label="Not set",
        other_label="Another number or page",
        is_other=IDENTITY_FIELD in form.typed_fields,
        attrs=attributes,
    )


def _load_groups(account_sid: str) -> list[OptionGroup]:
    """Return the account's numbers and senders: those that no flow uses, and the others."""
    entries = FlowEntry.objects.filter(account_sid=account_sid, gone_at=None)
    spellings = find_odd_spellings(entries)
    unused: list[Option] = []
    used: list[Option] = []
    for name, number, exact_uses in _load_numbers(account_sid, entries):
        flows = exact_uses + count_odd_spellings(spellings, account_sid, number)
        options = used if flows else unused
        options.append(Option(number, _describe(name, number, flows)))
    del unused[MAX_OPTIONS:], used[max(0, MAX_OPTIONS - len(unused)) :]
    groups = [OptionGroup("Not used yet", unused), OptionGroup("Used by flows", used)]
    return [group for group in groups if group.options]


def _load_numbers(account_sid: str, entries: QuerySet[FlowEntry]) -> Iterable[tuple[str, str, int]]:
    """Return name, number and how many of these flows have it in Twilio's spelling, by name."""
    uses = entries.filter(identity_folded=OuterRef("reference")).order_by()
    counts = uses.values("identity_folded").annotate(flows=Count("pk"))
    numbers = ResourceName.objects.filter(
        account_sid=account_sid, resource__in=SENDERS, gone_at=None
    ).exclude(reference="")
    numbers = numbers.annotate(flows=Coalesce(Subquery(counts.values("flows")), 0))
    return numbers.order_by("name_folded", "reference").values_list("name", "reference", "flows")


def _describe(name: str, number: str, flows: int) -> str:
    """Return a label such as "Main line · +14155550100 · 2 flows"."""
    uses = {0: "", 1: "1 flow"}.get(flows, f"{flows} flows")
    return " · ".join(filter(None, ("" if name == number else name, number, uses)))
