"""System checks: settings that make no sense, or are unsafe together, stop the start and say what to do."""

import ipaddress
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from credmgr import env
from credmgr.audit.receivers import problem_with
from credmgr.ops.lost_triggers import lost_triggers
from credmgr.signon import configuration as signon

CONFIGURATION = "configuration"
LEAST_TOKEN_CHARACTERS = 24

# Read where they are used, not in the settings: nothing that prints settings may print them.
READ_ELSEWHERE = {"CREDMGR_KEYRING", "CREDMGR_KEYRING_FILE", "CREDMGR_KEYRING_COMMAND"}


@register(CONFIGURATION)
def values_make_sense(**_: Any) -> list[CheckMessage]:
    """credmgr.E001: a value of the wrong kind. credmgr.W001: a name that nothing reads."""
    found: list[CheckMessage] = [
        Error(problem, hint="docs/operations.md lists every setting.", id="credmgr.E001")
        for problem in env.problems
    ]
    known = READ_ELSEWHERE | set(env.defaults)
    for name in sorted(os.environ):
        if name.startswith("CREDMGR_") and name not in known and name.removesuffix("_FILE") not in known:
            hint = "Check its spelling in docs/operations.md."
            found.append(
                checks.Warning(f"{name} is set, but there is no such setting.", hint=hint, id="credmgr.W001")
            )
    return found


@register(CONFIGURATION)
def addresses_fit(**_: Any) -> list[CheckMessage]:
    """Ports and the bind address: credmgr.E002, E003, W002."""
    found: list[CheckMessage] = []
    if not settings.PUBLIC_URL and settings.PORTAL_PORT == settings.AUTHORITY_PORT:
        found.append(
            Error(
                f"CREDMGR_PORTAL_PORT and CREDMGR_AUTHORITY_PORT are both {settings.PORTAL_PORT}.",
                hint="Set one of them to another port.",
                id="credmgr.E002",
            )
        )
    try:
        address = ipaddress.ip_address(settings.BIND_ADDRESS)
    except ValueError:
        hint = "Use an address of this machine, such as 127.0.0.1."
        return [*found, Error("CREDMGR_BIND_ADDRESS is not an IP address.", hint=hint, id="credmgr.E003")]
    if not address.is_loopback and not settings.TRUSTED_PROXIES:
        found.append(
            checks.Warning(
                f"The https listener is open to the network ({address}) and no proxy is named.",
                hint="The server sets no time limit on request bodies. Put a buffering proxy in front of it "
                "and name its address in CREDMGR_TRUSTED_PROXIES.",
                id="credmgr.W002",
            )
        )
    return [
        *found,
        *_networks("CREDMGR_TRUSTED_PROXIES", settings.TRUSTED_PROXIES),
        *_networks("CREDMGR_METRICS_FROM", settings.METRICS_FROM),
    ]


def _networks(setting: str, names: Sequence[str]) -> Iterator[CheckMessage]:
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            hint = "Give addresses or networks, separated by commas."
            yield Error(f"{setting} holds {name!r}, which is no address.", hint=hint, id="credmgr.E004")


@register(checks.Tags.database)
def triggers_are_there(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """credmgr.W004: triggers that somebody took out of the database. `check --database default` asks."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        lost = lost_triggers()
    except DatabaseError:
        return []  # whoever uses it is told why it cannot be used
    hint = "The running server makes them again within five minutes, and so does `serve` at its start."
    told = f"Triggers are missing in the database: {', '.join(lost)}."
    return [checks.Warning(told, hint=hint, id="credmgr.W004")] if lost else []


@register(CONFIGURATION)
def metrics_token_is_long(**_: Any) -> list[CheckMessage]:
    """credmgr.E011: a token that could be guessed."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= LEAST_TOKEN_CHARACTERS:
        return []
    hint = "For example the output of: openssl rand -hex 24"
    least = f"CREDMGR_METRICS_TOKEN has fewer than {LEAST_TOKEN_CHARACTERS} characters."
    return [Error(least, hint=hint, id="credmgr.E011")]


@register(CONFIGURATION)
def public_url_fits(**_: Any) -> list[CheckMessage]:
    """What a public address asks for: credmgr.E005, E006, W003."""
    if not settings.PUBLIC_URL:
        return []
    found: list[CheckMessage] = []
    if not is_https_origin(settings.PUBLIC_URL):
        found.append(
            Error(
                "CREDMGR_PUBLIC_URL must be https, a host name and at most a port.",
                hint="For example https://credentials.example.com, without a path.",
                id="credmgr.E005",
            )
        )
    if settings.DEBUG:
        found.append(
            Error(
                "CREDMGR_DEBUG is on together with CREDMGR_PUBLIC_URL.",
                hint="Error pages with DEBUG show the program's inside. Turn CREDMGR_DEBUG off.",
                id="credmgr.E006",
            )
        )
    if not settings.TLS_CERTIFICATE_FILE and not settings.TRUSTED_PROXIES:
        found.append(
            checks.Warning(
                "A public address is set, but the listener presents the local certificate of localhost.",
                hint="Set CREDMGR_TLS_CERTIFICATE_FILE and CREDMGR_TLS_KEY_FILE, or name the proxy that ends "
                "TLS in CREDMGR_TRUSTED_PROXIES.",
                id="credmgr.W003",
            )
        )
    return found


@register(CONFIGURATION)
def host_names_are_names(**_: Any) -> list[CheckMessage]:
    """credmgr.E012: a pattern among the host names would let names in that nobody thought of."""
    odd = [name for name in settings.ALLOWED_HOSTS if "*" in name or "/" in name or name.startswith(".")]
    hint = "Name each host in full, without a port, separated by commas."
    told = "CREDMGR_ALLOWED_HOSTS holds {!r}, which is no host name."
    return [Error(told.format(name), hint=hint, id="credmgr.E012") for name in odd]


def is_https_origin(url: str) -> bool:
    """Whether the URL is https with a host, at most a port, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme == "https" and bool(parts.hostname) and plain and port != 0


@register(CONFIGURATION)
def certificate_files_fit(**_: Any) -> list[CheckMessage]:
    """A certificate of one's own: credmgr.E007, E008."""
    files = {
        "CREDMGR_TLS_CERTIFICATE_FILE": settings.TLS_CERTIFICATE_FILE,
        "CREDMGR_TLS_KEY_FILE": settings.TLS_KEY_FILE,
    }
    given = {name: file for name, file in files.items() if file}
    if len(given) == 1:
        missing = next(name for name in files if name not in given)
        hint = "A certificate and its private key go together."
        return [Error(f"{next(iter(given))} is set, but {missing} is not.", hint=hint, id="credmgr.E007")]
    found: list[CheckMessage] = []
    for name, file in given.items():
        if not os.access(file, os.R_OK):
            hint = "Check the path and who may read it."
            found.append(Error(f"{name} names {file}, which cannot be read.", hint=hint, id="credmgr.E008"))
    key = Path(settings.TLS_KEY_FILE) if settings.TLS_KEY_FILE else None
    if key and key.is_file() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        found.append(
            Error(
                f"The private key {key} can be read by others.",
                hint=f"Run: chmod 600 {key}",
                id="credmgr.E009",
            )
        )
    return found


@register(CONFIGURATION)
def debug_stays_at_home(**_: Any) -> list[CheckMessage]:
    """credmgr.E010: DEBUG where others than this machine can reach the server."""
    try:
        open_to_network = not ipaddress.ip_address(settings.BIND_ADDRESS).is_loopback
    except ValueError:
        return []
    if not (settings.DEBUG and open_to_network):
        return []
    hint = "Turn CREDMGR_DEBUG off, or listen on 127.0.0.1."
    return [
        Error("CREDMGR_DEBUG is on while CREDMGR_BIND_ADDRESS is not loopback.", hint=hint, id="credmgr.E010")
    ]


@register(CONFIGURATION)
def single_sign_on_fits(**_: Any) -> list[CheckMessage]:
    """credmgr.E015: the settings of single sign-on, all or none."""
    hint = 'See "Single sign-on" in docs/operations.md.'
    return [
        Error(f"Single sign-on cannot be used. {problem}", hint=hint, id="credmgr.E015")
        for problem in signon.problems()
    ]


@register(CONFIGURATION)
def forwarding_fits(**_: Any) -> list[CheckMessage]:
    """credmgr.E013: where audit entries are to be forwarded to; E014: the CA file for it."""
    if not settings.AUDIT_FORWARD:
        return []
    found: list[CheckMessage] = []
    if problem := problem_with(settings.AUDIT_FORWARD, settings.AUDIT_FORWARD_KEY):
        hint = 'See "Forward the audit" in docs/operations.md.'
        found.append(Error(f"CREDMGR_AUDIT_FORWARD cannot be used. {problem}", hint=hint, id="credmgr.E013"))
    file = settings.AUDIT_FORWARD_CA_FILE
    if file and not os.access(file, os.R_OK):
        hint = "Check the path and who may read it."
        sentence = f"CREDMGR_AUDIT_FORWARD_CA_FILE names {file}, which cannot be read."
        found.append(Error(sentence, hint=hint, id="credmgr.E014"))
    return found
