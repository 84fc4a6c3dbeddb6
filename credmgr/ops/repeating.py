"""A page whose transaction met another one in the database is made again instead of failing (rule C-3)."""

import logging
from collections.abc import Callable
from functools import partial

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

from credmgr.conflicts import REPEATS, is_conflict, pause, repeated

logger = logging.getLogger(__name__)


class ConflictRepeater:
    """Runs the view again, three times at most; after that the page says 503, with Retry-After.

    A view calls one act, and an act is one transaction: what failed has changed nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Errors come to process_exception."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer of a later try; None leaves every other error, and the last conflict, to Django."""
        match = request.resolver_match
        if match is None or not is_conflict(exception):
            return None
        logger.warning("A page met another transaction in the database; it is made again.")
        again = partial(_run, match.func, request, *match.args, **match.kwargs)
        pause(1)
        try:
            return repeated(again, times=REPEATS - 1)
        except OperationalError as error:
            if is_conflict(error):
                return None
            raise


def _run(
    view: Callable[..., HttpResponse], request: HttpRequest, *arguments: object, **named: object
) -> HttpResponse:
    for _, files in request.FILES.lists():
        for file in files:
            file.seek(0)  # the try before has read it
    return view(request, *arguments, **named)
