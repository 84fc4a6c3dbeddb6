"""The shape of a client secret's value. No ORM here.

3 random characters, `_cm_`, 31 random characters, 6 checksum characters: 44 in all, more than 200 random bits
and nothing that a shell, YAML, a URL or an .env file treats specially. Leak scanners find it by
`[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}` and tell a real one by its checksum.
"""

import re
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MARK = "_cm_"
HINT_LENGTH = 3
RANDOM_TAIL_LENGTH = 31
CHECKSUM_LENGTH = 6
LENGTH = HINT_LENGTH + len(MARK) + RANDOM_TAIL_LENGTH + CHECKSUM_LENGTH
MASK = "*" * 18

_SHAPE = re.compile(
    rf"[0-9A-Za-z]{{{HINT_LENGTH}}}{MARK}[0-9A-Za-z]{{{RANDOM_TAIL_LENGTH + CHECKSUM_LENGTH}}}", re.ASCII
)


def generate() -> str:
    """A new value from the operating system's random source."""
    body = _random(HINT_LENGTH) + MARK + _random(RANDOM_TAIL_LENGTH)
    return body + checksum(body)


def checksum(body: str) -> str:
    """CRC-32 of the characters before it, in base62, padded with 0 to 6."""
    number = zlib.crc32(body.encode("ascii"))
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits.rjust(CHECKSUM_LENGTH, ALPHABET[0])


def hint_of(value: str) -> str:
    """The first 3 characters: what stays readable for ever."""
    return value[:HINT_LENGTH]


def mask(hint: str) -> str:
    """The hint followed by 18 asterisks."""
    return hint + MASK


def checksum_holds(value: str) -> bool:
    """Whether the text is a whole, correctly copied value of ours.

    Says nothing about whether it is in use.
    """
    return bool(_SHAPE.fullmatch(value)) and checksum(value[:-CHECKSUM_LENGTH]) == value[-CHECKSUM_LENGTH:]


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
