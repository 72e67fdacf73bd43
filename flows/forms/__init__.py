"""The site's forms. They validate and do nothing else; what they mean for Twilio is in the schema table."""

from django.forms.renderers import TemplatesSetting

from flows.forms.decision import DecisionForm
from flows.forms.entries import Given, read_entries
from flows.forms.flow import FlowForm, picked, read_base, signed
from flows.forms.plan import PlanForm, StartForm
from flows.forms.reason import DeleteForm, ReasonForm, SwitchForm

__all__ = [
    "DecisionForm",
    "DeleteForm",
    "FieldRenderer",
    "FlowForm",
    "Given",
    "PlanForm",
    "ReasonForm",
    "StartForm",
    "SwitchForm",
    "picked",
    "read_base",
    "read_entries",
    "signed",
]


class FieldRenderer(TemplatesSetting):
    """Every form field of the site is drawn by one template."""

    field_template_name = "forms/field.html"
