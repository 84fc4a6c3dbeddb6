"""What can go wrong with a backup, in sentences."""

from credmgr.errors import DomainError


class BackupError(DomainError):
    """The backup was not made, or not restored; nothing was changed."""
