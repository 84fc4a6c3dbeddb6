"""Interim: parts that other packages bring are used as soon as they are there."""

import importlib
from typing import Any


def maybe(module: str, name: str) -> Any:
    """The function, or one that does nothing while its module is missing."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return lambda *_a, **_k: None
