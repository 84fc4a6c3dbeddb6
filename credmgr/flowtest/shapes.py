"""What a client proves itself with, for one run, and the forms in which MSAL takes it."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from credmgr.flowtest.report import Shape
from credmgr.jose.jwk import x5t, x5t_s256


@dataclass(frozen=True)
class SecretMaterial:
    """A client secret's clear value."""

    value: str = field(repr=False)

    def shapes(self) -> Iterator[tuple[Shape, object]]:
        """What MSAL is given as client_credential."""
        yield Shape.SECRET, self.value


@dataclass(frozen=True)
class CertificateMaterial:
    """A certificate (PEM), its SHA-1 thumbprint (hex) and a private key (PKCS#8 PEM)."""

    thumbprint: str
    certificate: str
    private_key: str = field(repr=False)
    is_rsa: bool = True

    def shapes(self) -> Iterator[tuple[Shape, object]]:
        """The shape of Microsoft's page first, then the one MSAL recommends today."""
        yield Shape.THUMBPRINT, {"thumbprint": self.thumbprint, "private_key": self.private_key}
        yield (
            Shape.PUBLIC_CERTIFICATE,
            {"private_key": self.private_key, "public_certificate": self.certificate},
        )

    def thumbprint_headers(self) -> dict[str, str]:
        """The certificate's names for the header of an assertion (RFC 7515 sections 4.1.7 and 4.1.8)."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate)
        return {"x5t": x5t(der), "x5t#S256": x5t_s256(der)}


@dataclass(frozen=True)
class OutsideTokenMaterial:
    """A token of an outside issuer, which proves the client by a federated credential."""

    token: str = field(repr=False)

    def shapes(self) -> Iterator[tuple[Shape, object]]:
        """By a callable: MSAL warns of texts, which cannot be renewed."""
        yield Shape.OUTSIDE_TOKEN, {"client_assertion": lambda: self.token}


Material = SecretMaterial | CertificateMaterial | OutsideTokenMaterial
