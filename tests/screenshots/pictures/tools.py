"""Tools, errors, and the authority's own pages."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, state

_NOTHING = "00000000-0000-0000-0000-000000000000"
PICTURES: list[Picture] = [
    page("decode", "portal:decode"),
    page("decode-verified", "portal:decode", then=do.a_token),
    page("decode-error", "portal:decode", then=do.after(do.fill(token="no token"), do.send("Decode"))),
    page(
        "decode-unknown-issuer",
        "portal:decode",
        then=do.after(do.fill(token=do.FOREIGN_TOKEN), do.send("Decode")),
    ),
    page("aadsts", "portal:aadsts"),
    page("aadsts-none", "portal:aadsts", query="?search=nothing-like-it"),
    page("aadsts-code", "portal:aadsts_code", "7000215"),
    page("aadsts-code-not-answered", "portal:aadsts_code", "53003"),
    page("aadsts-unknown", "portal:aadsts_code", "1"),
    page("help", "portal:help"),
    page("error-404", "portal:application", _NOTHING),
    page("error-404-stranger", "portal:application", _NOTHING, person="stranger"),
    page("error-400", "portal:decode", then=do.after(do.stuff_the_form, do.without_required_marks("Decode"))),
    page("error-csrf", "account", then=do.after(do.forget_the_form, do.send("Save name"))),
    page(
        "error-413",
        "portal:certificate_new",
        "bare",
        then=do.after(do.attach(certificate_file="huge.crt"), do.send("Add")),
    ),
    page("error-403", "portal:application_new", person="noor"),
    state("error-500", do.error_page("error-500"), "robin"),
    state("error-503", do.error_page("error-503"), "robin"),
    state("authority-error", do.at_the_authority("/error?code=7000215")),
    state("authority-error-not-answered", do.at_the_authority("/error?code=53003")),
    state("authority-error-unknown", do.at_the_authority("/error?code=1")),
    state("authority-authorize", do.at_the_authority("/{tenant}/oauth2/v2.0/authorize")),
]
