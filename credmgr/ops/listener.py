"""The process of one listener: loads the application once and forks its workers from there."""

import gc
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server import MPServer

from credmgr.localca.authority import leaf_certificate_file, leaf_key_pem
from credmgr.ops.application import load_application
from credmgr.ops.lifeline import end_with_parent
from credmgr.ops.listeners import Listener

# A run of Test acquire token calls this same server: a worker must answer while it waits for itself.
# More threads only pass the interpreter lock around: eight cost a tenth of a signature more a token.
BLOCKING_THREADS = 4
STOP_SECONDS = 5


# Loaded before the workers are forked: a worker, also one that replaces a dead one, starts in an instant.
_application = load_application()


class LocalTlsServer(MPServer):
    """The server with the local certificate, whose key the library cannot open itself.

    Its release at hand fails on every encrypted key. Each worker therefore decrypts the key and offers it
    to the library through a pipe under a fixed descriptor: in clear it is only ever in memory.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        # Keeps the number until a worker puts its pipe there.
        self.key_descriptor = os.open(os.devnull, os.O_RDONLY)
        super().__init__(*args, **options)

    def build_ssl_context(self, *_: Any) -> None:
        """The library's tuple: on, certificate, key, password, version, CA, revocations, ask clients."""
        key = f"/dev/fd/{self.key_descriptor}"
        described: Any = (
            True,
            str(leaf_certificate_file()),
            key,
            None,
            str(SSLProtocols.tls12),
            None,
            [],
            False,
        )
        self.ssl_ctx = described


def load_worker(parent_pid: int, key_descriptor: int | None, _target: str) -> Callable[..., Any]:
    """Runs in each new worker: bind it to the listener's life, then hand over the application."""
    end_with_parent(parent_pid)
    if key_descriptor is not None:
        _offer_key(key_descriptor)
    return _application


def _offer_key(descriptor: int) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        stream.write(leaf_key_pem())  # far below what a pipe holds, so this does not wait for a reader
    os.dup2(reader, descriptor)
    os.close(reader)
    connections.close_all()


def serve(listener: Listener) -> None:
    """Run the listener until SIGTERM. Workers that die are replaced."""
    options: dict[str, Any] = {
        "address": listener.address,
        "port": listener.port,
        "interface": Interfaces.WSGI,
        "workers": settings.WORKERS,
        "blocking_threads": BLOCKING_THREADS,
        "http": HTTPModes.http1,
        "websockets": False,
        "log_level": LogLevels.error,
        "log_dictconfig": settings.LOGGING,
        "log_access": False,  # it would write query strings
        "respawn_failed_workers": True,
        "respawn_interval": 0.2,
        "workers_kill_timeout": STOP_SECONDS,
    }
    key_descriptor = None
    server: MPServer
    if listener.name != "secure":
        server = MPServer(settings.WSGI_APPLICATION, **options)
    elif settings.TLS_CERTIFICATE_FILE:
        files: dict[str, Any] = {
            "ssl_cert": Path(settings.TLS_CERTIFICATE_FILE),
            "ssl_key": Path(settings.TLS_KEY_FILE),
        }
        server = MPServer(settings.WSGI_APPLICATION, **options, **files, ssl_protocol_min=SSLProtocols.tls12)
    else:
        server = LocalTlsServer(settings.WSGI_APPLICATION, **options)
        key_descriptor = server.key_descriptor
    # What was opened to get here must not be shared with the workers.
    connections.close_all()
    gc.freeze()
    server.serve(target_loader=partial(load_worker, os.getpid(), key_descriptor))
