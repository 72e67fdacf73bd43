"""The choices of a contact identity in a flow's form: the account's numbers and WhatsApp senders.

A new flow mostly takes a number that no flow uses, so those come first, each group by name.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from django.db.models import Count

from flows.core.identities import normalize_identity
from flows.flex_flows.forms import IDENTITY_FIELD, FlowForm
from flows.flex_flows.target_picker import MAX_OPTIONS, Option, OptionGroup, TargetPicker
from flows.names.models import ResourceName
from flows.search.models import FlowEntry
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
    uses = _count_uses(account_sid)
    numbers = ResourceName.objects.filter(
        account_sid=account_sid, resource__in=SENDERS, gone_at=None
    ).exclude(reference="")
    rows = numbers.order_by("name_folded", "reference").values_list("name", "reference")
    unused: list[Option] = []
    used: list[Option] = []
    for name, number in rows:
        flows = uses[_address_key(number)]
        options = used if flows else unused
        options.append(Option(number, _describe(name, number, flows)))
    del unused[MAX_OPTIONS:], used[MAX_OPTIONS - len(unused) :]
    groups = [OptionGroup("Not used yet", unused), OptionGroup("Used by flows", used)]
    return [group for group in groups if group.options]


def _count_uses(account_sid: str) -> Counter[tuple[str, str]]:
    """Return the number of flows for each number or sender, however the flows spell it."""
    entries = FlowEntry.objects.filter(account_sid=account_sid, gone_at=None)
    identities = entries.exclude(identity_folded="").values("identity_folded")
    uses: Counter[tuple[str, str]] = Counter()
    for row in identities.annotate(flows=Count("pk")).order_by():
        uses[_address_key(row["identity_folded"])] += row["flows"]
    return uses


def _address_key(identity: str) -> tuple[str, str]:
    """Return what all spellings of a number share. A number and its WhatsApp sender differ."""
    prefix = identity.partition(":")[0] if ":" in identity else ""
    return prefix, normalize_identity(identity)


def _describe(name: str, number: str, flows: int) -> str:
    """Return a label such as "Main line · +14155550100 · 2 flows"."""
    uses = {0: "", 1: "1 flow"}.get(flows, f"{flows} flows")
    return " · ".join(filter(None, ("" if name == number else name, number, uses)))
