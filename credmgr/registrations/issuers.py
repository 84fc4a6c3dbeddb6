"""What the address of an OpenID Connect issuer may look like. It is kept to the letter. No ORM here."""

from urllib.parse import urlsplit

from credmgr.registrations.naming import has_control_characters

ISSUER_MAX = 600


def issuer_refusal(typed: str) -> tuple[str, str] | None:
    """(code, sentence) why this is no issuer (OpenID Connect Core 1.0, section 2); None when it is one."""
    if not typed:
        return "issuer_missing", "Enter the issuer."
    if len(typed) > ISSUER_MAX:
        sentence = f"The issuer has {len(typed)} characters. Shorten it to {ISSUER_MAX} or fewer."
        return "issuer_too_long", sentence
    if has_control_characters(typed):
        sentence = "The issuer holds line breaks or invisible control characters. Type it again without them."
        return "issuer_characters", sentence
    if typed != typed.strip():
        sentence = "The issuer begins or ends with a space. Remove it: every character is compared."
        return "issuer_space", sentence
    return _address_refusal(typed)


def _address_refusal(issuer: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(issuer)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, is_whole = urlsplit(""), False
    if not issuer.startswith(("https://", "http://")) or not is_whole:
        return (
            "issuer_form",
            "The issuer is an address that begins with https://, such as https://idp.example.com.",
        )
    if "?" in issuer or "#" in issuer or "@" in parts.netloc or "\\" in issuer or " " in issuer:
        return (
            "issuer_parts",
            "The issuer has only a host and a path: remove spaces, user names, backslashes, ? and #.",
        )
    return None
