"""One listener of a running server. `serve` starts it; nobody needs to call it."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from credmgr.ops.last_words import log_what_nobody_caught
from credmgr.ops.lifeline import end_with_parent
from credmgr.ops.listener import serve
from credmgr.ops.listeners import configured


class Command(BaseCommand):
    """Runs the listener that CREDMGR_LISTENER names."""

    help = "Internal: one listener of a running server. Use serve."
    requires_system_checks = []  # serve has run them

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The process whose end is also this one's."""
        parser.add_argument("parent", type=int, help="process id of serve")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until SIGTERM, or until `serve` is gone."""
        end_with_parent(options["parent"])
        log_what_nobody_caught()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the server library has set its own handlers
        serve(next(listener for listener in configured() if listener.name == settings.LISTENER))
