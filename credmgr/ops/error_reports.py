"""What an error report may show (security rule G-2): the same with DEBUG on and off."""

import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class ReportFilter(SafeExceptionReporterFilter):
    """Hides what has a telling name, every form field and every `sensitive_variables`, with DEBUG on too."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|CREDENTIAL|COOKIE|ASSERTION|DATABASE_URL|CODE",
        re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:  # noqa: ARG002 - Django's signature
        """Always: an error page with DEBUG is still a page that somebody photographs."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """No form field's value at all: most forms here carry a credential."""
        if request is None:
            return {}
        return dict.fromkeys(request.POST, self.cleansed_substitute)
