"""How allauth's second factors behave here. Named by the setting MFA_ADAPTER."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.views.decorators.debug import sensitive_variables

from credmgr.factors.models import FactorSecret
from credmgr.vault.sealing import open_from


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth publishes no types
    """allauth's table holds the id of a sealed row where it would hold a secret."""

    def encrypt(self, text: str) -> str:  # noqa: ARG002 - allauth's signature
        """Never: the hook does not know whose secret it is, so nothing would bind it. See factors.secrets."""
        raise TypeError("Secrets of second factors are sealed by credmgr.factors, not by allauth's hook.")

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        """The secret of a sealed row. Raises SealError, UnknownKeyError, FactorSecret.DoesNotExist."""
        return open_from(FactorSecret.objects.get(pk=encrypted_text), "value").decode("ascii")
