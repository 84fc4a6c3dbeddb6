"""What a process of the server says of errors that nobody caught: through the log and its filter (G-1).

Python would print them as they are, with whatever their messages quote.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

logger = logging.getLogger(__name__)


def log_what_nobody_caught() -> None:
    """Errors that end the process or a thread, errors in finalizers, and warnings become lines of the log."""
    sys.excepthook = _of_process
    threading.excepthook = _of_thread
    sys.unraisablehook = _of_finalizer
    logging.captureWarnings(True)


def _of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.critical("The process ends with an error that nobody caught.", exc_info=(kind, error, trace))


def _of_thread(told: Any) -> None:
    if issubclass(told.exc_type, SystemExit):
        return
    error = told.exc_value or told.exc_type()
    name = told.thread.name if told.thread else "unknown"
    logger.error(
        "The thread %s ended with an error that nobody caught.",
        name,
        exc_info=(told.exc_type, error, told.exc_traceback),
    )


def _of_finalizer(told: Any) -> None:
    error = told.exc_value or told.exc_type()
    logger.error("An error in a finalizer.", exc_info=(told.exc_type, error, told.exc_traceback))
