"""Where a new client secret goes: lines and commands for the page that shows its value once.

Only the .env lines hold the value; the commands take it from a prompt or from standard input, so that it
stays out of the shell's history and the list of processes.
"""

import shlex
from dataclasses import dataclass, field

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import ClientSecret

# A name for `az cloud register`; any would do.
_CLOUD = "CredentialManager"


@dataclass(frozen=True)
class Destination:
    """One place to put the value. key: stable name; text: what is shown and copied."""

    key: str
    label: str
    copies: str
    text: str = field(repr=False)


@sensitive_variables("value")
def destinations_for(secret: ClientSecret, value: str) -> list[Destination]:
    """Lines and commands with the application's ids, the authority and the CA bundle filled in."""
    application = secret.application
    tenant, client = str(application.tenant_id), str(application.client_id)
    bundle = str(settings.CA_BUNDLE_FILE)
    name = f"client-secret-{secret.hint}"
    end = end_of(secret).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        Destination(
            "env",
            ".env",
            "environment lines",
            f"AZURE_TENANT_ID={tenant}\n"
            f"AZURE_CLIENT_ID={client}\n"
            f"AZURE_CLIENT_SECRET={value}\n"
            f"AZURE_AUTHORITY_HOST={settings.AUTHORITY_URL}/\n"
            f"REQUESTS_CA_BUNDLE={_quoted(bundle)}\n",
        ),
        Destination(
            "az",
            "Azure CLI",
            "Azure CLI commands",
            f"export REQUESTS_CA_BUNDLE={shlex.quote(bundle)}\n"
            f"az cloud register --name {_CLOUD} \\\n"
            f"  --endpoint-resource-manager {shlex.quote(settings.AUTHORITY_URL)}\n"
            f"az cloud set --name {_CLOUD}\n"
            "az config set core.instance_discovery=false\n"
            "az login --service-principal --allow-no-subscriptions \\\n"
            f"  --tenant {tenant} \\\n"
            f"  --username {client}\n"
            '# asks for the value: paste it at "Password:"\n',
        ),
        Destination(
            "github",
            "GitHub",
            "GitHub command",
            "# in a clone of the repository\n"
            "gh secret set AZURE_CLIENT_SECRET\n"
            "# asks for the value: paste it\n",
        ),
        Destination(
            "vault",
            "Key Vault",
            "Key Vault commands",
            "VAULT=my-vault    # its name\n"
            "read -rs VALUE    # paste the value, then Enter\n"
            'printf %s "$VALUE" | az keyvault secret set \\\n'
            '  --vault-name "$VAULT" \\\n'
            f"  --name {name} \\\n"
            f"  --expires {end} \\\n"
            "  --encoding utf-8 --file /dev/stdin --output none\n"
            "unset VALUE\n",
        ),
    ]


def _quoted(text: str) -> str:
    """A value of an .env file; quotes only where it needs them."""
    return f'"{text}"' if any(character in text for character in " #'") else text
