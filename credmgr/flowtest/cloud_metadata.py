"""The metadata of the Microsoft clouds: which issuer it may name, and where its endpoints must lie.

The issuer is known but for the directory's GUID where its domain name was typed. v2.0 documents name the
sign-in host, v1.0 documents a security token service of the cloud's own (https://sts.windows.net/{GUID}/).
Fields as in Microsoft's "OpenID Connect on the Microsoft identity platform".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from credmgr.clouds import CLOUDS
from credmgr.flowtest.discovery import (
    ISSUER_DIFFERS,
    NO_TENANT,
    OTHER_CLOUD,
    Metadata,
    UnusableAnswerError,
    entra_metadata_url,
)
from credmgr.flowtest.targets import Target
from credmgr.registrations.queries import parse_guid

_V2 = re.compile(r"https://([a-z0-9.-]+)/([^/]+)/v2\.0")
_V1 = re.compile(r"https://([a-z0-9.-]+)/([^/]+)/")


@dataclass(frozen=True)
class CloudMetadata(Metadata):
    """issuer: of the typed tenant, for words only. host: where people of that cloud sign in."""

    host: str = ""
    tenant: str = ""
    version: str = "2.0"

    def check(self, document: Mapping[str, Any], is_listed: Callable[[str], bool]) -> None:
        """As any metadata; besides, the token endpoint must be of the cloud that was asked."""
        endpoint = urlsplit(str(document.get("token_endpoint") or "")).netloc
        said = f"login.{document.get('cloud_instance_name')}"
        for host in (endpoint, said):
            if host != self.host and any(host == cloud.host for cloud in CLOUDS):
                raise UnusableAnswerError(
                    OTHER_CLOUD, f"The directory's metadata leads to another cloud, {host}.", host
                )
        super().check(document, is_listed)

    def check_issuer(self, document: Mapping[str, Any]) -> None:
        """The asked host's issuer of the asked directory, by its GUID where that was typed."""
        found = str(document.get("issuer") or "")
        match = (_V2 if self.version == "2.0" else _V1).fullmatch(found)
        if match and match[2] == "{tenantid}":
            raise UnusableAnswerError(
                NO_TENANT, f"{self.tenant} stands for any directory, so its metadata names none.", found
            )
        wanted = parse_guid(self.tenant)
        directory = parse_guid(match[2]) if match else None
        is_host = match is not None and (
            match[1] == self.host or (self.version != "2.0" and match[1].startswith("sts."))
        )
        if not is_host or directory is None or (wanted is not None and directory != wanted):
            raise UnusableAnswerError(
                ISSUER_DIFFERS,
                f"The discovery document names another issuer than {self.issuer}, which was asked for.",
                found,
            )


def cloud_metadata(target: Target) -> dict[str, Metadata]:
    """The two metadata documents of a directory, by address."""
    authority, host, tenant = target.authority, target.host, target.tenant
    v2 = CloudMetadata("Discovery", f"{authority}/v2.0", host=host, tenant=tenant)
    v1 = CloudMetadata("Discovery, v1 tokens", f"{authority}/", host=host, tenant=tenant, version="1.0")
    return {entra_metadata_url(authority, "2.0"): v2, entra_metadata_url(authority, "1.0"): v1}


def directory_of_issuer(issuer: object) -> str:
    """The directory's GUID in an issuer of either version, empty where there is none."""
    match = _V2.fullmatch(str(issuer)) or _V1.fullmatch(str(issuer))
    guid = parse_guid(match[2]) if match else None
    return str(guid) if guid else ""
