"""Bodies of requests that nobody will read."""

from django.http import HttpRequest

_CHUNK_BYTES = 64 * 1024


def drain(request: HttpRequest, length: int, *, at_most: int) -> None:
    """Read and drop a body of that many bytes, where it has at_most so many.

    A client that is still sending when the answer comes and the connection ends sees no answer at all.
    """
    if length > at_most:
        return
    left = length
    try:
        while left > 0 and (chunk := request.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
    except OSError:  # the other side gave up sending; there is nobody to drain for
        return
