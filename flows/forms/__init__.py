"""The site's forms. They validate and do nothing else; what they mean for Twilio is in the schema table."""

from django.forms.renderers import TemplatesSetting

from flows.changes.forms.conflict import Conflict, label_of
from flows.changes.forms.decision import DecisionForm
from flows.changes.forms.reason import DeleteForm, ReasonForm, SwitchForm
from flows.flex_flows.forms import FlowForm, picked, read_base, resolved, signed
from flows.plans.forms import PlanForm, StartForm
from flows.plans.import_entries import Given, read_entries

__all__ = [
    "Conflict",
    "DecisionForm",
    "DeleteForm",
    "FieldRenderer",
    "FlowForm",
    "Given",
    "PlanForm",
    "ReasonForm",
    "StartForm",
    "SwitchForm",
    "label_of",
    "picked",
    "read_base",
    "read_entries",
    "resolved",
    "signed",
]


class FieldRenderer(TemplatesSetting):
    """Every form field of the site is drawn by one template."""

    field_template_name = "forms/field.html"
