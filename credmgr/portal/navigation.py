"""What the frame around every page needs to know: who is here, where one can go, which theme."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.membership.queries import directories_for
from credmgr.portal.access import Can, directory_in_use, may, standing_in
from credmgr.portal.menus import APPLICATION, BUILT_IN_ONLY, MAIN, Menu, Page
from credmgr.portal.needs import need_of
from credmgr.portal.switch_words import banner_of
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.queries import NamedDirectory, named_directories

# `__Host-` cookies need https; on the plain loopback listener the name is bare.
THEME_COOKIE = "__Host-theme" if settings.SESSION_COOKIE_SECURE else "theme"
THEMES = ("light", "dark")
# So many directories stand in the top bar's menu; the page that lists them has the rest.
_MENU_DIRECTORIES = 12


@dataclass(frozen=True)
class Entry:
    """A link of a navigation. name: of its page's address; current: whether one is there."""

    name: str
    label: str
    icon: str
    address: str
    current: bool = False


@dataclass(frozen=True)
class Group:
    """Entries under one heading; the first group has none."""

    heading: str
    entries: list[Entry]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for base.html. Without a signed-in person only the theme: such pages have no navigation."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    context: dict[str, Any] = {
        "theme": theme if theme in THEMES else "",
        "theme_cookie": THEME_COOKIE,
        "now": timezone.now(),
    }
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_authenticated:
        return context
    directory = directory_in_use(request)
    return context | {
        "person": user,
        "can": Can(request),
        "tenant": directory,
        "switch_banner": banner_of(directory, context["now"]) if directory else None,
        "directories": _menu_directories(request, directory),
        "navigation": _groups(
            request, MAIN, _current(request, directory), directory.pk if directory else None
        ),
        "account_entries": [
            entry
            for entry in (
                _link("account", "Your account", "person"),
                _link("account_change_password", "Change password", "key")
                if _has_password(request, user)
                else None,
                _link("account_factors", "Second factors", "passkey"),
            )
            if entry
        ],
        "sign_out_address": address("account_logout"),
    }


def _has_password(request: HttpRequest, user: User) -> bool:
    """Nobody who came by single sign-on has one, unless the console set it."""
    return user.has_usable_password() or not sessions.is_from_provider(request.session, user)


def _menu_directories(request: HttpRequest, in_use: Tenant | None) -> list[NamedDirectory]:
    """The first ones by name, the one in use among them."""
    found = named_directories(directories_for(standing_in(request)), _MENU_DIRECTORIES)
    if in_use is not None and all(each.id != in_use.pk for each in found):
        found = [NamedDirectory(in_use.pk, in_use.name, ""), *found]
    return found


def _current(request: HttpRequest, in_use: Tenant | None) -> str:
    """The page that counts as current: an application's belong to the list, so do another directory's."""
    arguments = _arguments_of(request)
    if "application_id" in arguments:
        return "applications"
    if "directory_id" in arguments and (in_use is None or arguments["directory_id"] != in_use.pk):
        return "directories"
    return _name_of(request)


def application_menu(request: HttpRequest, application: Application) -> list[Group]:
    """The menu of one application: only entries whose page exists for it and may be opened."""
    groups = _groups(request, APPLICATION, _name_of(request), application.pk)
    if not application.is_external:
        return groups
    return [
        Group(group.heading, [entry for entry in group.entries if entry.name not in BUILT_IN_ONLY])
        for group in groups
    ]


def _groups(
    request: HttpRequest,
    groups: Menu,
    here: str,
    object_id: uuid.UUID | None,
) -> list[Group]:
    made = (Group(heading, _entries(request, pages, here, object_id)) for heading, pages in groups)
    return [group for group in made if group.entries]


def _entries(
    request: HttpRequest, pages: tuple[Page, ...], here: str, object_id: uuid.UUID | None
) -> list[Entry]:
    """Those that the person may open. object_id: goes into the addresses that take one."""
    entries = []
    for page in pages:
        right = need_of(f"portal:{page.name}", "GET")
        if right is not None and not may(request, right):
            continue
        with_id = address(f"portal:{page.name}", object_id) if object_id else ""
        found = with_id or address(f"portal:{page.name}")
        if found:
            current = here == page.name or here in page.also
            entries.append(Entry(page.name, page.label, page.icon, found, current))
    return entries


def _link(name: str, label: str, icon: str) -> Entry | None:
    found = address(name)
    return Entry(name, label, icon, found) if found else None


def address(name: str, *arguments: object) -> str:
    """The address of a page, empty where there is no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def _name_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.url_name or "" if match else ""


def _arguments_of(request: HttpRequest) -> dict[str, Any]:
    match = request.resolver_match
    return match.kwargs if match else {}
