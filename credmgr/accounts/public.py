"""Marks the few views that answer without sign-in; everything else is closed by the middleware."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Let a view function (of class-based views: what as_view gives) answer people who are not signed in."""
    view.is_public = True  # type: ignore[attr-defined] # functions do take attributes
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Whether the view was marked."""
    return getattr(view, "is_public", False) is True
