"""Filling the forms of Certificates & secrets as a browser without script would."""

import re
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.models import Application

VALUE = re.compile(r"\b[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}\b")


def credentials_of(application: Application, rest: str = "") -> str:
    """Address of one of the application's credential pages."""
    return f"/applications/{application.pk}/credentials{rest}"


def secret_form(client: Client, application: Application, **typed: str) -> dict[str, str]:
    """A fresh form of a new client secret with what a person typed."""
    body = client.get(credentials_of(application, "/secrets/new")).content.decode()
    token = re.search(r'name="form_token" value="([^"]+)"', body)
    assert token, body
    return {"form_token": token.group(1), "description": "worker", "expires": "180", **typed}


def post_secret(client: Client, application: Application, form: dict[str, str]) -> Any:
    """Send the form."""
    return client.post(credentials_of(application, "/secrets/new"), form)


def upload(
    client: Client, application: Application, content: bytes, name: str = "server.crt", **typed: Any
) -> Any:
    """Send a file by the upload form. key_file: bytes of the key file."""
    key_file = typed.pop("key_file", None)
    files = {"certificate_file": SimpleUploadedFile(name, content)}
    if key_file is not None:
        files["key_file"] = SimpleUploadedFile("server.pem", key_file)
    return client.post(credentials_of(application, "/certificates/new"), {**typed, **files})


def stored_secret(
    application: Application, name: str = "worker", *, days: int = 180, **given: Any
) -> tuple[ClientSecret, str]:
    """A secret made by the act itself; days: until its end, negative for one that has expired."""
    now = timezone.now()
    return add_client_secret(
        application,
        description=name,
        start_at=now - timedelta(days=200),
        end_at=now + timedelta(days=days),
        allow_past_end=True,
        actor=Actor("Robin Vale", given.pop("user", None)),
        now=now,
        **given,
    )


def age_sign_in(client: Client) -> None:
    """Make the last confirmation of the password older than the step-up allows."""
    session = client.session
    session["confirmed_at"] = session["confirmed_at"] - 3600
    session.save()
