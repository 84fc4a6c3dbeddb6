"""Origins: the entries of the list of what may be called, those of the settings among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from credmgr.clouds import CLOUDS

UNLISTED = "This host is not on the list of allowed authorities. An administrator can add it."
DEFAULT_PORTS = {"https": 443, "http": 80}
# Whose tokens people trust most, beside the Microsoft clouds (managed identities).
_GITHUB_ACTIONS = "token.actions.githubusercontent.com"
PUBLIC_ROOTS = Path(DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True)
class Origin:
    """A list entry: exactly this scheme, host and port, the CA file to trust, private addresses or not.

    scheme: https, or http where the entry is marked so (O-3). ca_pem: CA certificates to trust instead of
    those of the file.
    """

    name: str
    host: str
    port: int
    ca_file: Path = PUBLIC_ROOTS
    is_private: bool = False
    scheme: str = "https"
    ca_pem: str = ""

    @property
    def address(self) -> str:
        """As people write it: https://host[:port]."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{host}{'' if is_default else f':{self.port}'}"

    def covers(self, url: str) -> bool:
        """Whether the URL is well formed (O-5) and on exactly this scheme, host and port."""
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return False
        odd = (
            "@" in parts.netloc
            or "\\" in url
            or "#" in url
            or any(sign <= " " or sign == "\x7f" for sign in url)
        )
        return parts.scheme == self.scheme and not odd and parts.hostname == self.host and port == self.port


def built_in_origin() -> Origin:
    """The built-in authority's own origin, listed by configuration (O-2) with the local CA."""
    parts = urlsplit(settings.AUTHORITY_URL)
    # A public name brings its own certificate, which may come from a public CA: trust both then.
    ca_file = settings.CA_BUNDLE_FILE if settings.PUBLIC_URL else settings.CA_FILE
    return Origin("Built-in authority", parts.hostname or "", parts.port or 443, ca_file, is_private=True)


def configured_origins() -> list[Origin]:
    """What CREDMGR_ALLOWED_ORIGINS lists."""
    return [
        Origin(
            each.host,
            each.host,
            each.port,
            Path(each.ca_file) if each.ca_file else PUBLIC_ROOTS,
            is_private=each.is_private,
            scheme=each.scheme,
        )
        for each in settings.ALLOWED_ORIGINS
    ]


def well_known_origins() -> list[Origin]:
    """The Microsoft clouds, and the issuer of GitHub Actions."""
    clouds = [Origin(f"Entra ID: {cloud.label}", cloud.host, 443) for cloud in CLOUDS]
    return [*clouds, Origin("GitHub Actions", _GITHUB_ACTIONS, 443)]


def is_covered(url: str, origins: Iterable[Origin]) -> bool:
    """Whether a request to this address would be sent at all."""
    return any(origin.covers(url) for origin in origins)
