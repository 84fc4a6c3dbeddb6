"""Every page and state that is pictured, a file per subject; and the addresses without a picture.

page(name, route, *things, ...)   a page: `things` are the arguments of its address, named in furnishing.py
panel(name, route, *things, ...)  a side panel, over the page it belongs to and at its own address
state(name, step, ...)            what no address of the portal's map leads to
"""

from tests.screenshots.picture import Picture
from tests.screenshots.pictures import (
    accounts,
    applications,
    credentials,
    directories,
    enterprise,
    flow_tests,
    logs,
    origins,
    people,
    permissions,
    signing_keys,
    tools,
)

ALL: list[Picture] = [
    *accounts.PICTURES,
    *applications.PICTURES,
    *credentials.PICTURES,
    *permissions.PICTURES,
    *flow_tests.PICTURES,
    *logs.PICTURES,
    *directories.PICTURES,
    *enterprise.PICTURES,
    *origins.PICTURES,
    *people.PICTURES,
    *signing_keys.PICTURES,
    *tools.PICTURES,
]
PICTURES = {picture.name: picture for picture in ALL}

# name of an address -> why there is no picture of it
WITHOUT_PICTURE = {
    "portal:home": "leads on to App registrations",
    "portal:applications_export": "a file",
    "portal:sign_ins_export": "a file",
    "portal:application_sign_ins_export": "a file",
    "portal:audit_verify": "answers POST only, and leads back to the audit log",
    "portal:certificate_download": "a file",
    "portal:certificate_examine": "answers POST only; its findings are in certificate-upload-findings",
    "portal:directory_switches_off": "answers POST only, and leads back to Testing",
    "portal:directory_switch": "answers POST only, and leads on to App registrations",
    "portal:signing_key_download": "a file",
    "portal:enterprise_application_new": "leads on to the consent of the directory in use",
    "portal:secret_stored": "answers POST only; what it says is in secret-unstored",
    "portal:theme": "answers POST only, and leads back",
    "portal:test_compare_chosen": "leads on to the comparison, or back to the list with a sentence",
    "account_sso": "leads on to the provider; without one it is not there",
    "account_sso_callback": "leads back from the provider",
    "account_sso_confirm": "leads on to the provider",
    "account_sso_refused": "needs a provider; tests/peers looks at it in a browser",
    "account_end_sessions": "answers POST only, and leads to the sign-in page",
    "health_live": "for programs",
    "health_ready": "for programs",
    "metrics": "for programs",
    "ca_certificate": "a file",
}
