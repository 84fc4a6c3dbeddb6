"""What a person is told when a change of the list is refused. Nothing was changed."""

from credmgr.errors import DomainError, NotFoundError


class OriginError(DomainError):
    """A refused change of the list of allowed origins."""


class OriginNotFoundError(NotFoundError, OriginError):
    """The origin is not on the list, or not one that can be removed."""
