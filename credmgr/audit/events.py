"""Every kind of act that leaves an audit row: source, subject, action."""

from enum import StrEnum

from credmgr.accounts.roles import Right


class EventTag(StrEnum):
    """Stable names; they are stored."""

    SIGNED_IN = "account:session:signed-in"
    SIGN_IN_FAILED = "account:session:refused"
    SIGNED_OUT = "account:session:signed-out"
    STEPPED_UP = "account:session:confirmed"
    STEP_UP_FAILED = "account:session:not-confirmed"
    PASSWORD_CHANGED = "account:password:changed"  # noqa: S105 - a name, not a password
    ADMINISTRATOR_CREATED = "account:user:created"
    ADMINISTRATOR_RESET = "account:user:reset"
    PERSON_INVITED = "directory:person:invited"
    INVITATION_WITHDRAWN = "directory:person:invitation-withdrawn"
    INVITATION_ACCEPTED = "account:invitation:accepted"
    ROLES_CHANGED = "directory:person:roles-changed"
    PERSON_DISABLED = "account:user:disabled"
    PERSON_ENABLED = "account:user:enabled"
    SESSIONS_ENDED = "account:session:all-ended"
    SESSION_ENDED = "account:session:ended"
    ACCOUNT_UPDATED = "account:user:updated"
    SETUP_LINK_USED = "account:setup-link:used"
    SECOND_FACTOR_ADDED = "account:second-factor:added"
    SECOND_FACTOR_REMOVED = "account:second-factor:removed"
    SECOND_FACTORS_REMOVED = "account:second-factor:all-removed"
    SECOND_FACTOR_USED = "account:second-factor:used"
    SECOND_FACTOR_REFUSED = "account:second-factor:refused"
    RECOVERY_CODES_MADE = "account:recovery-codes:made"
    EXTERNAL_PERSON_CREATED = "account:external-person:created"
    EXTERNAL_ROLES_CHANGED = "account:external-person:roles-changed"
    EXTERNAL_SIGN_IN_REFUSED = "account:external-person:refused"
    PERMISSION_REFUSED = "account:permission:refused"
    APPLICATION_REGISTERED = "application:registered"
    APPLICATION_UPDATED = "application:updated"
    APPLICATION_DISABLED = "application:disabled"
    APPLICATION_ENABLED = "application:enabled"
    APPLICATION_DELETED = "application:deleted"
    APPLICATION_RESTORED = "application:restored"
    APPLICATION_PURGED = "application:deleted-permanently"
    # Not ":exported": this export asks for the right to manage, wherever it is called from.
    APPLICATION_EXPORTED = "application:export:sealed"
    APPLICATION_IMPORTED = "application:import:done"
    OWNER_ADDED = "application:owner:added"
    OWNER_REMOVED = "application:owner:removed"
    APP_ROLE_ADDED = "application:app-role:added"
    APP_ROLE_UPDATED = "application:app-role:updated"
    APP_ROLE_ENABLED = "application:app-role:enabled"
    APP_ROLE_DISABLED = "application:app-role:disabled"
    APP_ROLE_DELETED = "application:app-role:deleted"
    PERMISSION_REQUESTED = "application:permission:requested"
    PERMISSION_REMOVED = "application:permission:removed"
    CONSENT_GRANTED = "application:permission:granted"
    CONSENT_REVOKED = "application:permission:revoked"
    SECRET_ADDED = "application:secret:added"  # noqa: S105 - a name, not a password
    SECRET_IMPORTED = "application:secret:imported"  # noqa: S105 - a name, not a password
    SECRET_STORED = "application:secret:confirmed-stored"  # noqa: S105 - a name, not a password
    SECRET_DELETED = "application:secret:deleted"  # noqa: S105 - a name, not a password
    CERTIFICATE_ADDED = "application:certificate:added"
    CERTIFICATE_DELETED = "application:certificate:deleted"
    PRIVATE_KEY_FORGOTTEN = "application:certificate:private-key-forgotten"
    FEDERATED_ADDED = "application:federated-credential:added"
    FEDERATED_UPDATED = "application:federated-credential:updated"
    FEDERATED_DELETED = "application:federated-credential:deleted"
    FLOW_TESTED = "application:test:run"
    DIRECTORY_CREATED = "directory:created"
    DIRECTORY_RENAMED = "directory:renamed"
    DIRECTORY_DELETED = "directory:deleted"
    DOMAIN_ADDED = "directory:domain:added"
    DOMAIN_REMOVED = "directory:domain:removed"
    PRINCIPAL_ADDED = "directory:service-principal:added"
    PRINCIPAL_ENABLED = "directory:service-principal:enabled"
    PRINCIPAL_DISABLED = "directory:service-principal:disabled"
    PRINCIPAL_REMOVED = "directory:service-principal:removed"
    LIST_EXPORTED = "directory:applications:exported"
    DIRECTORY_ASSERTIONS_CHANGED = "directory:single-use-assertions:changed"
    DIRECTORY_SECOND_FACTOR_RULE = "directory:second-factor:rule-changed"
    ORIGIN_ADDED = "outbound:origin:added"
    ORIGIN_REMOVED = "outbound:origin:removed"
    DIRECTORY_MARKED_FOR_TESTS = "directory:testing:marked"
    DIRECTORY_UNMARKED_FOR_TESTS = "directory:testing:unmarked"
    DIRECTORY_TEST_SWITCHES_SET = "directory:testing:switches-set"
    SIGN_INS_EXPORTED = "directory:sign-ins:exported"
    AUDIT_EXPORTED = "audit:entries:exported"
    AUDIT_VERIFIED = "audit:chain:verified"
    TRIGGERS_RESTORED = "installation:triggers:restored"
    AUDIT_PURGED = "audit:entries:purged"
    SIGN_INS_SEALED = "audit:sign-ins:sealed"
    SIGN_INS_PURGED = "installation:sign-ins:purged"
    TEST_RUNS_PURGED = "installation:test-runs:purged"
    SIGNING_KEY_CREATED = "authority:signing-key:created"
    SIGNING_KEY_BROUGHT_FORWARD = "authority:signing-key:brought-forward"
    SIGNING_KEYS_REPLACED = "authority:signing-key:replaced"
    SIGNING_KEY_WITHDRAWN = "authority:signing-key:withdrawn"
    SIGNING_KEY_DELETED = "authority:signing-key:deleted"
    VAULT_KEY_ADDED = "vault:key:added"
    VAULT_KEY_ROTATED = "vault:key:rotated"
    VAULT_KEY_DROPPED = "vault:key:dropped"
    VAULT_KEY_UNKNOWN = "vault:key:unknown"
    BACKUP_MADE = "installation:backup:made"
    BACKUP_RESTORED = "installation:backup:restored"
    DEMO_LOADED = "directory:demo:loaded"
    DEMO_REMOVED = "directory:demo:removed"


_RIGHTS: dict[EventTag, Right] = {
    EventTag.APPLICATION_REGISTERED: Right.REGISTER,
    EventTag.CONSENT_GRANTED: Right.CONSENT,
    EventTag.CONSENT_REVOKED: Right.CONSENT,
    EventTag.PRINCIPAL_ADDED: Right.CONSENT,
    EventTag.PRINCIPAL_ENABLED: Right.CONSENT,
    EventTag.PRINCIPAL_DISABLED: Right.CONSENT,
    EventTag.PRINCIPAL_REMOVED: Right.CONSENT,
    EventTag.FLOW_TESTED: Right.TEST,
    EventTag.DIRECTORY_CREATED: Right.OPERATE,
    EventTag.DIRECTORY_DELETED: Right.OPERATE,
}
_RIGHTS_BY_SOURCE = {
    "application": Right.MANAGE,
    "directory": Right.ADMINISTER,
    "authority": Right.OPERATE,
    "outbound": Right.OPERATE,
    "vault": Right.OPERATE,
}


def right_for(tag: EventTag) -> Right | None:
    """The right that an act needs; None where having come this far is enough.

    That is: acts on one's own account, acts on people (which ask for all places of a person), and exports,
    whose page asked for what the rows need.
    """
    if tag.value.endswith(":exported"):
        return None
    return _RIGHTS.get(tag) or _RIGHTS_BY_SOURCE.get(tag.value.partition(":")[0])
