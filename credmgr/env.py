"""Reads the environment, typed. Every NAME may also be given as NAME_FILE, a path whose content is the value."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}

_reader = environ.FileAwareEnv()


def load_dotenv(path: Path) -> None:
    """Read a .env file if there is one; the real environment wins."""
    if path.is_file():
        environ.Env.read_env(str(path))


def text(name: str, default: str = "") -> str:
    """The value as text, stripped of surrounding white space."""
    return str(_reader.str(name, default=default)).strip()


def flag(name: str, default: bool) -> bool:
    """A yes/no setting. Raises ImproperlyConfigured for any other word."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw in TRUE:
        return True
    if raw in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of true, false, yes, no, on, off, 1, 0.")


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number within [least, most]. Raises ImproperlyConfigured otherwise."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be between {least} and {most}.")
    return value


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list; empty items are dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]
