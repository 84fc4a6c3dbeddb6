"""What a person is told when an export or an import is refused. Nothing was changed."""

from credmgr.errors import DomainError


class TransferError(DomainError):
    """A refused export or import. Its text never holds a value or a passphrase."""
