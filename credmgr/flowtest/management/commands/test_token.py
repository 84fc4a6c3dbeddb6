"""Test acquire token from a script."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.errors import DomainError
from credmgr.flowtest import testing
from credmgr.flowtest.material import Brought, Credential
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import runnable_credentials
from credmgr.flowtest.report import Report
from credmgr.flowtest.scopes import default_scope
from credmgr.flowtest.spec import Asked
from credmgr.registrations.act_command import find_application
from credmgr.registrations.models import Application
from credmgr.registrations.queries import find_directory, parse_guid

FILE_MAX_BYTES = 65536


class Command(BaseCommand):
    """Runs one test and prints verdict, diagnosis and claims.

    Exit code 0 only with a token that was verified, or that by its nature cannot be checked here.
    """

    help = "Acquire a token as a registered application, over the wire, and verify it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Values come from files, never from the command line, where others can read them."""
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID")
        parser.add_argument(
            "--key-id", metavar="ID", help="secret ID or certificate ID; default: the newest that runs"
        )
        parser.add_argument(
            "--directory", metavar="DIRECTORY", help="ID or domain; default: the application's home directory"
        )
        parser.add_argument("--scope", help="default: the application's own API, else Microsoft Graph")
        parser.add_argument("--resource", default="", help="resource indicator (RFC 8707), for other issuers")
        parser.add_argument("--audience", default="", help="audience parameter, for other issuers")
        parser.add_argument("--kid", default="", help="key ID for an assertion's header, for other issuers")
        parser.add_argument(
            "--private-key", metavar="FILE", type=Path, help="key of a certificate without a kept key"
        )
        parser.add_argument(
            "--password-file", metavar="FILE", type=Path, help="holds the key file's password"
        )
        parser.add_argument(
            "--secret-file", metavar="FILE", type=Path, help="holds the value of a verify-only secret"
        )
        parser.add_argument(
            "--assertion-file",
            metavar="FILE",
            type=Path,
            help="holds the outside token that a federated credential trusts",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    @sensitive_variables("secret", "key", "password", "token")
    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the act that the page runs."""
        key = _bytes_of(options["private_key"])
        secret = _text_of(options["secret_file"])
        password = _text_of(options["password_file"])
        token = _text_of(options["assertion_file"])
        now = timezone.now()
        try:
            # Deleted ones too: the test then says that it was deleted.
            application = find_application(options["app_id"])
            credential = _credential(application, options["key_id"], bool(key), bool(secret), bool(token))
            run, _ = testing.test_credential(
                application,
                credential,
                asked=Asked(
                    options["scope"] or default_scope(application),
                    options["resource"],
                    options["audience"],
                    options["kid"],
                ),
                brought=Brought(secret, key, password, token),
                directory=find_directory(options["directory"]) if options["directory"] else None,
                actor=Actor.command(),
                now=now,
            )
        except DomainError as error:
            raise CommandError(error.message) from None
        report = Report.from_json(run.report)
        if options["json"]:
            self.stdout.write(json.dumps(answer(run, report), indent=2))
        else:
            self._tell(run, report)
        if not report.decisive.verdict.is_success:
            first = report.diagnosis.steps[0] if report.diagnosis.steps else None
            cure = f" {first.title}: {first.text}" if first else ""
            raise CommandError(f"{report.diagnosis.headline}.{cure}")

    def _tell(self, run: FlowRun, report: Report) -> None:
        self.stdout.write(f"{report.diagnosis.headline}\n{report.diagnosis.summary}")
        self.stdout.write(f"Credential: {run.credential_name}\nScope:      {run.scope or 'none'}")
        reason = report.decisive.client_reason
        self.stdout.write(f"Client:     {report.client}" + (f", because {reason}" if reason else ""))
        for row in report.diagnosis.evidence:
            self.stdout.write(f"  {row.level:<6} {row.subject}: {row.finding}")
        token = report.decisive.token
        for name, value in (token.claims if token else {}).items():
            self.stdout.write(f"  {name:<9} {value}")


def answer(run: FlowRun, report: Report) -> dict[str, Any]:
    """The run for a script; never a token or a secret."""
    tokens = (shape.token for shape in (report.decisive, *report.shapes) if shape.token)
    token = next(tokens, None)
    return {
        "runId": str(run.pk),
        "verdict": run.verdict,
        "errorCode": run.error_code,
        "credential": {
            "keyId": str(run.credential_id),
            "type": run.credential_kind,
            "displayName": run.credential_name,
        },
        "authority": report.authority,
        "authorityKind": report.aim.kind,
        "clientId": report.aim.client_id,
        "client": report.client,
        "clientReason": report.decisive.client_reason,
        "error": run.error,
        "scope": run.scope,
        "correlationId": str(run.correlation_id),
        "durationMs": run.duration_ms,
        "diagnosis": {
            "cause": report.diagnosis.cause,
            "headline": report.diagnosis.headline,
            "summary": report.diagnosis.summary,
            "steps": [{"title": step.title, "text": step.text} for step in report.diagnosis.steps],
            "evidence": [vars(row) for row in report.diagnosis.evidence],
        },
        "shapes": [
            {
                "shape": shape.shape.value,
                "verdict": shape.verdict.value,
                "errorCode": shape.error.code if shape.error else 0,
                "error": shape.error.error if shape.error else "",
            }
            for shape in report.shapes
        ],
        "header": token.header if token else None,
        "claims": token.claims if token else None,
    }


def _credential(
    application: Application, key_id: str | None, has_key: bool, has_secret: bool, has_token: bool
) -> Credential:
    if key_id is None and has_token:
        return _trust(application)
    if key_id is None:
        rows = runnable_credentials(application, timezone.now(), with_key=has_key, with_value=has_secret)
        if not rows:
            raise CommandError(
                "No live credential of this application can run by itself. Name one with --key-id and give "
                "its key with --private-key, or its value with --secret-file."
            )
        return rows[0]
    wanted = parse_guid(key_id)
    for model in (ClientSecret, Certificate, FederatedCredential):
        found = model.objects.filter(application=application, pk=wanted).first() if wanted else None
        if found is not None:
            return found
    raise CommandError(f"This application has no credential with the ID {key_id}.")


def _trust(application: Application) -> FederatedCredential:
    """The one federated credential; of several the person has to name one."""
    found = list(FederatedCredential.objects.filter(application=application)[:2])
    if len(found) != 1:
        raise CommandError(
            "This application has more than one federated credential. Name one with --key-id."
            if found
            else "This application has no federated credential that could trust the token."
        )
    return found[0]


def _bytes_of(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > FILE_MAX_BYTES:
        raise CommandError(f"{path} is larger than 64 KB. Check that this is the right file.")
    return content


def _text_of(path: Path | None) -> str:
    content = _bytes_of(path) or b""
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not text in UTF-8.") from None
