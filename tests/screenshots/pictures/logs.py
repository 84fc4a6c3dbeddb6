"""Sign-ins and the audit log."""

from tests.screenshots.picture import Picture, page

PICTURES: list[Picture] = [
    page("sign-ins", "portal:sign_ins"),
    page("sign-ins-none", "portal:sign_ins", person="beginner"),
    page("sign-ins-filtered-none", "portal:sign_ins", query="?search=nothing-like-it"),
    page("sign-in-done", "portal:sign_in", "sign-in/done"),
    page("sign-in-refused", "portal:sign_in", "sign-in/refused"),
    page("application-sign-ins", "portal:application_sign_ins", "harbor"),
    page("application-sign-ins-none", "portal:application_sign_ins", "bare"),
    page("audit", "portal:audit"),
    page("audit-filtered-none", "portal:audit", query="?search=nothing-like-it"),
    page("application-audit", "portal:application_audit", "harbor"),
]
