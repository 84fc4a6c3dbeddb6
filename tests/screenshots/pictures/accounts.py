"""Coming in, and one's own account."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, state

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
]
