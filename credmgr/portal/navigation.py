"""What the frame around every page needs to know."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for base.html."""
    return {}
