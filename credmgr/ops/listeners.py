"""What the listeners are: their names, addresses and ports, from the settings."""

import os
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Listener:
    """One process group of the server. name goes to it as CREDMGR_LISTENER."""

    name: str
    address: str
    port: int
    port_setting: str

    @property
    def probe_address(self) -> str:
        """An address of this machine under which the listener is reached."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)  # noqa: S104 - not bound

    def environment(self) -> dict[str, str]:
        """The environment of its process: this one's, told which listener it is."""
        return {**os.environ, "CREDMGR_LISTENER": self.name}


def configured() -> list[Listener]:
    """The listeners to start: https always; plain http, on loopback only, unless there is a public URL."""
    secure = Listener("secure", settings.BIND_ADDRESS, settings.AUTHORITY_PORT, "CREDMGR_AUTHORITY_PORT")
    if settings.PUBLIC_URL:
        return [secure]
    return [Listener("portal", "127.0.0.1", settings.PORTAL_PORT, "CREDMGR_PORTAL_PORT"), secure]
