"""Adds a certificate from a script, with its private key when that is asked for."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.findings import CHECK, MUST_FIX, Examination, examine
from credmgr.registrations.act_command import ActCommand, application_for, iso, read_file

_PASSWORD_BYTES_MOST = 4096
_HOLDS_A_KEY = ("private_key", "pkcs12")


class Command(ActCommand):
    """add_certificate APP_ID FILE [--private-key FILE] [--password-file FILE] [--name N] [--json]."""

    help = "Add a certificate to a registration; with --private-key its key is kept too, sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        """One file is enough; a password never stands on a command line."""
        super().add_arguments(parser)
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID")
        parser.add_argument("file", metavar="FILE", help="certificate in PEM or DER, or a bundle named twice")
        parser.add_argument(
            "--private-key", metavar="FILE", help="keep this key; may be the same file as FILE"
        )
        parser.add_argument(
            "--password-file", metavar="FILE", help="file with the password of the key or bundle"
        )
        parser.add_argument("--name", default="", help="description; the subject when left out")

    @sensitive_variables()
    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Examine the files, then store what was found. Findings to check are told on standard error."""
        now = timezone.now()
        application = application_for(options["app_id"])
        limit = settings.UPLOAD_MAX_BYTES
        examination = examine(
            application,
            certificate_file=read_file(options["file"], limit),
            keep_private_key=bool(options["private_key"]),
            key_file=read_file(options["private_key"], limit) if options["private_key"] else None,
            password=_password(options["password_file"]),
            now=now,
        )
        self._tell(examination)
        certificate = add_certificate(
            application, examination=examination, description=options["name"], actor=Actor.command(), now=now
        )
        return {
            "keyId": str(certificate.pk),
            "thumbprint": certificate.thumbprint_sha1,
            "thumbprintSha256": certificate.thumbprint_sha256,
            "startDateTime": iso(certificate.start_at),
            "endDateTime": iso(certificate.end_at),
        }

    def say(self, answer: Any) -> str:
        """The thumbprint first: it is what client code asks for."""
        return (
            f"Thumbprint (SHA-1): {answer['thumbprint']}\n"
            f"SHA-256:            {answer['thumbprintSha256']}\n"
            f"Certificate ID:     {answer['keyId']}\n"
            f"Ends:               {answer['endDateTime']}"
        )

    def _tell(self, examination: Examination) -> None:
        """What has to be fixed ends the command; what is to be checked is only said."""
        sentences = [
            f"{each.heading} {each.advice}".strip() for each in examination.findings if each.level == MUST_FIX
        ]
        if any(each.code in _HOLDS_A_KEY for each in examination.findings):
            sentences.append("To keep the key as well, name its file with --private-key.")
        if sentences:
            raise CommandError("\n".join(sentences))
        for each in examination.findings:
            if each.level == CHECK:
                self.stderr.write(f"{each.heading} {each.advice}".strip())


def _password(file: str | None) -> str:
    """The first line of the file. Raises CommandError when it cannot be read."""
    if not file:
        return ""
    try:
        return read_file(file, _PASSWORD_BYTES_MOST).decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandError(f"The file {file} is not UTF-8 text.") from None
