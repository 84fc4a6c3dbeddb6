"""Makes a stored credential ready for one run: opens what is kept here, reads what the person brought."""

import ssl
from dataclasses import dataclass, field

from django.views.decorators.debug import sensitive_variables

from credmgr.credentials.certificates import open_certificate, open_private_key
from credmgr.credentials.client_secrets import open_value
from credmgr.credentials.key_files import OpenedKey, open_bundle, refusal
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.credentials.secret_values import mask
from credmgr.credentials.x509 import read_certificate
from credmgr.credentials.x509_keys import RSA
from credmgr.errors import DomainError
from credmgr.flowtest.shapes import CertificateMaterial, Material, OutsideTokenMaterial, SecretMaterial
from credmgr.vault.errors import SealError, UnknownKeyError, VaultError

# The object identifier rsaEncryption (RFC 8017 appendix A.1) in DER, as a SubjectPublicKeyInfo begins with.
OUTSIDE_TOKEN_MAX = 16 * 1024
Credential = ClientSecret | Certificate | FederatedCredential
_RSA_KEY = bytes.fromhex("06092a864886f70d010101")


class CannotTestError(DomainError):
    """No run can be made from what was given; nothing was sent."""


@dataclass(frozen=True)
class Brought:
    """What only the person has, used for one run, in memory, and never kept.

    secret_value: of a secret of which only the digest is kept. private_key_file and password: of a
    certificate without a kept key. outside_token: of the identity that a federated credential trusts.
    """

    secret_value: str = field(default="", repr=False)
    private_key_file: bytes | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    outside_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Prepared:
    """What the runner gets, and what was found out before: key_matches is None for a secret."""

    material: Material
    key_matches: bool | None = None


def needs_input(credential: Credential) -> str:
    """What a test of this credential has to ask for: "" (nothing), "value", "key" or "token"."""
    if isinstance(credential, FederatedCredential):
        return "token"
    if isinstance(credential, ClientSecret):
        return "value" if credential.is_verify_only else ""
    return "" if credential.has_private_key else "key"


def credential_name(credential: Credential) -> str:
    """What a person calls it: its name or description, else the masked value or the subject."""
    if isinstance(credential, FederatedCredential):
        return credential.name
    if isinstance(credential, Certificate):
        return credential.description or credential.subject or credential.thumbprint_sha1
    return credential.description or mask(credential.hint)


def credential_kind(credential: Credential) -> str:
    """The stable name of its kind, as runs and the audit store it."""
    if isinstance(credential, FederatedCredential):
        return "federated"
    return "secret" if isinstance(credential, ClientSecret) else "certificate"


def prepare(credential: Credential, brought: Brought) -> Prepared:
    """Open the credential for one run. Raises DomainError with the field it belongs to."""
    if isinstance(credential, FederatedCredential):
        return Prepared(OutsideTokenMaterial(_outside_token(brought.outside_token)))
    try:
        if isinstance(credential, ClientSecret):
            return Prepared(SecretMaterial(brought.secret_value or open_value(credential)))
        return _certificate(credential, brought.private_key_file, brought.password)
    except UnknownKeyError as error:
        raise CannotTestError(
            "vault",
            f"The stored credential cannot be opened: {error} Put the missing key back into the key ring.",
        ) from None
    except SealError:
        raise CannotTestError(
            "damaged",
            "What is stored of this credential is damaged and cannot be opened. "
            "Restore it from a backup, or delete it and add another.",
        ) from None
    except VaultError as error:
        raise CannotTestError("vault", f"The stored credential cannot be opened: {error}") from None


@sensitive_variables("typed", "token")
def _outside_token(typed: str) -> str:
    """The token without white space and a leading "Bearer"; anything that can be sent is."""
    words = typed.split()
    token = "".join(words[1:] if words[:1] == ["Bearer"] else words)
    if not token:
        raise CannotTestError(
            "token_missing",
            "Paste the outside issuer's token, or choose its file: nothing of it is kept here.",
            field="outside_token",
        )
    if len(token) > OUTSIDE_TOKEN_MAX or not token.isascii() or not token.isprintable():
        raise CannotTestError(
            "token_unsendable",
            f"This is no token: one has at most {OUTSIDE_TOKEN_MAX} letters, digits, dots, - and _.",
            field="outside_token",
        )
    return token


@sensitive_variables("private_key_file", "password", "key")
def _certificate(row: Certificate, private_key_file: bytes | None, password: str) -> Prepared:
    der = open_certificate(row)
    if private_key_file is None:
        key, matches, is_rsa = open_private_key(row), True, row.key_type == RSA  # compared at upload
    else:
        wanted = read_certificate(der).public_key
        opened = _opened(private_key_file, password, wanted)
        key, matches, is_rsa = opened.pem, opened.public_key == wanted, _RSA_KEY in opened.public_key[:40]
    material = CertificateMaterial(
        thumbprint=row.thumbprint_sha1,
        certificate=ssl.DER_cert_to_PEM_cert(der),
        private_key=key.decode("ascii"),
        is_rsa=is_rsa,
    )
    return Prepared(material, matches)


@sensitive_variables("data", "password", "found")
def _opened(data: bytes, password: str, wanted: bytes) -> OpenedKey:
    """The file's key, by preference the one that belongs to the certificate."""
    found = open_bundle(data, password, about="private_key_file").keys
    if not found:
        raise refusal("no_key", about="private_key_file")
    return next((key for key in found if key.public_key == wanted), found[0])
