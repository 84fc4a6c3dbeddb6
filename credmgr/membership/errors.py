"""Refused acts on people and roles."""

from credmgr.errors import DomainError


class MembershipError(DomainError):
    """Nothing was changed."""


class LastAdministratorError(MembershipError):
    """Nobody would be left who administers every directory."""

    def __init__(self) -> None:
        super().__init__(
            "last_administrator",
            "This is the last person who administers every directory. Nothing was changed. Give somebody "
            "else the role Directory administrator in every directory first.",
        )


class InvitationError(MembershipError):
    """The link is used up, too old or unknown. All look alike."""

    def __init__(self) -> None:
        super().__init__(
            "invitation",
            "This invitation cannot be used. It works once and for seven days, and ends when it is "
            "withdrawn. Ask for a new one.",
        )
