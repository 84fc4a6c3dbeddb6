"""The Microsoft clouds on this machine, and registrations that live in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credmgr.env import AllowedOrigin
from credmgr.registrations.models import ENTRA, Application
from tests.clouds.microsoft import DIRECTORY, MicrosoftClouds
from tests.clouds.routing import lead
from tests.elsewhere import Elsewhere

CLIENT_ID = "7feab92f-cb5b-426f-a4ce-20428398d805"
# Of the form in which Entra makes values: 40 characters.
SECRET = "aB38Q~canary-value-of-entra_0123456789.-"
PUBLIC = "login.microsoftonline.com"


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[MicrosoftClouds]:
    """All clouds, with every connection to their hosts led to them."""
    side = MicrosoftClouds(tmp_path)
    undo = lead(dict.fromkeys(side.hosts, side.port))
    yield side
    undo()
    side.close()


class InClouds(Elsewhere):
    """Registrations that live in a directory of a Microsoft cloud."""

    def at(self, host: str = PUBLIC, tenant: str = DIRECTORY, client_id: str = CLIENT_ID) -> Application:
        """One of them."""
        return self.register(ENTRA, f"https://{host}/{tenant}", client_id)


@pytest.fixture
def elsewhere(db: None, settings: Any, clouds: MicrosoftClouds) -> InClouds:
    """A directory for them. Only the CA of the hosts differs from what a fresh installation lists."""
    made = InClouds.prepared(settings)
    settings.TEST_DEADLINE_SECONDS = 4
    for host in clouds.hosts:
        made.list_origin(AllowedOrigin("https", host, 443, False, str(clouds.ca_file)))
    return made
