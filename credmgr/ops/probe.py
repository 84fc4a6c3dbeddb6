"""Asks the server of this machine whether it is ready: `python -m credmgr.ops.probe`, exit code 0 or 1.

For containers and other watchers. It reads the server's own settings, and starts no Django for it.
"""

import http.client
import os
import ssl
import sys
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.ops.listeners import Listener, configured

PATHS = {"ready": "/health/ready", "live": "/health/live"}
TIMEOUT_SECONDS = 5


def main(arguments: list[str]) -> int:
    """arguments: ["ready"] (the default) or ["live"]. Says on standard error what is wrong."""
    path = PATHS.get(arguments[0] if arguments else "ready")
    if path is None:
        sys.stderr.write("usage: python -m credmgr.ops.probe [ready|live]\n")
        return 2
    try:
        status, body = _ask(configured()[0], path)
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"The server does not answer: {error}\n")
        return 1
    if status != 200:
        sys.stderr.write(f"{path} answered {status}: {body[:500]!r}\n")
    return 0 if status == 200 else 1


def _ask(listener: Listener, path: str) -> tuple[int, bytes]:
    """Status and body. It asks by the public name, which is the one that is answered to."""
    connection = http.client.HTTPConnection(listener.probe_address, listener.port, timeout=TIMEOUT_SECONDS)
    if listener.name == "secure":
        # This machine's own address, and nothing is sent that anybody may not know: the certificate bears the
        # public name, or the local CA's, and needs no check.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            listener.probe_address, listener.port, timeout=TIMEOUT_SECONDS, context=context
        )
    host = urlsplit(settings.PUBLIC_URL).hostname if settings.PUBLIC_URL else "localhost"
    connection.request("GET", path, headers={"Host": host or "", "Accept": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credmgr.settings")
    sys.exit(main(sys.argv[1:]))
