"""MSAL for Python in a process that knows nothing of this project: one new client object for each case."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
from assertion import make_assertion  # type: ignore[import-not-found]  # lies beside this script

facts: dict[str, str] = json.load(sys.stdin)
folder = Path(facts["folder"])


def text(name: str) -> str:
    """One of the files."""
    return (folder / name).read_text()


def acquire(
    credential: Any, *, tenant: str = "", scope: str = "", times: int = 1, **settings: Any
) -> dict[str, Any]:
    """What MSAL answers to acquire_token_for_client."""
    if "oidc_authority" not in settings:
        settings.setdefault("authority", f"{facts['host']}/{tenant or facts['tenant']}")
        settings.setdefault("instance_discovery", False)
    settings.setdefault("verify", facts["ca"])
    app = msal.ConfidentialClientApplication(facts["client_id"], client_credential=credential, **settings)
    answer: dict[str, Any] = {}
    for _ in range(times):
        answer = app.acquire_token_for_client(scopes=[scope or facts["scope"]])
    return answer


secret = facts["secret"]
key_and_thumbprint = {"private_key": text("worker.key.pem"), "thumbprint": facts["thumbprint"]}
key_and_certificate = {"private_key": text("worker.key.pem"), "public_certificate": text("worker.crt.pem")}
locked = {"private_key": text("worker.locked-key.pem"), "passphrase": facts["passphrase"]}
pfx = {"private_key_pfx_path": str(folder / "worker.pfx"), "passphrase": facts["passphrase"]}

CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "secret": lambda: acquire(secret),
    "thumbprint and key": lambda: acquire(key_and_thumbprint),
    "thumbprint, key and certificate": lambda: acquire(key_and_thumbprint | key_and_certificate),
    "key and certificate": lambda: acquire(key_and_certificate),
    "encrypted key and thumbprint": lambda: acquire(locked | {"thumbprint": facts["thumbprint"]}),
    "encrypted key and certificate": lambda: acquire(locked | {"public_certificate": text("worker.crt.pem")}),
    "pfx": lambda: acquire(pfx),
    "pfx with chain": lambda: acquire(pfx | {"public_certificate": True}),
    "assertion callable": lambda: acquire({"client_assertion": lambda: make_assertion(facts)}),
    "assertion text": lambda: acquire({"client_assertion": make_assertion(facts)}),
    "signed claims": lambda: acquire(key_and_certificate, client_claims={"client_ip": "192.0.2.1"}),
    # ------------------------------------------------ authority settings
    "validate_authority off": lambda: acquire(secret, validate_authority=False, instance_discovery=None),
    "oidc_authority": lambda: acquire(secret, oidc_authority=f"{facts['authority']}/v2.0"),
    "own instance discovery": lambda: acquire(
        secret, instance_discovery=f"{facts['host']}/common/discovery/instance"
    ),
    "sovereign style domain": lambda: acquire(secret, tenant=facts["domain"]),
    "capital letters": lambda: acquire(secret, tenant=facts["tenant"].upper()),
    "trailing slash": lambda: acquire(secret, tenant=facts["tenant"] + "/"),
    "capabilities": lambda: acquire(secret, client_capabilities=["CP1"]),
    "from the cache": lambda: acquire(secret, times=2),
    # ------------------------------------------------ what must be refused
    "wrong secret": lambda: acquire(secret[:-1] + ("A" if secret[-1] != "A" else "B")),
    "expired secret": lambda: acquire(facts["expired_secret"]),
    "secret id": lambda: acquire(facts["secret_id"]),
    "wrong key": lambda: acquire(key_and_thumbprint | {"private_key": text("stranger.key.pem")}),
    "unregistered certificate": lambda: acquire(
        {"private_key": text("stranger.key.pem"), "public_certificate": text("stranger.crt.pem")}
    ),
    "expired certificate": lambda: acquire(
        {"private_key": text("expired.key.pem"), "thumbprint": facts["expired_thumbprint"]}
    ),
    "wrong tenant": lambda: acquire(secret, tenant=facts["other_tenant"]),
    "unknown tenant": lambda: acquire(secret, tenant=facts["unknown_tenant"]),
    "wrong scope": lambda: acquire(secret, scope="https://graph.microsoft.com/User.Read"),
    "unknown resource": lambda: acquire(secret, scope="api://nobody-has-this-name/.default"),
    "untrusted authority": lambda: acquire(secret, verify=True),
    "plain http": lambda: acquire(secret, authority=f"http://localhost/{facts['tenant']}"),
}


def answer_of(case: Callable[[], dict[str, Any]]) -> dict[str, str]:
    """The token and where it came from, or the client's own words."""
    try:
        result = case()
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what is being asked for
        return {"error": f"{type(error).__name__}: {error}"}
    if "access_token" not in result:
        return {"error": f"{result['error']}: {result['error_description']}"}
    return {"token": result["access_token"], "source": result.get("token_source", "")}


json.dump({name: answer_of(case) for name, case in CASES.items()}, sys.stdout)
