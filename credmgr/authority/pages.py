"""Small pages for people who follow a link to the authority: what a code means, and that nobody signs
in here.
"""

from django.template.loader import render_to_string

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
