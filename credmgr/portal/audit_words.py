"""What audit rows say to a person: each kind of act in words, and what it changed."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import verdict_words
from credmgr.portal import words

TAG_WORDS: dict[EventTag, str] = {
    EventTag.SIGNED_IN: "Signed in",
    EventTag.SIGN_IN_FAILED: "Sign-in refused",
    EventTag.SIGNED_OUT: "Signed out",
    EventTag.STEPPED_UP: "Password confirmed",
    EventTag.STEP_UP_FAILED: "Password not confirmed",
    EventTag.PASSWORD_CHANGED: "Password changed",
    EventTag.ADMINISTRATOR_CREATED: "Administrator created",
    EventTag.ADMINISTRATOR_RESET: "Administrator's password reset",
    EventTag.ACCOUNT_UPDATED: "Account changed",
    EventTag.SETUP_LINK_USED: "Set-up link used",
    EventTag.SECOND_FACTOR_ADDED: "Second factor added",
    EventTag.SECOND_FACTOR_REMOVED: "Second factor removed",
    EventTag.SECOND_FACTORS_REMOVED: "All second factors removed",
    EventTag.SECOND_FACTOR_USED: "Second factor given",
    EventTag.SECOND_FACTOR_REFUSED: "Second factor refused",
    EventTag.RECOVERY_CODES_MADE: "Recovery codes made",
    EventTag.EXTERNAL_PERSON_CREATED: "User made by single sign-on",
    EventTag.EXTERNAL_ROLES_CHANGED: "Roles changed by single sign-on",
    EventTag.EXTERNAL_SIGN_IN_REFUSED: "Single sign-on refused",
    EventTag.PERMISSION_REFUSED: "Permission refused",
    EventTag.PERSON_INVITED: "User invited",
    EventTag.INVITATION_WITHDRAWN: "Invitation withdrawn",
    EventTag.INVITATION_ACCEPTED: "Invitation accepted",
    EventTag.ROLES_CHANGED: "Roles changed",
    EventTag.PERSON_DISABLED: "User disabled",
    EventTag.PERSON_ENABLED: "User enabled",
    EventTag.SESSIONS_ENDED: "Signed out everywhere",
    EventTag.SESSION_ENDED: "Session ended",
    EventTag.APPLICATION_REGISTERED: "Application registered",
    EventTag.APPLICATION_UPDATED: "Application updated",
    EventTag.APPLICATION_DISABLED: "Application disabled",
    EventTag.APPLICATION_ENABLED: "Application enabled",
    EventTag.APPLICATION_DELETED: "Application deleted",
    EventTag.APPLICATION_RESTORED: "Application restored",
    EventTag.APPLICATION_PURGED: "Application deleted permanently",
    EventTag.APPLICATION_EXPORTED: "Application exported with its credentials",
    EventTag.APPLICATION_IMPORTED: "Application imported",
    EventTag.OWNER_ADDED: "Owner added",
    EventTag.OWNER_REMOVED: "Owner removed",
    EventTag.APP_ROLE_ADDED: "App role added",
    EventTag.APP_ROLE_UPDATED: "App role changed",
    EventTag.APP_ROLE_ENABLED: "App role enabled",
    EventTag.APP_ROLE_DISABLED: "App role disabled",
    EventTag.APP_ROLE_DELETED: "App role deleted",
    EventTag.PERMISSION_REQUESTED: "API permission requested",
    EventTag.PERMISSION_REMOVED: "API permission removed",
    EventTag.CONSENT_GRANTED: "Admin consent granted",
    EventTag.CONSENT_REVOKED: "Admin consent revoked",
    EventTag.SECRET_ADDED: "Client secret added",
    EventTag.SECRET_IMPORTED: "Existing client secret added",
    EventTag.SECRET_STORED: "Client secret confirmed as stored",
    EventTag.SECRET_DELETED: "Client secret deleted",
    EventTag.CERTIFICATE_ADDED: "Certificate added",
    EventTag.CERTIFICATE_DELETED: "Certificate deleted",
    EventTag.PRIVATE_KEY_FORGOTTEN: "Private key forgotten",
    EventTag.FEDERATED_ADDED: "Federated credential added",
    EventTag.FEDERATED_UPDATED: "Federated credential updated",
    EventTag.FEDERATED_DELETED: "Federated credential deleted",
    EventTag.FLOW_TESTED: "Token test run",
    EventTag.DIRECTORY_CREATED: "Directory created",
    EventTag.DIRECTORY_RENAMED: "Directory renamed",
    EventTag.DIRECTORY_DELETED: "Directory deleted",
    EventTag.DOMAIN_ADDED: "Domain added",
    EventTag.DOMAIN_REMOVED: "Domain removed",
    EventTag.PRINCIPAL_ADDED: "Enterprise application added",
    EventTag.PRINCIPAL_ENABLED: "Enterprise application enabled",
    EventTag.PRINCIPAL_DISABLED: "Enterprise application disabled",
    EventTag.PRINCIPAL_REMOVED: "Enterprise application removed",
    EventTag.LIST_EXPORTED: "List of applications exported",
    EventTag.DIRECTORY_ASSERTIONS_CHANGED: "Use of client assertions changed",
    EventTag.DIRECTORY_SECOND_FACTOR_RULE: "Rule on second factors changed",
    EventTag.ORIGIN_ADDED: "Allowed origin added",
    EventTag.ORIGIN_REMOVED: "Allowed origin removed",
    EventTag.DIRECTORY_MARKED_FOR_TESTS: "Directory marked as a test directory",
    EventTag.DIRECTORY_UNMARKED_FOR_TESTS: "Directory no longer a test directory",
    EventTag.DIRECTORY_TEST_SWITCHES_SET: "Test switches set",
    EventTag.SIGN_INS_EXPORTED: "Sign-ins exported",
    EventTag.AUDIT_EXPORTED: "Audit log exported",
    EventTag.AUDIT_VERIFIED: "Audit log verified",
    EventTag.TRIGGERS_RESTORED: "Missing database triggers made again",
    EventTag.AUDIT_PURGED: "Old audit entries deleted",
    EventTag.SIGN_INS_SEALED: "Sign-ins sealed",
    EventTag.SIGN_INS_PURGED: "Old sign-ins purged",
    EventTag.TEST_RUNS_PURGED: "Old token tests purged",
    EventTag.SIGNING_KEY_CREATED: "Signing key created",
    EventTag.SIGNING_KEY_BROUGHT_FORWARD: "Signing key brought forward",
    EventTag.SIGNING_KEYS_REPLACED: "Signing key replaced at once",
    EventTag.SIGNING_KEY_WITHDRAWN: "Signing key withdrawn",
    EventTag.SIGNING_KEY_DELETED: "Retired signing key deleted",
    EventTag.BACKUP_MADE: "Backup made",
    EventTag.BACKUP_RESTORED: "Backup restored",
    EventTag.VAULT_KEY_ADDED: "Vault key added",
    EventTag.VAULT_KEY_ROTATED: "Encryption key rotated",
    EventTag.VAULT_KEY_DROPPED: "Vault key dropped",
    EventTag.VAULT_KEY_UNKNOWN: "Encryption key unknown",
    EventTag.DEMO_LOADED: "Demo data loaded",
    EventTag.DEMO_REMOVED: "Demo data removed",
}


_CAPITAL = re.compile(r"([A-Z])")
# Fields whose name in the API says less than the word on the page.
_LABELS = {
    "displayName": "Name",
    "identifierUri": "Application ID URI",
    "signInAudience": "Supported account types",
    "requestedAccessTokenVersion": "Access token version",
    "isDisabled": "Disabled",
    "appRoleAssignmentRequired": "Assignment required",
    "ipAddress": "IP address",
    "includesIdtyp": "Claim idtyp",
    "allowedMemberTypes": "Member types",
    "startDateTime": "Start",
    "endDateTime": "End",
    "ownCa": "Own CA",
    "is_enabled": "Enabled",
    "isEnabled": "Enabled",
    "thumbprint": "SHA-1 thumbprint",
    "thumbprintSha256": "SHA-256 thumbprint",
    "clientId": "Application (client) ID",
}


def activity(event: AuditEvent) -> str:
    """The act in words. A tag of a newer version is shown as it is stored."""
    return TAG_WORDS[EventTag(event.tag)] if event.tag in set(EventTag) else event.tag


def changes(recorded: Mapping[str, Any]) -> list[str]:
    """ "Name: Old name, now New name" per field; a field that had nothing before says only what it is.

    Nothing, zero and no that were nothing, zero and no before are left out: they tell nothing.
    """
    if recorded.keys() >= {"verdict", "error_code"}:
        return _test(recorded)
    lines = (_change(name, value) for name, value in recorded.items())
    return [line for line in lines if line]


def _test(recorded: Mapping[str, Any]) -> list[str]:
    """What came of a token test, then with what."""
    after = {name: value[1] for name, value in recorded.items()}
    first = verdict_words(FlowRun(verdict=after["verdict"], error_code=after["error_code"]))
    is_built_in = str(after.get("authority", "")).startswith(f"{settings.AUTHORITY_URL}/")
    # The built-in authority, and the application's own client ID there, go without saying.
    told = ["scope"] if is_built_in else ["scope", "authority", "client_id"]
    told += ["privateKey", "rawToken"]
    return [first, *(_change(name, after[name]) for name in told if after.get(name))]


def _change(name: str, value: Any) -> str:
    """Empty where there is nothing to tell."""
    label = _LABELS.get(name) or _CAPITAL.sub(r" \1", name).replace("_", " ").capitalize()
    if not (isinstance(value, list) and len(value) == 2):
        return f"{label}: {_value(value)}"
    before, after = value
    if not before and before is not False:  # it had nothing; a no is something
        return f"{label}: {_value(after)}" if after else ""
    return f"{label}: {_value(before)}, now {_value(after) or 'empty'}"


def _value(value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else words.machine_time(str(value))
