"""azure-identity for Python in a process of its own, both its halves: a new credential object for each case.

The first argument chooses: sync or aio.
"""

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.identity
import azure.identity.aio
from assertion import make_assertion  # type: ignore[import-not-found]  # lies beside this script

facts: dict[str, str] = json.load(sys.stdin)
folder = Path(facts["folder"])
half: Any = {"sync": azure.identity, "aio": azure.identity.aio}[sys.argv[1]]
tenant, client, secret = facts["tenant"], facts["client_id"], facts["secret"]
SETTINGS = {
    "authority": facts["host"],
    "disable_instance_discovery": True,
    "connection_verify": facts["ca"],
    "retry_total": 0,
}


def file(name: str) -> str:
    """The path of one of the files."""
    return str(folder / name)


def by_secret(value: str, directory: str = tenant, **more: Any) -> Any:
    """ClientSecretCredential."""
    return half.ClientSecretCredential(directory, client, value, **{**SETTINGS, **more})


def by_certificate(path: str | None, **more: Any) -> Any:
    """CertificateCredential."""
    return half.CertificateCredential(tenant, client, path, **SETTINGS, **more)


def by_assertion(func: Callable[[], str]) -> Any:
    """ClientAssertionCredential."""
    return half.ClientAssertionCredential(tenant, client, func, **SETTINGS)


def by_token_file() -> Any:
    """WorkloadIdentityCredential: the assertion lies in a file, as Kubernetes leaves it there."""
    path = folder / f"assertion-{sys.argv[1]}"
    path.write_text(make_assertion(facts))
    return half.WorkloadIdentityCredential(
        tenant_id=tenant, client_id=client, token_file_path=str(path), **SETTINGS
    )


def by_environment(**variables: str) -> Any:
    """EnvironmentCredential. It reads the variables when it is made."""
    names = {
        "AZURE_AUTHORITY_HOST": facts["host"],
        "AZURE_TENANT_ID": tenant,
        "AZURE_CLIENT_ID": client,
        **variables,
    }
    os.environ.update(names)
    try:
        return half.EnvironmentCredential(
            disable_instance_discovery=True, connection_verify=facts["ca"], retry_total=0
        )
    finally:
        for name in names:
            del os.environ[name]


passphrase = facts["passphrase"]
GRAPH_USER = "https://graph.microsoft.com/User.Read"
CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "ClientSecretCredential": (lambda: by_secret(secret), ""),
    "ClientSecretCredential, domain name": (lambda: by_secret(secret, facts["domain"]), ""),
    "CertificateCredential, PEM": (lambda: by_certificate(file("worker.pem")), ""),
    "CertificateCredential, PEM data": (
        lambda: by_certificate(None, certificate_data=Path(file("worker.pem")).read_bytes()),
        "",
    ),
    "CertificateCredential, encrypted PEM": (
        lambda: by_certificate(file("worker.locked.pem"), password=passphrase),
        "",
    ),
    "CertificateCredential, chain": (
        lambda: by_certificate(file("worker.pem"), send_certificate_chain=True),
        "",
    ),
    "CertificateCredential, PFX": (lambda: by_certificate(file("worker.pfx"), password=passphrase), ""),
    "ClientAssertionCredential": (lambda: by_assertion(lambda: make_assertion(facts)), ""),
    "WorkloadIdentityCredential": (by_token_file, ""),
    "EnvironmentCredential, secret": (lambda: by_environment(AZURE_CLIENT_SECRET=secret), ""),
    "EnvironmentCredential, PEM": (
        lambda: by_environment(AZURE_CLIENT_CERTIFICATE_PATH=file("worker.pem")),
        "",
    ),
    "EnvironmentCredential, PFX": (
        lambda: by_environment(
            AZURE_CLIENT_CERTIFICATE_PATH=file("worker.pfx"), AZURE_CLIENT_CERTIFICATE_PASSWORD=passphrase
        ),
        "",
    ),
    # ------------------------------------------------ what must be refused
    "wrong secret": (lambda: by_secret("wrong"), ""),
    "expired secret": (lambda: by_secret(facts["expired_secret"]), ""),
    "secret id": (lambda: by_secret(facts["secret_id"]), ""),
    "wrong key": (lambda: by_certificate(file("mixed.pem")), ""),
    "unregistered certificate": (lambda: by_certificate(file("stranger.pfx"), password=passphrase), ""),
    "expired certificate": (lambda: by_certificate(file("expired.pem")), ""),
    "wrong assertion": (lambda: by_assertion(lambda: make_assertion(facts, "stranger")), ""),
    "wrong tenant": (lambda: by_secret(secret, facts["other_tenant"]), ""),
    "unknown tenant": (lambda: by_secret(secret, facts["unknown_tenant"]), ""),
    "wrong scope": (lambda: by_secret(secret), GRAPH_USER),
    "unknown resource": (lambda: by_secret(secret), "api://nobody-has-this-name/.default"),
    "environment, wrong secret": (lambda: by_environment(AZURE_CLIENT_SECRET="wrong"), ""),
    "untrusted authority": (lambda: by_secret(secret, connection_verify=True), ""),
    "plain http": (lambda: by_secret(secret, authority="http://localhost"), ""),
}


async def answer_of(make: Callable[[], Any], scope: str) -> dict[str, str]:
    """The token, or the client's own words."""
    try:
        credential = make()
        token = credential.get_token(scope or facts["scope"])
        closing = None
        if inspect.isawaitable(token):
            try:
                token = await token
            finally:
                closing = await credential.close()
        assert closing is None
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what is being asked for
        return {"error": f"{type(error).__name__}: {error}"}
    return {"token": token.token}


async def main() -> None:
    """Every case, one after the other."""
    answers = {name: await answer_of(make, scope) for name, (make, scope) in CASES.items()}
    json.dump(answers, sys.stdout)


asyncio.run(main())
