"""Refused acts on second factors."""

from credmgr.errors import DomainError


class FactorError(DomainError):
    """Nothing was changed."""
