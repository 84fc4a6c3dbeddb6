"""What the sealed file of a registration holds, as JSON (docs/operations.md); read strictly, no ORM here."""

import base64
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from credmgr.transfer.errors import TransferError

FORMAT = "credmgr-registration"
VERSION = 1
# Twenty certificates with keys and twenty secrets fill less than a tenth of it.
FILE_BYTES_MAX = 1_000_000
_LIST_MAX = 1000


@dataclass(frozen=True)
class Role:
    """An app role. id: in the file, to tell which permissions mean it."""

    id: uuid.UUID
    display_name: str
    value: str
    description: str
    is_enabled: bool


@dataclass(frozen=True)
class Secret:
    """A client secret whose value was kept. end_at: None where nobody knows it."""

    description: str
    start_at: datetime
    end_at: datetime | None
    value: str = field(repr=False)


@dataclass(frozen=True)
class CertificateFile:
    """der: the certificate; private_key: PKCS #8 PEM where it was kept."""

    description: str
    der: bytes
    private_key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Federated:
    """What a federated credential trusts."""

    name: str
    issuer: str
    subject: str
    audience: str
    description: str


@dataclass(frozen=True)
class Document:
    """A registration with everything that proves it. client_id: of one that lives here."""

    display_name: str
    notes: str
    sign_in_audience: str
    client_id: uuid.UUID
    identifier_uri: str
    is_disabled: bool
    access_token_version: int | None
    app_role_assignment_required: bool
    includes_idtyp: bool
    authority_kind: str
    authority_url: str
    external_client_id: str
    exported_at: datetime
    # Digest-only secrets are keyed to the installation: their descriptions are all that can be told.
    left_behind: list[str]
    roles: list[Role]
    permissions: list[tuple[uuid.UUID, uuid.UUID]]
    secrets: list[Secret]
    certificates: list[CertificateFile]
    federated: list[Federated]


@sensitive_variables()
def to_bytes(document: Document) -> bytes:
    """The JSON that is sealed."""
    described = {"format": FORMAT, "version": VERSION, **_plain(document)}
    return json.dumps(described, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@sensitive_variables()
def from_bytes(content: bytes) -> Document:
    """Read it back. Raises TransferError for anything that the program would not have written."""
    try:
        given = json.loads(content.decode("utf-8"))
        reader = _Reader(given)
        if reader.text("format") != FORMAT:
            raise damaged()
        if given["version"] != VERSION:
            raise TransferError(
                "file_version",
                f"This file is of a version that this program does not know; it reads version {VERSION}.",
            )
        return _document(reader)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise damaged() from None


def damaged() -> TransferError:
    """For whatever has another form inside the seal."""
    return TransferError("file_damaged", "This file does not hold a registration. Export it again.")


class _Reader:
    """Members of a JSON object, each of the type that is asked for; else TypeError, KeyError, ValueError."""

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise TypeError
        self._given = given

    def text(self, name: str) -> str:
        return str(self._typed(name, str))

    def flag(self, name: str) -> bool:
        return bool(self._typed(name, bool))

    def number(self, name: str) -> int | None:
        found = self._given[name]
        if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
            raise TypeError
        return found

    def guid(self, name: str) -> uuid.UUID:
        return uuid.UUID(self.text(name))

    def moment(self, name: str) -> datetime:
        found = datetime.fromisoformat(self.text(name))
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)

    def moment_or_none(self, name: str) -> datetime | None:
        return None if self._given[name] is None else self.moment(name)

    def binary(self, name: str) -> bytes:
        return base64.b64decode(self.text(name), validate=True)

    def binary_or_none(self, name: str) -> bytes | None:
        return None if self._given[name] is None else self.binary(name)

    def items(self, name: str) -> list[Any]:
        found: list[Any] = self._typed(name, list)
        if len(found) > _LIST_MAX:
            raise ValueError
        return found

    def objects(self, name: str) -> list["_Reader"]:
        return [_Reader(each) for each in self.items(name)]

    def _typed(self, name: str, kind: type) -> Any:
        found = self._given[name]
        if not isinstance(found, kind):
            raise TypeError
        return found


@sensitive_variables()
def _document(top: _Reader) -> Document:
    left_behind = top.items("left_behind")
    permissions = [(uuid.UUID(api), uuid.UUID(role)) for api, role in top.items("permissions")]
    if not all(isinstance(each, str) for each in left_behind):
        raise TypeError
    return Document(
        display_name=top.text("display_name"),
        notes=top.text("notes"),
        sign_in_audience=top.text("sign_in_audience"),
        client_id=top.guid("client_id"),
        identifier_uri=top.text("identifier_uri"),
        is_disabled=top.flag("is_disabled"),
        access_token_version=top.number("access_token_version"),
        app_role_assignment_required=top.flag("app_role_assignment_required"),
        includes_idtyp=top.flag("includes_idtyp"),
        authority_kind=top.text("authority_kind"),
        authority_url=top.text("authority_url"),
        external_client_id=top.text("external_client_id"),
        exported_at=top.moment("exported_at"),
        left_behind=left_behind,
        roles=[
            Role(
                each.guid("id"),
                each.text("display_name"),
                each.text("value"),
                each.text("description"),
                each.flag("is_enabled"),
            )
            for each in top.objects("roles")
        ],
        permissions=permissions,
        secrets=[
            Secret(
                each.text("description"),
                each.moment("start_at"),
                each.moment_or_none("end_at"),
                each.text("value"),
            )
            for each in top.objects("secrets")
        ],
        certificates=[
            CertificateFile(each.text("description"), each.binary("der"), each.binary_or_none("private_key"))
            for each in top.objects("certificates")
        ],
        federated=[
            Federated(*(each.text(name) for name in Federated.__dataclass_fields__))
            for each in top.objects("federated")
        ],
    )
