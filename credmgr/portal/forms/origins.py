"""The form of an allowed origin. What may be listed is decided by the act; here only shape and size."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.origins.ca import CA_MAX_BYTES, holds_private_key
from credmgr.origins.changing import NAME_MAX
from credmgr.portal.forms.base import PortalForm


class OriginForm(StepUpFormMixin, PortalForm):
    """Add an origin to the list."""

    address = forms.CharField(
        label="Origin",
        max_length=2400,
        strip=False,
        widget=forms.TextInput(
            attrs={"autofocus": True, "spellcheck": "false", "autocapitalize": "off", "inputmode": "url"}
        ),
        help_text="Scheme, host and, if it is not the usual one, port, such as https://idp.example.com:8443. "
        "No wildcards.",
        error_messages={
            "required": "Enter an origin, such as https://idp.example.com.",
            "max_length": "This is too long for an origin.",
        },
    )
    name = forms.CharField(
        label="Name",
        required=False,
        # A little more than the limit passes, so that the act can say how long the text is.
        max_length=NAME_MAX * 4,
        widget=forms.TextInput(attrs={"maxlength": NAME_MAX}),
        help_text="Optional. What it is and why it may be called.",
    )
    is_private = forms.BooleanField(
        label="Private addresses",
        required=False,
        help_text="It may lead to private, loopback and link-local addresses. Without this mark they are "
        "refused at each call, whatever the name leads to.",
    )
    is_http = forms.BooleanField(
        label="Plain http",
        required=False,
        help_text="Needed for http://. Anyone on the way can read what is sent, client secrets too, and "
        "forge the answer: keep it to this machine.",
    )
    own_ca = forms.BooleanField(
        label="Its certificate comes from a private CA",
        required=False,
        help_text="That CA is trusted for this origin, and the public roots are not.",
    )
    ca_text = forms.CharField(
        label="CA certificate",
        required=False,
        max_length=CA_MAX_BYTES * 2,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "textarea mono"}),
        help_text="In PEM form, from -----BEGIN CERTIFICATE----- on. Several are possible.",
        error_messages={"max_length": f"The CA is larger than {CA_MAX_BYTES // 1024} KB."},
    )
    ca_file = forms.FileField(
        label="or its file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".pem,.cer,.crt,.der"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and holds_private_key(self.data.get("ca_text", "").encode("utf-8", "replace")):
            # The act refuses it; until then it must not come back in the page.
            self._pasted_key = self.data["ca_text"]
            self.data = {name: self.data[name] for name in self.data} | {"ca_text": ""}

    def clean_ca_text(self) -> str:
        """As it was pasted, also where the page does not show it again."""
        return str(getattr(self, "_pasted_key", self.cleaned_data["ca_text"]))

    def clean(self) -> dict[str, Any]:
        """The CA counts only while its box is ticked."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("own_ca"):
            return cleaned | {"ca_text": "", "ca_file": None}
        if not cleaned.get("ca_text") and not cleaned.get("ca_file") and "ca_text" not in self.errors:
            self.add_error("ca_text", "Paste the CA's certificate, choose its file, or untick the box.")
        return cleaned

    def ca_bytes(self) -> bytes:
        """The chosen file, at most one byte more than is allowed."""
        file = self.cleaned_data["ca_file"]
        return file.read(CA_MAX_BYTES + 1) if isinstance(file, UploadedFile) else b""
