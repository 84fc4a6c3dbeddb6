"""How much work a protected key file asks for, read from its outline before any of it is done (U-8)."""

from collections.abc import Iterator

from credmgr.credentials import der

ROUNDS_MOST = 1_000_000

_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
# PBES1 (RFC 8018 appendix A.3) and the schemes of PKCS #12 (RFC 7292 appendix C): salt, then iterations.
_SALT_THEN_ROUNDS = ("1.2.840.113549.1.5.", "1.2.840.113549.1.12.1.")


def rounds_asked_for(data: bytes) -> int:
    """The rounds of all key derivations that opening the DER file needs, as far as they can be read."""
    return sum(_rounds(data))


def _rounds(data: bytes) -> Iterator[int]:
    for _, children in der.walk(data):
        tags = [child.tag for child in children]
        if tags == [der.SEQUENCE, der.OCTET_STRING, der.INTEGER]:
            yield der.integer(children[2])  # MacData of PKCS #12
        elif tags[:2] == [der.OID, der.SEQUENCE]:
            yield from _of_algorithm(der.oid(children[0]), der.elements(children[1].content))


def _of_algorithm(name: str, parameters: list[der.Element]) -> Iterator[int]:
    numbers = [der.integer(parameter) for parameter in parameters if parameter.tag == der.INTEGER]
    if name == _SCRYPT and len(numbers) >= 3:
        cost, block_size, parallel = numbers[:3]
        yield abs(cost * block_size * parallel)
    elif name == _PBKDF2 or (
        name.startswith(_SALT_THEN_ROUNDS)
        and [parameter.tag for parameter in parameters] == [der.OCTET_STRING, der.INTEGER]
    ):
        yield from numbers[:1]
