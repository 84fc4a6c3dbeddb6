"""Every kind of act that leaves an audit row: source, subject, action."""

from enum import StrEnum


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
    ACCOUNT_UPDATED = "account:user:updated"
    SETUP_LINK_USED = "account:setup-link:used"
    PERMISSION_REFUSED = "account:permission:refused"
    APPLICATION_REGISTERED = "application:registered"
    APPLICATION_UPDATED = "application:updated"
    APPLICATION_DISABLED = "application:disabled"
    APPLICATION_ENABLED = "application:enabled"
    APPLICATION_DELETED = "application:deleted"
    APPLICATION_RESTORED = "application:restored"
    APPLICATION_PURGED = "application:deleted-permanently"
    OWNER_ADDED = "application:owner:added"
    OWNER_REMOVED = "application:owner:removed"
    SECRET_ADDED = "application:secret:added"  # noqa: S105 - a name, not a password
    SECRET_STORED = "application:secret:confirmed-stored"  # noqa: S105 - a name, not a password
    SECRET_DELETED = "application:secret:deleted"  # noqa: S105 - a name, not a password
    CERTIFICATE_ADDED = "application:certificate:added"
    CERTIFICATE_DELETED = "application:certificate:deleted"
    PRIVATE_KEY_FORGOTTEN = "application:certificate:private-key-forgotten"
    FEDERATED_ADDED = "application:federated-credential:added"
    FEDERATED_UPDATED = "application:federated-credential:updated"
    FEDERATED_DELETED = "application:federated-credential:deleted"
    FLOW_TESTED = "application:test:run"
    LIST_EXPORTED = "directory:applications:exported"
    SIGNING_KEY_CREATED = "authority:signing-key:created"
    VAULT_KEY_ADDED = "vault:key:added"
    VAULT_KEY_ROTATED = "vault:key:rotated"
    VAULT_KEY_DROPPED = "vault:key:dropped"
    VAULT_KEY_UNKNOWN = "vault:key:unknown"
    DEMO_LOADED = "directory:demo:loaded"
    DEMO_REMOVED = "directory:demo:removed"
