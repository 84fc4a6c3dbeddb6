"""Runs a management command, and tells in a sentence when there is nothing yet that it could work on."""

import sys

from django.core.management import execute_from_command_line, get_commands
from django.db import DatabaseError

from credmgr.ops.installation import is_prepared

# These bring an installation into being, or speak with a running server; they check for themselves.
SELF_SUFFICIENT = {"serve", "prepare", "listener", "generate_vault_key", "restore"}


def run(arguments: list[str]) -> None:
    """Run the command line. Exits with code 1 when the command needs an installation that is not prepared."""
    name = arguments[1] if len(arguments) > 1 else "help"
    if _needs_an_installation(name) and "--help" not in arguments and not _prepared():
        sys.exit(
            "This installation is not prepared yet, or is older than the program. "
            "Run `make run`, or `manage.py prepare` to prepare it without serving."
        )
    try:
        execute_from_command_line(arguments)
    except KeyboardInterrupt:
        sys.exit(130)  # as shells report Ctrl-C; serve handles its own once it runs


def _needs_an_installation(name: str) -> bool:
    """Our own commands do; Django's (migrate, check, shell ...) repair one and stay as they are."""
    application = get_commands().get(name, "")
    return (
        str(getattr(application, "__module__", application)).startswith("credmgr.")
        and name not in SELF_SUFFICIENT
    )


def _prepared() -> bool:
    try:
        return is_prepared()
    except DatabaseError:
        return True  # there is one, in trouble: the command meets it and says which
