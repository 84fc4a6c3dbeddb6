"""Forms that move a registration in a sealed file. What a file holds is judged when it is opened."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.portal.forms.base import InDirectoryMixin, PortalForm
from credmgr.transfer.document import FILE_BYTES_MAX
from credmgr.vault.passphrase import PASSPHRASE_CHARACTERS, PassphraseError, require_good_passphrase


def _passphrase(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=4096,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={
            "required": "Enter the passphrase.",
            "max_length": "The passphrase is too long. Choose a shorter one.",
        },
    )


class ExportForm(StepUpFormMixin, PortalForm):
    """The passphrase that seals the file, twice: nobody can bring one back that was mistyped."""

    passphrase = _passphrase(
        "Passphrase",
        f"At least {PASSPHRASE_CHARACTERS} characters. Not stored: without it the file is worth nothing.",
    )
    again = _passphrase("Passphrase again")

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Strong enough, and typed alike."""
        cleaned = super().clean() or self.cleaned_data
        passphrase, again = cleaned.get("passphrase"), cleaned.get("again")
        if passphrase is None:
            return cleaned
        try:
            require_good_passphrase(passphrase)
        except PassphraseError as error:
            self.add_error("passphrase", str(error))
        else:
            if again is not None and again != passphrase:
                self.add_error("again", "The two passphrases differ. Type both again.")
        return cleaned


class ImportForm(StepUpFormMixin, InDirectoryMixin, PortalForm):
    """A sealed file and its passphrase, used for this one request and not kept."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # opening it has a sentence for it
        widget=forms.FileInput(attrs={"autofocus": True}),
        help_text="Made by Export on the page of a registration, here or at another installation.",
        error_messages={"required": "Choose a file to import.", "invalid": "Choose a file to import."},
    )
    passphrase = _passphrase("Passphrase", "The one that the file was sealed under.")
    keep_client_id = forms.BooleanField(
        label="Keep the application (client) ID",
        required=False,
        help_text="Its clients go on with the ID they have. Refused while a registration here has it.",
    )
    without_identifier_uri = forms.BooleanField(
        label="Leave the Application ID URI out",
        required=False,
        help_text="Where another registration of this directory has it.",
    )

    @sensitive_variables()
    def file_bytes(self) -> bytes:
        """The chosen file, at most one byte more than is allowed."""
        file = self.cleaned_data["file"]
        content: bytes = file.read(FILE_BYTES_MAX + 1) if isinstance(file, UploadedFile) else b""
        return content
