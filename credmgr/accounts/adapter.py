"""How allauth behaves here: sign-in by user name and password, and nothing else."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from credmgr.accounts.administrators import is_local_administrator
from credmgr.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth publishes no types
    """Closes what is not offered, and keeps to our own words."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "User name and password do not match. Check both and try again.",
        "enter_current_password": "The password is not right. Check it and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Nobody signs up by himself."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """A disabled person is refused like an unknown one: allauth would show a page of its own.

        Where single sign-on is required, so is everybody but administrators of every directory.
        """
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is None or not user.is_active:
            return None
        if settings.SSO_REQUIRED and not (isinstance(user, User) and is_local_administrator(user)):
            named = {"username": user.get_username()}
            user_login_failed.send(sender=__name__, credentials=named, request=request)
            return None
        return user

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """No JSON form of the sign-in page: it would describe the form with what was typed."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only paths of this server: another port of localhost is another program."""
        return bool(url) and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def add_message(self, *_arguments: Any, **_named: Any) -> None:
        """The pages say themselves what happened."""
