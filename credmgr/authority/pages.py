"""Small pages for people who follow a link to the authority: what a code means, and that nobody signs
in here.
"""

import uuid
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import reverse

from credmgr import aadsts


def authorize_page() -> str:
    """MSAL needs an authorization endpoint in the metadata; people who end here learn what is offered."""
    return render_to_string(
        "authority/page.html",
        {
            "heading": "Interactive sign-in is not offered",
            "paragraphs": [
                "This authority gives tokens to applications that prove themselves with a client secret or a "
                "certificate (the client credentials grant). People do not sign in here.",
                "In MSAL, use a confidential client and acquire_token_for_client.",
            ],
        },
    )


def consent_page(tenant_id: uuid.UUID | None, client_id: uuid.UUID | None) -> str:
    """Where consent is granted: in the portal, by somebody signed in there. tenant_id: None for whichever
    directory that person works in.
    """
    address = reverse("portal:enterprise_application_new")
    if tenant_id is not None:
        address = reverse("portal:directory_consent", args=[tenant_id])
    if client_id is not None:
        address = f"{address}?{urlencode({'client_id': str(client_id)})}"
    return render_to_string(
        "authority/page.html",
        {
            "heading": "Consent is granted in the portal",
            "paragraphs": [
                "An administrator signs in there, sees what the application would get in the directory, and "
                "grants consent.",
            ],
            "link": address,
            "link_label": "Review the application" if client_id else "Add an application",
        },
    )


def error_page(code_text: str) -> tuple[str, int]:
    """(page, status) for a code of the catalogue; 404 for any other text, which is not repeated."""
    is_number = code_text.isascii() and code_text.isdigit() and len(code_text) <= 9
    entry = aadsts.CATALOGUE.get(int(code_text)) if is_number else None
    if entry is None:
        context: dict[str, object] = {
            "heading": "This code is not known here",
            "paragraphs": [
                "The address should end in the digits after AADSTS in the error text: /error?code=7000215."
            ],
        }
        return render_to_string("authority/page.html", context), 404
    context = {
        "heading": f"AADSTS{entry.code}",
        "entry": entry,
        "is_emitted": entry.can_be_emitted,
    }
    return render_to_string("authority/page.html", context), 200
