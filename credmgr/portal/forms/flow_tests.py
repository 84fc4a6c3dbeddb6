"""The form behind Test acquire token."""

from typing import Any

from django import forms
from django.utils import timezone

from credmgr.accounts.step_up import FIELD as PASSWORD_FIELD
from credmgr.accounts.step_up import StepUpFormMixin
from credmgr.errors import DomainError
from credmgr.flowtest.material import Brought, Credential, needs_input
from credmgr.flowtest.scopes import SCOPE_MAX, clean_asked, scope_suggestions
from credmgr.flowtest.spec import Asked
from credmgr.flowtest.targets import target_of
from credmgr.membership.queries import directories_for
from credmgr.portal.access import standing_in
from credmgr.portal.enterprise_rows import places_of
from credmgr.portal.forms.base import PortalForm, UnseenTextarea
from credmgr.portal.forms.flow_credentials import (
    CredentialSelect,
    first_choice,
    offer_credentials,
    signs_with_kept_key,
    testable_credentials,
)
from credmgr.registrations.models import BUILT_IN, MULTITENANT, Application, Tenant

KEY_FILE_MAX_BYTES = 65536
SUGGESTIONS_MAX = 50


class FlowTestForm(StepUpFormMixin, PortalForm):
    """Which credential, which scope, and what only the person has."""

    credential = forms.ChoiceField(label="Credential", widget=CredentialSelect)
    directory = forms.ChoiceField(
        label="Directory",
        help_text="Of the built-in authority, over https.",
        error_messages={"invalid_choice": "Choose a directory. This one is not there any more."},
    )
    scope = forms.CharField(
        label="Scope",
        max_length=SCOPE_MAX,
        help_text="A resource followed by /.default.",
        widget=forms.TextInput(attrs={"list": "scopes", "spellcheck": "false"}),
    )
    resource = forms.CharField(
        label="Resource",
        required=False,
        max_length=SCOPE_MAX,
        help_text="Resource indicator (RFC 8707): the API's address. Some issuers give a JWT only with it.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    audience = forms.CharField(
        label="Audience",
        required=False,
        max_length=SCOPE_MAX,
        help_text="The parameter audience, where the issuer wants it in place of a resource.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    key_id = forms.CharField(
        label="Key ID at the issuer",
        required=False,
        max_length=SCOPE_MAX,
        help_text="The kid of the certificate's key, where the issuer finds keys by it. Both thumbprints are "
        "sent in any case.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    secret_value = forms.CharField(
        label="Value of the secret",
        required=False,
        strip=False,
        max_length=1024,
        help_text="Only its digest is kept here. The value is used for this run and not stored.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    private_key_file = forms.FileField(
        label="Private key file",
        required=False,
        help_text="The key of this certificate, such as server.pem, or a PFX. Used for this run, in memory.",
        widget=forms.FileInput(attrs={"accept": ".pem,.key,.pfx,.p12"}),
    )
    password = forms.CharField(
        label="Password of the key file",
        required=False,
        strip=False,
        max_length=1024,
        help_text="Where the file has one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    outside_token = forms.CharField(
        label="Token of the outside issuer",
        required=False,
        strip=False,
        max_length=20_000,
        help_text="As the workload gets it: three parts with dots between. Used for this run and not stored.",
        widget=UnseenTextarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
    )
    outside_token_file = forms.FileField(
        label="Or its file",
        required=False,
        help_text="Such as the file that AZURE_FEDERATED_TOKEN_FILE names.",
    )
    include_raw_token = forms.BooleanField(
        label="Include the raw token in the answer",
        required=False,
        help_text="It is shown once, in the answer to this press. The lasting result never has it.",
    )

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.application = application
        self.target = target_of(application)
        self._shape_for_target()
        self._offer_directories()
        self._credentials = testable_credentials(application)
        now = timezone.now()
        field = self.fields["credential"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker what stands above
        offer_credentials(field, self._credentials, now)
        if self.initial.get("credential") not in self._credentials:
            self.initial["credential"] = first_choice(self._credentials, now)
        if self.asks_password:
            self.fields[PASSWORD_FIELD].required = False  # a need of what is delicate, not of every test
        self.suggestions = scope_suggestions(application, SUGGESTIONS_MAX)

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to test."""
        return bool(self._credentials)

    @property
    def chosen(self) -> Credential | None:
        """The credential that the form stands on."""
        value = self["credential"].value()
        return self._credentials.get(str(value))

    @property
    def uses_kept_key(self) -> bool:
        """Whether the credential that the form stands on is signed with by a private key kept here."""
        return signs_with_kept_key(self.chosen)

    @property
    def is_issuer(self) -> bool:
        """Whether the test goes to an OpenID Connect issuer, with parameters of its own."""
        return not self.target.has_tenants

    def asked(self) -> Asked:
        """What the request will name."""
        given = self.cleaned_data
        return Asked(
            given["scope"], given.get("resource", ""), given.get("audience", ""), given.get("key_id", "")
        )

    def asked_directory(self) -> Tenant | None:
        """The directory that was chosen, None for the application's own, also where there is no choice."""
        chosen = self.cleaned_data.get("directory", "")
        if chosen in ("", str(self.application.tenant_id)):
            return None
        return Tenant.objects.filter(pk=chosen).first()

    def brought(self) -> Brought:
        """What only the person has, for this run."""
        given = self.cleaned_data
        return Brought(given["secret_value"], self.key_bytes(), given["password"], self._token())

    def _token(self) -> str:
        """The outside token, pasted or from its file."""
        file = self.cleaned_data.get("outside_token_file")
        if needs_input(self.cleaned_data["credential"]) != "token":
            return ""
        pasted: str = self.cleaned_data["outside_token"]
        return pasted or (file.read().decode("ascii", "replace") if file else "")

    def clean_credential(self) -> Credential:
        """The row itself. One that went meanwhile is refused by the choice check before."""
        return self._credentials[self.cleaned_data["credential"]]

    def clean_private_key_file(self) -> Any:
        """At most 64 KB; the content is judged where it is opened."""
        file = self.cleaned_data["private_key_file"]
        if file and file.size > KEY_FILE_MAX_BYTES:
            raise forms.ValidationError(
                "The file is larger than 64 KB. A private key is usually smaller than 8 KB; "
                "check that this is the right file."
            )
        return file

    def clean_outside_token_file(self) -> Any:
        """At most 64 KB; the content is judged where it is used."""
        file = self.cleaned_data["outside_token_file"]
        if file and file.size > KEY_FILE_MAX_BYTES:
            raise forms.ValidationError("The file is larger than 64 KB, and no token is. Check the file.")
        return file

    def full_clean(self) -> None:
        """Showing a raw token and using a kept private key are delicate acts (L-2); for others no password is
        asked or looked at.
        """
        field = self.fields.get(PASSWORD_FIELD)
        if field is None:
            super().full_clean()
            return
        if self["include_raw_token"].data or self.uses_kept_key:
            field.required = True
            super().full_clean()
        else:
            del self.fields[PASSWORD_FIELD]
            super().full_clean()
            self.fields[PASSWORD_FIELD] = field
        field.required = False

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen credential needs, and judge what the request would name beside it."""
        cleaned = super().clean() or self.cleaned_data
        if "scope" in cleaned:
            try:
                clean_asked(self.asked(), needs_scope=self.target.has_tenants)
            except DomainError as error:
                self.refuse(error)
        credential = cleaned.get("credential")
        if credential is None:
            return cleaned
        need = needs_input(credential)
        if need == "value" and not cleaned.get("secret_value"):
            self.add_error("secret_value", "Enter the value: only its digest is kept here.")
        if need == "key" and not cleaned.get("private_key_file") and "private_key_file" not in self.errors:
            self.add_error("private_key_file", "Choose the private key file: the key is not kept here.")
        if need == "token" and not (cleaned.get("outside_token") or cleaned.get("outside_token_file")):
            self.add_error("outside_token", "Paste the outside issuer's token, or choose its file.")
        return cleaned

    def key_bytes(self) -> bytes | None:
        """The uploaded key file's content, None without one or where the key is kept here."""
        file = self.cleaned_data.get("private_key_file")
        if not file or needs_input(self.cleaned_data["credential"]) != "key":
            return None
        content: bytes = file.read()
        return content

    def _shape_for_target(self) -> None:
        """Parameters that only an issuer knows, and a scope that only Entra-shaped authorities demand."""
        if self.target.has_tenants:
            for name in ("resource", "audience", "key_id"):
                del self.fields[name]
            return
        self.fields["scope"].required = False
        self.fields["scope"].help_text = "Names that the issuer knows. May stay empty."

    def _offer_directories(self) -> None:
        """Of a multitenant application, those one may enter; of others to repeat a test elsewhere."""
        home = str(self.application.tenant_id)
        named = self.data.get("directory") if self.is_bound else self.initial.get("directory")
        is_offered = self.application.sign_in_audience == MULTITENANT or named not in (None, "", home)
        places = None
        if is_offered and self.target.kind == BUILT_IN:
            places = places_of(self.application, directories_for(standing_in(self.request)))
        if places is None or not places.rows:
            del self.fields["directory"]
            return
        field = self.fields["directory"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker what stands above
        field.choices = [(home, f"{self.application.tenant.name}, its home directory")] + [
            (str(place.directory.id), f"{place.directory.name}{'' if place.row else ', no consent'}")
            for place in places.rows
        ]
        field.required = False
        self.initial.setdefault("directory", home)
