"""Coming in, and one's own account."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel, state

PICTURES: list[Picture] = [
    page("login", "account_login", person="stranger"),
    page("login-error", "account_login", person="stranger", then=do.wrong_password(1)),
    page("login-empty", "account_login", person="stranger", then=do.without_required_marks("Sign in")),
    page("login-throttled", "account_login", person="stranger", then=do.wrong_password(6)),
    page("login-session-ended", "portal:applications", person="idle"),
    page("login-nobody-yet", "account_login", person="newcomer"),
    state("setup", do.by_the_setup_link, "newcomer"),
    state(
        "setup-error",
        do.after(
            do.by_the_setup_link,
            do.fill(user_name="robin", password1="short", password2="other"),
            do.send("Create administrator and sign in"),
        ),
        "newcomer",
    ),
    page("setup-unavailable", "account_setup", "not-a-link", person="stranger"),
    page("setup-form-unavailable", "account_setup_form", person="stranger"),
    page("logout", "account_logout"),
    page("account", "account"),
    page("password", "account_change_password"),
    page(
        "password-error",
        "account_change_password",
        then=do.after(
            do.fill(current="wrong", password1="short", password2="other"), do.send("Change password")
        ),
    ),
    page("confirm", "account_confirm", query="?next=/applications/export", person="stale"),
    page("confirm-sessions", "account_confirm", query="?next=/account", person="stale"),
    page("confirm-done", "account_confirm", query="?next=/applications/export"),
    page("second-factors", "account_factors"),
    page("second-factors-none", "account_factors", person="beginner"),
    page("second-factor-app", "account_factor_app", person="beginner"),
    page("passkey-add", "account_factor_passkey"),
    page("passkey-add-stale", "account_factor_passkey", person="stale"),
    page("second-factor-key", "account_factor_app", person="beginner", then=do.send("Show the key")),
    page(
        "second-factor-key-error",
        "account_factor_app",
        person="beginner",
        then=do.after(do.send("Show the key"), do.fill(code="000000"), do.send("Turn on")),
    ),
    panel("second-factor-remove", "account_factor_remove", query="?factor={factor}", over="account_factors"),
    panel("recovery-codes-new", "account_recovery_codes"),
    page("recovery-codes", "account_recovery_codes", then=do.send("Make new codes")),
    page("sign-in-second-factor", "mfa_authenticate", person="stranger", then=do.half_way_in()),
    page("sign-in-second-factor-error", "mfa_authenticate", person="stranger", then=do.half_way_in("000000")),
]
