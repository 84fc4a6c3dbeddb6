"""Which ready programs there are: one entry for each client, one program for each kind of credential.

A program's file lies in templates/snippets as <file>.txt; its ending names the language and with it how
values are written.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """key: the kind of credential, unique in its client. file: the template's name without .txt."""

    key: str
    label: str
    note: str
    file: str


@dataclass(frozen=True)
class Client:
    """key: stable name, used in the page's address. note: what to know before one chooses it."""

    key: str
    label: str
    note: str
    programs: tuple[Program, ...]


PROMPTED = "Asks for the value at a prompt, or reads it from standard input."
PIPED = "Reads the value from standard input, so that it stands on no command line."
TWO = "Key and certificate in two files."
BOTH = "One PEM file with private key and certificate."

CLIENTS = (
    Client(
        "msal-python",
        "MSAL Python",
        "Microsoft's library for Python.",
        (
            Program("secret", "Client secret", PROMPTED, "msal_secret.py"),
            Program(
                "thumbprint",
                "Certificate, thumbprint",
                "The shape of Microsoft's page: thumbprint and key. Signs RS256 and sends x5t (SHA-1).",
                "msal_thumbprint.py",
            ),
            Program(
                "certificate",
                "Certificate, SHA-256",
                "What MSAL recommends today: key and certificate. It signs PS256 and sends x5t#S256 and x5c.",
                "msal_certificate.py",
            ),
        ),
    ),
    Client(
        "azure-identity-python",
        "azure-identity Python",
        "The credentials of the Azure SDK for Python, for every client of that SDK.",
        (
            Program("secret", "Client secret", PROMPTED, "azure_identity_secret.py"),
            Program(
                "certificate",
                "Certificate",
                "One PEM file with private key and certificate, or a PFX. Signs RS256 and sends x5t (SHA-1).",
                "azure_identity_certificate.py",
            ),
            Program(
                "async",
                "Client secret, asynchronous",
                "The other half of the package. It asks no discovery and does not read REQUESTS_CA_BUNDLE.",
                "azure_identity_async.py",
            ),
        ),
    ),
    Client(
        "msal-node",
        "MSAL Node",
        "Microsoft's library for Node.js, version 20 or newer.",
        (
            Program("secret", "Client secret", PIPED, "msal_node_secret.mjs"),
            Program(
                "certificate",
                "Certificate",
                f"{TWO} Signs PS256 and sends x5t#S256 and x5c.",
                "msal_node_certificate.mjs",
            ),
        ),
    ),
    Client(
        "azure-identity-node",
        "@azure/identity",
        "The credentials of the Azure SDK for JavaScript.",
        (
            Program("secret", "Client secret", PIPED, "identity_node_secret.mjs"),
            Program(
                "certificate",
                "Certificate",
                f"{BOTH} This client takes no PFX. Signs PS256 and sends x5t#S256.",
                "identity_node_certificate.mjs",
            ),
        ),
    ),
    Client(
        "msal-dotnet",
        "MSAL .NET",
        "Microsoft.Identity.Client, .NET 8 or newer.",
        (
            Program("secret", "Client secret", PIPED, "msal_dotnet_secret.cs"),
            Program(
                "certificate",
                "Certificate",
                TWO,
                "msal_dotnet_certificate.cs",
            ),
        ),
    ),
    Client(
        "msal-java",
        "MSAL Java",
        "com.microsoft.azure:msal4j, Java 11 or newer.",
        (
            Program("secret", "Client secret", PIPED, "msal_java_secret.java"),
            Program(
                "certificate",
                "Certificate",
                "A PFX file. Its password comes from standard input.",
                "msal_java_certificate.java",
            ),
        ),
    ),
    Client(
        "msal-go",
        "MSAL Go",
        "Microsoft's library for Go.",
        (
            Program("secret", "Client secret", PIPED, "msal_go_secret.go"),
            Program(
                "certificate",
                "Certificate",
                f"{BOTH} Its key is not encrypted.",
                "msal_go_certificate.go",
            ),
        ),
    ),
    Client(
        "az",
        "Azure CLI",
        "Registers this authority as a cloud of its own, in a folder of its own.",
        (
            Program("secret", "Client secret", PROMPTED, "az_secret.sh"),
            Program("certificate", "Certificate", f"{BOTH} az takes no PFX.", "az_certificate.sh"),
        ),
    ),
    Client(
        "curl",
        "curl",
        "The bare request, without any library. Needs curl 7.76 or newer.",
        (Program("secret", "Client secret", PROMPTED, "curl_secret.sh"),),
    ),
    Client(
        "curl-assertion",
        "curl and openssl",
        "The bare request with an assertion that openssl signs. Needs openssl 1.1.1 and curl 7.76, or newer.",
        (Program("certificate", "Certificate", TWO, "curl_assertion.sh"),),
    ),
    Client(
        "environment",
        "Environment variables",
        "What EnvironmentCredential and DefaultAzureCredential of both SDKs read.",
        (
            Program("secret", "Client secret", "The value is typed at a prompt.", "environment_secret.sh"),
            Program("certificate", "Certificate", BOTH, "environment_certificate.sh"),
            Program(
                "program",
                "Program that reads them",
                "Instance discovery has no variable: it is switched off in the code.",
                "environment_program.py",
            ),
        ),
    ),
    Client(
        "github-actions",
        "GitHub Actions",
        "No secret at all: GitHub's own token is exchanged, with a federated credential of this application.",
        (
            Program(
                "workflow",
                "Workflow",
                "GitHub's own runners cannot reach an authority on localhost; a runner on this machine can.",
                "github_actions.yml",
            ),
        ),
    ),
    Client(
        "api",
        "Verify in an API",
        "The other side: how an API checks the tokens that it is sent.",
        (
            Program(
                "api",
                "Python",
                "Checks signature, issuer, audience and times. Reads the token from standard input.",
                "verify_token.py",
            ),
        ),
    ),
)
