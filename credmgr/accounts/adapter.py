"""How allauth behaves here: sign-in by user name and password, and nothing else."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


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
        """A disabled person is refused like an unknown one: allauth would show a page of its own."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """No JSON form of the sign-in page: it would describe the form with what was typed."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only paths of this server: another port of localhost is another program."""
        return bool(url) and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def add_message(self, *_arguments: Any, **_named: Any) -> None:
        """The pages say themselves what happened."""
