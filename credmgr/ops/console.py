"""Runs a management command, and tells in a sentence when there is nothing yet that it could work on."""

import sys

from django.core.management import ManagementUtility, get_commands
from django.core.management.base import ALL_CHECKS
from django.db import DatabaseError

from credmgr.ops.checks import CONFIGURATION
from credmgr.ops.installation import is_prepared

# These bring an installation into being, or speak with a running server; they check for themselves.
SELF_SUFFICIENT = {"serve", "prepare", "listener", "generate_vault_key", "restore"}
# What is set and the key ring, before each command of ours. Django's own checks of pages and models look at
# the program, which is as it was when it was tested, and would double the time of a command.
CHECKED = (CONFIGURATION, "vault")


def run(arguments: list[str]) -> None:
    """Run the command line. Exits with code 1 when the command needs an installation that is not prepared."""
    name = arguments[1] if len(arguments) > 1 else "help"
    if _needs_an_installation(name) and "--help" not in arguments and not _prepared():
        sys.exit(
            "This installation is not prepared yet, or is older than the program. "
            "Run `make run`, or `manage.py prepare` to prepare it without serving."
        )
    try:
        _execute(name, arguments)
    except KeyboardInterrupt:
        sys.exit(130)  # as shells report Ctrl-C; serve handles its own once it runs


def _execute(name: str, arguments: list[str]) -> None:
    utility = ManagementUtility(arguments)
    if not _is_ours(name):
        utility.execute()
        return
    command = utility.fetch_command(name)
    if command.requires_system_checks == ALL_CHECKS:
        command.requires_system_checks = CHECKED
    command.run_from_argv(arguments)


def _needs_an_installation(name: str) -> bool:
    """Our own commands do; Django's (migrate, check, shell ...) repair one and stay as they are."""
    return _is_ours(name) and name not in SELF_SUFFICIENT


def _is_ours(name: str) -> bool:
    application = get_commands().get(name, "")
    return str(getattr(application, "__module__", application)).startswith("credmgr.")


def _prepared() -> bool:
    try:
        return is_prepared()
    except DatabaseError:
        return True  # there is one, in trouble: the command meets it and says which
