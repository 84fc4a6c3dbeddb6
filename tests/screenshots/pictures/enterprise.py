"""Enterprise applications, and consent that brings them into a directory."""

from tests.screenshots.picture import Picture, page, panel

_PERMISSION = ("partner-app/principal", "graph", "mail-send")

PICTURES: list[Picture] = [
    page("enterprise-applications", "portal:enterprise_applications"),
    page("enterprise-applications-none", "portal:enterprise_applications", person="beginner"),
    page("enterprise-applications-not-found", "portal:enterprise_applications", query="?search=zzz"),
    page("enterprise-application", "portal:enterprise_application", "partner-app/principal"),
    panel("enterprise-disable", "portal:enterprise_application_enable", "partner-app/principal"),
    panel("enterprise-remove", "portal:enterprise_application_remove", "partner-app/principal"),
    panel("enterprise-grant", "portal:enterprise_application_grant", "partner-app/principal"),
    panel("enterprise-revoke", "portal:enterprise_application_revoke", *_PERMISSION),
    panel("consent", "portal:directory_consent", "directory"),
    page("consent-refused", "portal:directory_consent", "directory", query="?client_id=nonsense"),
    page("consent-review", "portal:directory_consent_review", "directory", "partner-gateway/client"),
    page("consent-given", "portal:directory_consent_review", "directory", "partner-app/client"),
    page("application-multitenant", "portal:application", "multitenant"),
]
