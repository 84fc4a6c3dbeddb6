"""A program of the user's own: MSAL Python in a process that knows nothing of this project.

Reads one JSON object from standard input, prints what MSAL answered. Members: authority, client_id, scopes,
verify, and credential: {"secret": text} or {"thumbprint": hex, "private_key_file": path} or
{"private_key_file": path, "public_certificate_file": path}.
"""

import json
import sys
from pathlib import Path

import msal


def credential(given: dict[str, str]) -> object:
    """What MSAL calls client_credential, built as the documentation shows."""
    if "secret" in given:
        return given["secret"]
    built = {"private_key": Path(given["private_key_file"]).read_text()}
    if "thumbprint" in given:
        built["thumbprint"] = given["thumbprint"]
    if "public_certificate_file" in given:
        built["public_certificate"] = Path(given["public_certificate_file"]).read_text()
    return built


def main() -> None:
    """Acquire one token."""
    order = json.load(sys.stdin)
    app = msal.ConfidentialClientApplication(
        order["client_id"],
        authority=order["authority"],
        client_credential=credential(order["credential"]),
        instance_discovery=False,
        verify=order["verify"],
    )
    json.dump(app.acquire_token_for_client(scopes=order["scopes"]), sys.stdout)


if __name__ == "__main__":
    main()
