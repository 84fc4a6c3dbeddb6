"""Who may do what: the roles, the rights they give, and the one question that everything asks.

A role counts in one directory, or everywhere. Owning a registration gives rights on that one alone, and only
to people who have a role in its directory.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from credmgr.errors import DomainError


class Role(StrEnum):
    """Stable names; they are stored."""

    READER = "reader"
    TESTER = "tester"
    APPLICATION_OWNER = "application-owner"
    APPLICATION_ADMINISTRATOR = "application-administrator"
    DIRECTORY_ADMINISTRATOR = "directory-administrator"
    AUDITOR = "auditor"


class Right(StrEnum):
    """What a page or an act asks for. READ to MANAGE can also come from owning the registration."""

    READ = "read"  # know of registrations, their credentials and sign-ins
    TEST = "test"  # run token tests
    MANAGE = "manage"  # change a registration and its credentials
    READ_AUDIT = "read-audit"  # read and export the audit log
    REGISTER = "register"  # make registrations
    CONSENT = "consent"  # grant permissions, let in applications of other directories
    ADMINISTER = "administer"  # the directory itself, its people and their roles
    OPERATE = "operate"  # what belongs to the whole server: directories, signing keys, allowed origins


ROLE_NAMES = {
    Role.READER: "Reader",
    Role.TESTER: "Tester",
    Role.APPLICATION_OWNER: "Application owner",
    Role.APPLICATION_ADMINISTRATOR: "Application administrator",
    Role.DIRECTORY_ADMINISTRATOR: "Directory administrator",
    Role.AUDITOR: "Auditor",
}
ROLE_WORDS = {
    Role.READER: "Sees registrations and sign-ins, changes nothing.",
    Role.TESTER: "Sees registrations and sign-ins, and runs token tests.",
    Role.APPLICATION_OWNER: "Registers applications, and sees and manages those that they own.",
    Role.APPLICATION_ADMINISTRATOR: "Manages every registration and grants permissions.",
    Role.DIRECTORY_ADMINISTRATOR: "Does everything in the directory, people and roles included.",
    Role.AUDITOR: "Sees registrations, sign-ins and the audit log, changes nothing.",
}
_APPLICATIONS = frozenset(Right) - {Right.ADMINISTER, Right.OPERATE}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.READER: frozenset({Right.READ}),
    Role.TESTER: frozenset({Right.READ, Right.TEST}),
    Role.APPLICATION_OWNER: frozenset({Right.REGISTER}),
    Role.APPLICATION_ADMINISTRATOR: _APPLICATIONS,
    Role.DIRECTORY_ADMINISTRATOR: _APPLICATIONS | {Right.ADMINISTER},
    Role.AUDITOR: frozenset({Right.READ, Right.READ_AUDIT}),
}
# On a registration of one's own. Granting it permissions is not among them: nobody helps himself to data.
OWNERS_RIGHTS = frozenset({Right.READ, Right.TEST, Right.MANAGE, Right.READ_AUDIT})


class NotAllowedError(DomainError):
    """The person may know of the object and may not do this with it. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "not_allowed",
            "Your roles do not allow this. Nothing was changed. Ask an administrator of this directory, "
            "or an owner of the registration.",
        )


@dataclass(frozen=True)
class Standing:
    """What one person may do. roles: by directory id; None stands for every directory."""

    roles: dict[uuid.UUID | None, frozenset[Role]] = field(default_factory=dict)

    @classmethod
    def of(cls, assignments: Iterable[tuple[uuid.UUID | None, str]]) -> "Standing":
        """From stored (directory id, role) pairs. A name that is no role any more gives nothing."""
        roles: dict[uuid.UUID | None, frozenset[Role]] = {}
        for directory_id, name in assignments:
            if name in set(Role):
                roles[directory_id] = roles.get(directory_id, frozenset()) | {Role(name)}
        return cls(roles)

    def roles_in(self, directory_id: uuid.UUID | None) -> frozenset[Role]:
        """Those that count in a directory, the ones for everywhere included."""
        everywhere = self.roles.get(None, frozenset())
        return everywhere if directory_id is None else everywhere | self.roles.get(directory_id, frozenset())

    def may_enter(self, directory_id: uuid.UUID) -> bool:
        """Whether the person may know of the directory at all."""
        return bool(self.roles_in(directory_id))

    def allows(self, right: Right, directory_id: uuid.UUID | None, *, owns: bool = False) -> bool:
        """The one question. owns: whether it is about a registration that the person owns.

        directory_id None is the server as a whole; OPERATE is asked of that alone.
        """
        if right is Right.OPERATE:
            return Role.DIRECTORY_ADMINISTRATOR in self.roles.get(None, frozenset())
        roles = self.roles_in(directory_id)
        if owns and roles and right in OWNERS_RIGHTS:
            return True
        return any(right in RIGHTS[role] for role in roles)


EVERYTHING = Standing({None: frozenset({Role.DIRECTORY_ADMINISTRATOR})})
