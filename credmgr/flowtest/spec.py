"""What one test is told to do: where, as whom, asking for what, with which credential."""

from collections.abc import Sequence
from dataclasses import dataclass

from credmgr.flowtest.shapes import Material
from credmgr.flowtest.targets import Target
from credmgr.flowtest.verification import ExpectedToken
from credmgr.outbound.origin import Origin


@dataclass(frozen=True)
class Asked:
    """What the token request names: scope, and the API by RFC 8707's resource or by an audience.

    key_id: the `kid` that an assertion's header names its key by, beside the thumbprints.
    """

    scope: str
    resource: str = ""
    audience: str = ""
    key_id: str = ""

    def parameters(self) -> dict[str, str]:
        """As form fields; empty ones are not sent."""
        return {"scope": self.scope, "resource": self.resource, "audience": self.audience}


@dataclass(frozen=True)
class FlowSpec:
    """One test. origins: all that it may call."""

    target: Target
    origins: Sequence[Origin]
    asked: Asked
    material: Material
    expected: ExpectedToken
