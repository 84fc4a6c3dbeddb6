"""Reads the outline of DER (ITU-T X.690) without building anything: what kind of object is this, and how big.

Used before a full parser sees the bytes, and for numbers that a parser would only give after costly
arithmetic. Every function takes arbitrary bytes; what is not DER gives None or an empty list, never an
exception.
"""

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06
_HIGH_TAG = 0x1F
_DEPTH_MAX = 32


@dataclass(frozen=True)
class Element:
    """One tag-length-value. tag: the identifier octet. end: offset of the byte after it, in what was read."""

    tag: int
    content: bytes
    end: int

    @property
    def is_constructed(self) -> bool:
        """Whether the content is itself a row of elements."""
        return bool(self.tag & 0x20)


def read(data: bytes, start: int = 0) -> Element | None:
    """The element at that offset; None when it is cut off or not DER."""
    header = _header(data, start)
    if header is None:
        return None
    tag, first, length = header
    if length < 0 or first + length > len(data):
        return None
    return Element(tag, data[first : first + length], first + length)


def is_cut_off(data: bytes) -> bool:
    """Whether the bytes begin like a SEQUENCE that is longer than they are."""
    header = _header(data, 0)
    return (
        header is not None and header[0] == SEQUENCE and header[2] > 64 and header[1] + header[2] > len(data)
    )


def elements(data: bytes) -> list[Element]:
    """All elements in a row; those before the first fault when there is one."""
    found: list[Element] = []
    offset = 0
    while offset < len(data):
        element = read(data, offset)
        if element is None:
            break
        found.append(element)
        offset = element.end
    return found


def walk(data: bytes, depth: int = 0) -> Iterator[tuple[Element, list[Element]]]:
    """Every constructed element with its children, outer ones first; OCTET STRINGs that hold DER are entered
    too.
    """
    if depth > _DEPTH_MAX:
        return
    for element in elements(data):
        nested = element.is_constructed or (element.tag == OCTET_STRING and element.content[:1] == b"\x30")
        if nested:
            yield element, elements(element.content)
            yield from walk(element.content, depth + 1)


def shape(data: bytes) -> list[int]:
    """The tags of the children of the element that the bytes are; empty when they are none."""
    outer = read(data)
    return [child.tag for child in elements(outer.content)] if outer and outer.tag == SEQUENCE else []


def integer(element: Element) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(element.content, "big", signed=True)


def oid(element: Element) -> str:
    """An OBJECT IDENTIFIER in dotted form."""
    arcs: list[int] = []
    value = 0
    for octet in element.content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        return ""
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in [first, arcs[0] - 40 * first, *arcs[1:]])


def _header(data: bytes, start: int) -> tuple[int, int, int] | None:
    """(tag, offset of the content, its length). BER's indefinite length is given as -1."""
    if start + 2 > len(data) or data[start] & _HIGH_TAG == _HIGH_TAG:
        return None
    tag, length = data[start], data[start + 1]
    if length < 0x80:
        return tag, start + 2, length
    if length == 0x80:
        return tag, start + 2, -1
    size = length & 0x7F
    if size > 4 or start + 2 + size > len(data):
        return None
    return tag, start + 2 + size, int.from_bytes(data[start + 2 : start + 2 + size], "big")
