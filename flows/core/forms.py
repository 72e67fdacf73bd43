"""Parts of every form: fields for visible text and for a reason, and the summary of its errors."""

from __future__ import annotations

from typing import Any, Final, Literal

from django import forms
from django.core.exceptions import ValidationError

from flows.core import invisible

MAX_REASON_LENGTH: Final = 200  # characters


class VisibleTextField(forms.CharField):
    """A text with at least one visible character.

    `strip_invisible` removes invisible characters at the ends or everywhere. SIDs, numbers and
    addresses have none, but pasted text may. In a name they can have a meaning, so they stay there.
    NUL is left to Django, which refuses it.
    """

    def __init__(self, *, strip_invisible: Literal["", "ends", "all"] = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strip_invisible = strip_invisible

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        if "\x00" in text:
            return text
        is_blank = not text.strip()
        if not is_blank and not invisible.visible_text(text):
            raise ValidationError(
                f"{self.label} contains only invisible characters.", code="invisible"
            )
        return self._strip(text)

    def _strip(self, text: str) -> str:
        """Return the text without the characters that `strip_invisible` names."""
        if self.strip_invisible == "all":
            return invisible.trim_invisible(invisible.strip_invisible(text))
        if self.strip_invisible == "ends":
            return invisible.trim_invisible(text)
        return text


class ReasonField(VisibleTextField):
    """The reason of a change or an export, for the audit log. `examples` and `note` are its help."""

    def __init__(
        self,
        *,
        required: bool = False,
        examples: str = "",
        note: str = "Shown in the audit log.",
        **kwargs: Any,
    ) -> None:
        optional = "" if required else f"Optional{examples and f', such as {examples}'}. "
        help_text = f"{optional}{note} Up to {MAX_REASON_LENGTH} characters."
        super().__init__(
            **{"label": "Reason", **kwargs},
            required=required,
            max_length=MAX_REASON_LENGTH,
            help_text=help_text,
        )


def error_summary(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Return a form's errors in the order of its fields: (id of the field or "", message)."""
    summary: list[tuple[str, str]] = []
    for field in form:
        summary += [(field.auto_id, str(message)) for message in field.errors]
    form_errors = form.non_field_errors()
    summary += [("", str(message)) for message in form_errors]
    return summary
