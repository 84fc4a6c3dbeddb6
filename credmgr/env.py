"""Reads the environment, typed. Each NAME may also be given as NAME_FILE, a path whose content is the value.

A value that makes no sense is noted in `problems` and the default used for the moment: a system check then
stops the start with every such sentence at once, instead of a traceback about the first.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}

_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.ASCII)
_reader = environ.FileAwareEnv()

problems: list[str] = []
defaults: dict[str, str] = {}


def load_dotenv(path: Path) -> None:
    """Read a .env file if there is one; the real environment wins."""
    if not path.is_file():
        return
    try:
        environ.Env.read_env(str(path))
    except (OSError, UnicodeDecodeError):
        _note(f"The file {path} cannot be read.")


def text(name: str, default: str = "") -> str:
    """The value as text, stripped of surrounding white space."""
    defaults.setdefault(name, default)
    file = os.environ.get(f"{name}_FILE")
    if file and os.environ.get(name):
        _note(f"{name} and {name}_FILE are both set. Keep one.")
    try:
        return str(_reader.str(name, default=default)).strip()
    except (OSError, UnicodeDecodeError):
        _note(f"{name}_FILE names {file}, which cannot be read.")
        return default


def flag(name: str, default: bool) -> bool:
    """A yes/no setting."""
    raw = text(name).lower()
    defaults[name] = "true" if default else "false"
    if raw in TRUE:
        return True
    if raw and raw not in FALSE:
        _note(f"{name} must be one of true, false, yes, no, on, off, 1, 0.")
    return False if raw in FALSE else default


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number within [least, most]."""
    raw = text(name)
    defaults[name] = str(default)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        _note(f"{name} must be a whole number.")
        return default
    if not least <= value <= most:
        _note(f"{name} must be between {least} and {most}.")
        return default
    return value


def choice(name: str, default: str, choices: set[str]) -> str:
    """One of a few words, in capitals."""
    value = text(name, default).upper()
    if value in choices:
        return value
    _note(f"{name} must be one of {', '.join(sorted(choices))}.")
    return default


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list; empty items are dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


@dataclass(frozen=True)
class AllowedOrigin:
    """An entry of a list of origins: scheme, host and port as a URL has them, and the entry's marks.

    ca_file: empty for the public roots.
    """

    scheme: str
    host: str
    port: int
    is_private: bool
    ca_file: str


def origins(name: str) -> list[AllowedOrigin]:
    """A comma-separated list of origins, each followed by its marks: private, http, ca=<file>."""
    return [found for item in names(name) if (found := _origin(name, item))]


def _origin(name: str, item: str) -> AllowedOrigin | None:
    url, *marks = item.split()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("https", "http") or not is_bare or not _HOST.fullmatch(shown) or port == 0:
        _note(f"{name} holds {url!r}, which is no origin such as https://idp.example.com:8443.")
        return None
    files = [mark.removeprefix("ca=") for mark in marks if mark.startswith("ca=")]
    if set(marks) - {"private", "http"} - {f"ca={file}" for file in files} or len(files) > 1:
        _note(f"{name}: the marks behind {url} can be private, http and ca=<file>.")
        return None
    if (parts.scheme == "http") != ("http" in marks):
        _note(f"{name}: {url} and the mark http go together: without encryption anyone on the way can forge.")
        return None
    if files and not os.access(files[0], os.R_OK):
        _note(f"{name}: the CA file {files[0]} of {url} cannot be read.")
        return None
    default = 443 if parts.scheme == "https" else 80
    return AllowedOrigin(parts.scheme, host, port or default, "private" in marks, files[0] if files else "")


def database(name: str) -> dict[str, Any] | None:
    """A URL of PostgreSQL as Django's description of the connection; None when it is not set."""
    raw = text(name)
    if not raw:
        return None
    try:
        described: dict[str, Any] = environ.Env.db_url_config(raw)
    except (ImproperlyConfigured, KeyError, ValueError):
        described = {}
    if not str(described.get("ENGINE", "")).endswith(".postgresql") or not described.get("NAME"):
        _note(f"{name} is no address of PostgreSQL, such as postgres://user:password@host:5432/name.")
        return None
    # A server that is gone, or a lock that stays, must end in an answer. The URL's own ?name=value wins.
    given: dict[str, Any] = {"connect_timeout": 5, "options": "-c lock_timeout=20s"}
    options = described.get("OPTIONS", {})
    if not _is_local(str(options.get("host") or described.get("HOST") or "")):
        # libpq's own default goes on in clear when the server has no TLS, and asks for no certificate.
        given["sslmode"] = "verify-full"
    return {**described, "OPTIONS": {**given, **options}}


def _is_local(host: str) -> bool:
    """Whether it is reached by a socket or over loopback. host: also several, separated by commas."""
    return all(
        not each or each.startswith(("/", "@", "127.")) or each in ("localhost", "::1", "[::1]")
        for each in host.split(",")
    )


def _note(problem: str) -> None:
    if problem not in problems:
        problems.append(problem)
