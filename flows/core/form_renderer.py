"""The renderer of every form of the site."""

from django.forms.renderers import TemplatesSetting


class FieldRenderer(TemplatesSetting):
    """Render each form field with the site's one template."""

    field_template_name = "forms/field.html"
