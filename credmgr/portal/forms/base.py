"""What all forms of the portal share: the look of their fields, and how a refused act is shown."""

import uuid
from typing import Any

from django import forms

from credmgr.errors import DomainError
from credmgr.registrations.models import Tenant

_CLASSES = {
    forms.Textarea: "textarea",
    forms.Select: "",
    forms.CheckboxInput: "",
    forms.RadioSelect: "",
    forms.HiddenInput: "",
}


class UnseenTextarea(forms.Textarea):
    """A text area that never puts what was sent back into the page, as password fields do."""

    def format_value(self, value: Any) -> str | None:  # noqa: ARG002 - leaving the value out is the point
        """Nothing, whatever was sent."""
        return None


class PortalForm(forms.Form):
    """A form whose fields carry the portal's classes and keep what was typed when the form is refused."""

    use_required_attribute = True
    required_css_class = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def refuse(self, error: DomainError) -> None:
        """Show a refused act at the field it belongs to, else above the form."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class OncePerFormMixin(forms.Form):
    """A hidden token drawn when the form is shown, so that pressing twice makes one thing (S-3)."""

    form_token = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["form_token"].initial = uuid.uuid4


class InDirectoryMixin(forms.Form):
    """Says in which directory the form was opened: another tab may have switched since (one session, one
    directory). Then nothing is made, what was typed stays, and the next press counts for the new directory.
    """

    directory = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, in_use: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_use = in_use
        self.fields["directory"].initial = in_use.pk

    def clean(self) -> dict[str, Any]:
        """Compare."""
        cleaned = super().clean() or self.cleaned_data
        opened_in = cleaned.get("directory")
        if opened_in not in (None, self.in_use.pk):
            self.data = {**self.data.dict(), "directory": str(self.in_use.pk)}  # type: ignore[attr-defined] # POST
            self.add_error(
                None,
                f"You switched to the directory {self.in_use.name} since this form was opened. Send it again "
                "to go on there, or switch back first.",
            )
        return cleaned


def dress(field: forms.Field) -> None:
    """Give a field's widget the class its look hangs on."""
    widget = field.widget
    name = next((value for kind, value in _CLASSES.items() if isinstance(widget, kind)), "input")
    if name and "class" not in widget.attrs:
        widget.attrs["class"] = name
    if name == "input":
        widget.attrs.setdefault("autocomplete", "off")
