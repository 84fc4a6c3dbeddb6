"""Marks the few views that need no sign-in."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Let anybody open this view; every view without the mark needs sign-in."""
    view.public = True  # type: ignore[attr-defined] # a mark on a function
    return view
