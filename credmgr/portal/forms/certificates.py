"""The form of a certificate upload. The examination judges what a file holds; here only shape and size."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.credentials.descriptions import DESCRIPTION_MAX
from credmgr.portal.forms.base import PortalForm

CERTIFICATE_FILES = ".cer,.crt,.pem,.der,.pfx,.p12"
KEY_FILES = ".pem,.key,.pfx,.p12"


class ExamineForm(PortalForm):
    """What an examination looks at. Files and password are used for this one request and never kept."""

    certificate_file = forms.FileField(
        label="Certificate file",
        allow_empty_file=True,  # the examination has a sentence for it
        widget=forms.FileInput(attrs={"accept": CERTIFICATE_FILES, "autofocus": True}),
        help_text=".cer, .crt, .pem or .der, up to 64 KB. Judged by its content, not by its name.",
        error_messages={"required": "Choose a file to upload.", "invalid": "Choose a file to upload."},
    )
    keep_private_key = forms.BooleanField(
        label="Keep the private key",
        required=False,
        help_text="Sealed; only tests sign with it. Not ticked: a file with a private key is refused, "
        "and each test asks for the key file.",
    )
    key_file = forms.FileField(
        label="Key file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": KEY_FILES}),
        help_text="Not needed if the certificate file is a .pfx, .p12 or .pem that holds both.",
    )
    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only if the key or the .pfx has one. Used once, never stored.",
        error_messages={"max_length": "A password has at most 1,024 characters."},
    )

    @sensitive_variables()
    def certificate_bytes(self) -> bytes:
        """The chosen file, at most one byte more than is allowed."""
        return _read(self.cleaned_data["certificate_file"])

    @sensitive_variables()
    def key_bytes(self) -> bytes | None:
        """The key file, None when none was chosen or the key is not to be kept."""
        file = self.cleaned_data["key_file"]
        return _read(file) if file and self.cleaned_data["keep_private_key"] else None


class CertificateForm(StepUpFormMixin, ExamineForm):
    """Upload a certificate. accepted: thumbprint (SHA-256) of the one to add in spite of what was found."""

    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_MAX * 4,
        # A little more than the limit passes, so that the act can say how long the text is.
        help_text="Optional. Without it the list shows the subject.",
    )
    accepted = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ["certificate_file", "description", "keep_private_key", "key_file", "password"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["description"].widget.attrs["maxlength"] = DESCRIPTION_MAX


def _read(file: Any) -> bytes:
    if not isinstance(file, UploadedFile):
        return b""
    content: bytes = file.read(settings.UPLOAD_MAX_BYTES + 1)
    return content
