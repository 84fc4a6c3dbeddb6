"""What all forms of the portal share: the look of their fields, and how a refused act is shown."""

import uuid
from typing import Any

from django import forms

from credmgr.errors import DomainError

_CLASSES = {
    forms.Textarea: "textarea",
    forms.Select: "",
    forms.CheckboxInput: "",
    forms.RadioSelect: "",
    forms.HiddenInput: "",
}


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


def dress(field: forms.Field) -> None:
    """Give a field's widget the class its look hangs on."""
    widget = field.widget
    name = next((value for kind, value in _CLASSES.items() if isinstance(widget, kind)), "input")
    if name and "class" not in widget.attrs:
        widget.attrs["class"] = name
    if name == "input":
        widget.attrs.setdefault("autocomplete", "off")
