"""What the clients meet: one application with every kind of credential, made by the installation's own acts.

The facts (Stage.facts) go to each client's program on standard input. The program answers with one JSON
object: for each case {"token": text} or {"error": what the client itself says}.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.clients.files import PASSPHRASE, write_credential_files
from tests.installation import Installation

PROGRAMS = Path(__file__).with_name("programs")
Answers = dict[str, dict[str, str]]

# One process for all of it. The certificate that has ended is added as of a day on which it was valid: the
# acts take the clock as an argument.
SOURCE = """
import io, json, uuid
from datetime import timedelta
from pathlib import Path
from django.core.management import call_command
from django.utils import timezone
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.findings import examine
from credmgr.registrations.models import Application, Tenant, TenantDomain

def made(*arguments):
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())

folder = Path(FOLDER)
uri = "api://clients-" + uuid.uuid4().hex[:12]
app = made("register_app", "Every client", "--identifier-uri", uri)
client_id = app["appId"]
secret = made("add_secret", client_id)
expired = made("add_secret", client_id, "--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z")
worker = made("add_certificate", client_id, str(folder / "worker.crt.pem"))
row = Application.objects.select_related("tenant").get(client_id=client_id)
then = timezone.now() - timedelta(days=5)
examination = examine(
    row, certificate_file=(folder / "expired.crt.pem").read_bytes(), keep_private_key=False, key_file=None,
    password="", now=then,
)
ended = add_certificate(row, examination=examination, description="", actor=Actor.command(), now=then)
elsewhere = Tenant.objects.create(name="Elsewhere", created_at=timezone.now())
print(json.dumps({
    "client_id": client_id,
    "object_id": app["id"],
    "tenant": app["tenantId"],
    "domain": TenantDomain.objects.filter(tenant=row.tenant).first().name,
    "scope": uri + "/.default",
    "resource": uri,
    "secret": secret["secretText"],
    "secret_id": secret["keyId"],
    "expired_secret": expired["secretText"],
    "thumbprint": worker["thumbprint"],
    "thumbprint_sha256": worker["thumbprintSha256"],
    "expired_thumbprint": ended.thumbprint_sha1,
    "other_tenant": str(elsewhere.pk),
    "unknown_tenant": str(uuid.uuid4()),
}))
"""


@dataclass(frozen=True)
class Stage:
    """The running installation, the files, and what a program is told."""

    installation: Installation
    folder: Path
    facts: dict[str, str]

    def run(self, *command: str | Path, environment: dict[str, str] | None = None) -> Answers:
        """Run a client's program in its own process; its answers by case."""
        done = subprocess.run(
            [str(part) for part in command],
            input=json.dumps(self.facts),
            env={**bare_environment(), **(environment or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers: Answers = json.loads(done.stdout)
        return answers


def bare_environment() -> dict[str, str]:
    """This machine's environment without what steers Microsoft's clients or where they find a CA."""
    steering = ("AZURE_", "MSAL_", "IDENTITY_", "MSI_", "CREDMGR_", "DJANGO_", "NODE_")
    single = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONPATH"}
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(steering) and name not in single and not name.lower().endswith("_proxy")
    }


def make_stage(installation: Installation, folder: Path) -> Stage:
    """Write the files, register the application and its credentials."""
    write_credential_files(folder, datetime.now(UTC))
    source = SOURCE.replace("FOLDER", repr(str(folder)))
    done = installation.manage("shell", "--no-imports", "-c", source)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    facts |= {
        "host": installation.authority_url,
        "authority": f"{installation.authority_url}/{facts['tenant']}",
        "ca": str(installation.ca_file),
        "folder": str(folder),
        "passphrase": PASSPHRASE,
    }
    return Stage(installation, folder, facts)
