"""Which right each page asks for: one line a route, to look at (GET) and to act (POST).

A route that is not here needs a directory administrator. None: whoever is signed in.
"""

from dataclasses import dataclass

from credmgr.accounts.roles import Right


@dataclass(frozen=True)
class Need:
    """The rights for looking and for acting."""

    look: Right | None
    act: Right | None


_ANYBODY = Need(None, None)
_READ = Need(Right.READ, Right.READ)
_MANAGE = Need(Right.MANAGE, Right.MANAGE)
_CONSENT = Need(Right.CONSENT, Right.CONSENT)
_TEST = Need(Right.TEST, Right.TEST)
_READ_AUDIT = Need(Right.READ_AUDIT, Right.READ_AUDIT)
_ADMINISTER = Need(Right.ADMINISTER, Right.ADMINISTER)
_OPERATE = Need(Right.OPERATE, Right.OPERATE)
UNLISTED = _ADMINISTER

NEEDS: dict[str, Need] = {
    # ------------------------------------------------------------ one's own account, the frame, the tools
    "account": _ANYBODY,
    "account_logout": _ANYBODY,
    "account_change_password": _ANYBODY,
    "account_end_sessions": _ANYBODY,
    "account_confirm": _ANYBODY,
    "account_sso_confirm": _ANYBODY,
    "account_factors": _ANYBODY,
    "account_factor_app": _ANYBODY,
    "account_factor_passkey": _ANYBODY,
    "account_factor_remove": _ANYBODY,
    "account_recovery_codes": _ANYBODY,
    "portal:home": _ANYBODY,
    "portal:help": _ANYBODY,
    "portal:theme": _ANYBODY,
    "portal:aadsts": _ANYBODY,
    "portal:aadsts_code": _ANYBODY,
    "portal:decode": _ANYBODY,
    # ------------------------------------------------------------ registrations
    "portal:applications": _ANYBODY,  # the list shows what one may know of
    "portal:applications_export": _ANYBODY,
    "portal:application_new": Need(Right.REGISTER, Right.REGISTER),
    "portal:application_import": Need(Right.REGISTER, Right.REGISTER),
    "portal:application": _READ,
    "portal:application_endpoints": _READ,
    "portal:application_properties": Need(Right.READ, Right.MANAGE),
    "portal:application_owners": Need(Right.READ, Right.MANAGE),
    "portal:application_owner_remove": _MANAGE,
    "portal:application_disable": _MANAGE,
    "portal:application_export": _MANAGE,
    "portal:application_delete": _MANAGE,
    "portal:application_restore": _MANAGE,
    "portal:application_purge": _MANAGE,
    "portal:application_sign_ins": _READ,
    "portal:application_sign_ins_export": _READ,
    "portal:application_audit": _READ_AUDIT,
    "portal:code": _READ,
    # ------------------------------------------------------------ credentials
    "portal:credentials": _READ,
    "portal:secrets": _READ,
    "portal:secret_new": _MANAGE,
    "portal:secret_delete": _MANAGE,
    "portal:secret_stored": _MANAGE,
    "portal:certificates": _READ,
    "portal:certificate": _READ,
    "portal:certificate_download": _READ,
    "portal:certificate_new": _MANAGE,
    "portal:certificate_examine": _MANAGE,
    "portal:certificate_delete": _MANAGE,
    "portal:certificate_forget_key": _MANAGE,
    "portal:federated": _READ,
    "portal:federated_new": _MANAGE,
    "portal:federated_edit": _MANAGE,
    "portal:federated_delete": _MANAGE,
    # ------------------------------------------------------------ permissions and roles of applications
    "portal:application_expose": Need(Right.READ, Right.MANAGE),
    "portal:application_identifier_uri": _MANAGE,
    "portal:application_roles": _READ,
    "portal:app_role_new": _MANAGE,
    "portal:app_role": _MANAGE,
    "portal:app_role_enable": _MANAGE,
    "portal:app_role_delete": _MANAGE,
    "portal:api_permissions": _READ,
    "portal:api_permission_new": _MANAGE,
    "portal:api_permission_remove": _MANAGE,
    "portal:api_permissions_grant": _CONSENT,
    "portal:api_permission_revoke": _CONSENT,
    # ------------------------------------------------------------ tests
    "portal:tests": _READ,
    "portal:test": _READ,
    "portal:test_new": _TEST,
    "portal:test_compare_chosen": _READ,
    "portal:test_compare": _READ,
    "portal:test_compare_new": _TEST,
    # ------------------------------------------------------------ the directory
    "portal:directories": _ANYBODY,  # the list shows those that one may enter
    "portal:directory_switch": _ANYBODY,
    "portal:directory_new": _OPERATE,
    "portal:directory": _READ,
    "portal:directory_rename": _ADMINISTER,
    "portal:directory_domain_new": _ADMINISTER,
    "portal:directory_domain_remove": _ADMINISTER,
    "portal:directory_delete": _OPERATE,
    "portal:directory_assertions": _ADMINISTER,
    "portal:directory_second_factor": _ADMINISTER,
    "portal:directory_testing": _ADMINISTER,
    "portal:directory_testing_mark": _ADMINISTER,
    "portal:directory_switches_off": _ADMINISTER,
    "portal:enterprise_applications": _READ,
    "portal:enterprise_application": _READ,
    "portal:enterprise_application_new": _CONSENT,
    "portal:enterprise_application_enable": _CONSENT,
    "portal:enterprise_application_remove": _CONSENT,
    "portal:enterprise_application_grant": _CONSENT,
    "portal:enterprise_application_revoke": _CONSENT,
    "portal:directory_consent": _CONSENT,
    "portal:directory_consent_review": _CONSENT,
    "portal:sign_ins": _READ,
    "portal:sign_ins_export": _READ,
    "portal:sign_in": _READ,
    "portal:audit": _READ_AUDIT,
    "portal:audit_verify": _READ_AUDIT,
    "portal:audit_export": _READ_AUDIT,
    "portal:people": _ADMINISTER,
    "portal:person": _ADMINISTER,
    "portal:person_roles": _ADMINISTER,
    "portal:person_disable": _ADMINISTER,
    "portal:person_enable": _ADMINISTER,
    "portal:person_end_sessions": _ADMINISTER,
    "portal:person_remove_factors": _ADMINISTER,
    "portal:person_add": _ADMINISTER,
    "portal:invitation_new": _ADMINISTER,
    "portal:invitation_withdraw": _ADMINISTER,
    # ------------------------------------------------------------ the server
    "portal:signing_keys": _OPERATE,
    "portal:signing_key": _OPERATE,
    "portal:signing_key_download": _OPERATE,
    "portal:signing_key_roll": _OPERATE,
    "portal:signing_key_replace": _OPERATE,
    "portal:signing_key_withdraw": _OPERATE,
    "portal:origins": _OPERATE,
    "portal:origin_new": _OPERATE,
    "portal:origin_remove": _OPERATE,
}


def need_of(route: str, method: str) -> Right | None:
    """The right that a request for a route (its view name) needs."""
    need = NEEDS.get(route, UNLISTED)
    return need.look if method in ("GET", "HEAD", "OPTIONS") else need.act
