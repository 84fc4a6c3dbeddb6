"""Sign-ins and the audit log."""

from tests.screenshots.picture import Picture, page, panel
from tests.screenshots.steps import click, open_menu

PICTURES: list[Picture] = [
    page("sign-ins", "portal:sign_ins"),
    page("sign-ins-none", "portal:sign_ins", person="beginner"),
    page("sign-ins-filtered-none", "portal:sign_ins", query="?search=nothing-like-it"),
    page(
        "sign-ins-search-stopped",
        "portal:sign_ins",
        query="?time=kept&resource=https://nothing.example",
        person="archivist",
    ),
    page(
        "sign-ins-counted-in-part",
        "portal:sign_ins",
        query="?time=kept&resource=https://graph.microsoft.com",
        person="archivist",
    ),
    page("sign-ins-refused", "portal:sign_ins", query="?time=30d&result=failure"),
    page("sign-ins-complaint", "portal:sign_ins", query="?code=abc"),
    page("sign-ins-time", "portal:sign_ins", then=open_menu("Time: Last 24 hours")),
    page("sign-ins-filters", "portal:sign_ins", query="?ip=10.24.6.11", then=open_menu("Add filter")),
    page("sign-ins-numbers", "portal:sign_ins", then=click("details.reveal summary")),
    page("sign-in-done", "portal:sign_in", "sign-in/done"),
    page("sign-in-refused", "portal:sign_in", "sign-in/refused"),
    page("application-sign-ins", "portal:application_sign_ins", "harbor"),
    page("application-sign-ins-none", "portal:application_sign_ins", "bare"),
    page("audit", "portal:audit"),
    page("audit-filtered-none", "portal:audit", query="?search=nothing-like-it"),
    page("audit-search-stopped", "portal:audit", query="?search=nothing-like-it", person="archivist"),
    page("audit-time", "portal:audit", then=open_menu("Time: Any time")),
    panel("audit-export", "portal:audit_export"),
    page("application-audit", "portal:application_audit", "harbor"),
]
