"""What a person is told when an act on a credential is refused. Nothing was changed."""

from credmgr.credentials.models import ClientSecret
from credmgr.errors import DomainError, NotFoundError


class CredentialError(DomainError):
    """A refused act on a credential."""


class SecretError(CredentialError):
    """A refused act on a client secret. Its text never holds a value."""


class CertificateError(CredentialError):
    """A refused certificate, key file or act on one. Its text never holds a key or a password."""


class FederatedError(CredentialError):
    """A refused act on a federated credential."""


class CredentialNotFoundError(NotFoundError, CredentialError):
    """The credential was deleted meanwhile."""


class DuplicateFormError(SecretError):
    """The same form was sent before. secret: what it made then; its value cannot be shown again (S-3)."""

    def __init__(self, secret: ClientSecret) -> None:
        super().__init__(
            "duplicate_form",
            "This form was already sent and its client secret has been made. The value was shown in the "
            "answer to the first request and cannot be shown again. If nobody copied it, delete that "
            "secret and add another.",
        )
        self.secret = secret
