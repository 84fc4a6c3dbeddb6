"""Addresses of sign-in and of one's own account. The names are allauth's where it has one: no namespace.

Only these of allauth's pages exist: nothing of sign-up, e-mail addresses or self-service reset.
"""

from django.urls import path

from credmgr.portal.views import (
    account,
    confirming,
    factors,
    invitations,
    second_factor,
    sign_in,
    single_sign_on,
)

urlpatterns = [
    path("account", account.account, name="account"),
    path("account/login", sign_in.sign_in, name="account_login"),
    path("account/logout", sign_in.sign_out, name="account_logout"),
    path("account/password", account.change_password, name="account_change_password"),
    path("account/sessions/end", account.end_sessions, name="account_end_sessions"),
    path("account/confirm", confirming.confirm, name="account_confirm"),
    path("account/second-factors", factors.factors, name="account_factors"),
    path("account/second-factors/app", factors.factor_app, name="account_factor_app"),
    path("account/second-factors/passkey", factors.factor_passkey, name="account_factor_passkey"),
    path("account/second-factors/remove", factors.factor_remove, name="account_factor_remove"),
    path("account/second-factors/recovery-codes", factors.recovery_codes, name="account_recovery_codes"),
    path("account/login/second-factor", second_factor.second_factor, name="mfa_authenticate"),
    path("account/single-sign-on", single_sign_on.begin, name="account_sso"),
    path("account/single-sign-on/callback", single_sign_on.callback, name="account_sso_callback"),
    path("account/single-sign-on/confirm", single_sign_on.confirm, name="account_sso_confirm"),
    path("account/single-sign-on/refused", single_sign_on.refused, name="account_sso_refused"),
    path("account/invitation", invitations.invitation, name="account_invitation_form"),
    path("account/invitation/<str:token>", invitations.invitation_link, name="account_invitation"),
    path("account/setup", sign_in.setup, name="account_setup_form"),
    path("account/setup/<str:token>", sign_in.setup_link, name="account_setup"),
]
