"""The ready programs for registrations that live elsewhere: for Entra, and for any other issuer.

Programs for Entra trust the machine's own roots and need no settings: its libraries know Microsoft's clouds.
"""

from credmgr.portal.snippet_catalogue import BOTH, PIPED, PROMPTED, TWO, Client, Program

ENTRA_CLIENTS = (
    Client(
        "msal-python",
        "MSAL Python",
        "Microsoft's library for Python.",
        (
            Program("secret", "Client secret", PROMPTED, "elsewhere/msal_secret.py"),
            Program(
                "thumbprint",
                "Certificate, thumbprint",
                "Thumbprint and key. Signs RS256 and sends x5t (SHA-1).",
                "elsewhere/msal_thumbprint.py",
            ),
            Program(
                "certificate",
                "Certificate, SHA-256",
                "Key and certificate. Signs PS256 and sends x5t#S256 and x5c.",
                "elsewhere/msal_certificate.py",
            ),
        ),
    ),
    Client(
        "azure-identity-python",
        "azure-identity Python",
        "The credentials of the Azure SDK for Python, for every client of that SDK.",
        (
            Program("secret", "Client secret", PROMPTED, "elsewhere/azure_identity_secret.py"),
            Program(
                "certificate",
                "Certificate",
                "One PEM file with private key and certificate, or a PFX. Signs RS256 and sends x5t (SHA-1).",
                "elsewhere/azure_identity_certificate.py",
            ),
        ),
    ),
    Client(
        "azure-identity-node",
        "@azure/identity",
        "The credentials of the Azure SDK for JavaScript.",
        (
            Program("secret", "Client secret", PIPED, "elsewhere/identity_node_secret.mjs"),
            Program(
                "certificate",
                "Certificate",
                f"{BOTH} This client takes no PFX.",
                "elsewhere/identity_node_certificate.mjs",
            ),
        ),
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
                "Nothing of the place stands in the code.",
                "elsewhere/environment_program.py",
            ),
        ),
    ),
    Client(
        "curl",
        "curl",
        "The bare request, without any library. Needs curl 7.76 or newer.",
        (Program("secret", "Client secret", PROMPTED, "elsewhere/curl_secret.sh"),),
    ),
    Client(
        "curl-assertion",
        "curl and openssl",
        "The bare request with an assertion that openssl signs. Needs openssl 1.1.1 and curl 7.76, or newer.",
        (Program("certificate", "Certificate", TWO, "elsewhere/curl_assertion.sh"),),
    ),
)

ISSUER_CLIENTS = (
    Client(
        "curl",
        "curl",
        "The bare requests of RFC 6749, from the issuer's discovery document on. Needs curl 7.76 or newer.",
        (
            Program("secret", "Secret in the form", PROMPTED, "elsewhere/issuer_secret.sh"),
            Program("basic", "Secret in the header", PROMPTED, "elsewhere/issuer_basic.sh"),
        ),
    ),
    Client(
        "curl-assertion",
        "curl and openssl",
        "The same with an assertion that openssl signs. Needs openssl 1.1.1 and curl 7.76, or newer.",
        (
            Program(
                "certificate",
                "Certificate's key",
                "The issuer has to know the key's public half, from a certificate or a key set.",
                "elsewhere/issuer_assertion.sh",
            ),
        ),
    ),
)
