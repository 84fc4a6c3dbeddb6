"""Serves the portal and the authority until Ctrl-C."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from credmgr.accounts.setup_links import make_setup_link
from credmgr.ops.data_folder import DataFolderError, ensure_data_folder
from credmgr.ops.forwarder import configured_forwarder
from credmgr.ops.last_words import log_what_nobody_caught
from credmgr.ops.listeners import configured
from credmgr.ops.lock import AlreadyServingError, InstallationLock
from credmgr.ops.ports import PortError, require_free
from credmgr.ops.starting import check_settings, prepare
from credmgr.ops.supervisor import StartError, Supervisor
from credmgr.ops.upkeep import Upkeep


class Command(BaseCommand):
    """Prepares the installation and runs both listeners."""

    help = "Prepare the installation if needed, then serve the portal and the authority. Ctrl-C ends it."
    requires_system_checks = []  # prepare runs them itself, once there is something to check

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until SIGINT or SIGTERM. Raises CommandError (exit code 1) when it cannot start."""
        log_what_nobody_caught()
        check_settings(self.stdout.write)
        try:
            folder = ensure_data_folder()
            lock = InstallationLock(folder)
            lock.acquire()
            for listener in configured():
                require_free(listener.address, listener.port, listener.port_setting)
        except (DataFolderError, AlreadyServingError, PortError) as error:
            raise CommandError(str(error)) from None
        prepare(self.stdout.write)
        supervisor = Supervisor(configured(), lock=lock.descriptor, upkeep=Upkeep())
        setup_token = make_setup_link(timezone.now())
        # It needs nothing open while it waits.
        connections.close_all()
        try:
            supervisor.start()
        except StartError as error:
            raise CommandError(str(error)) from None
        forwarder = configured_forwarder()
        if forwarder is not None:
            forwarder.start()
        self._announce(setup_token)
        code = supervisor.run()
        lock.release()
        self.stdout.write("Stopped.")
        if code:
            raise CommandError("The server ended because a listener could not be kept running.")

    def _announce(self, setup_token: str | None) -> None:
        lines = ["", "Credential Manager is running.", f"  Portal          {settings.PORTAL_URL}"]
        if settings.AUTHORITY_URL != settings.PORTAL_URL:
            lines.append(f"  Authority       {settings.AUTHORITY_URL}")
        if not settings.TLS_CERTIFICATE_FILE:
            lines.append(f"  CA certificate  {settings.CA_FILE}")
        if setup_token:
            lines += ["", "There is no administrator yet. Within an hour, open this link once to become one:"]
            lines.append(f"  {settings.PORTAL_URL}{reverse('account_setup', args=[setup_token])}")
        self.stdout.write("\n".join([*lines, "", "Press Ctrl-C to stop."]))
        self.stdout.flush()
