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


@dataclass(frozen=True)
class _Page:
    """A page that may stand in a navigation: `names` are the pages on which it counts as current."""

    name: str
    label: str
    icon: str
    also: tuple[str, ...] = ()


# What the built-in authority does with a registration; one that lives elsewhere has no such pages.
_BUILT_IN_ONLY = ("api_permissions", "application_expose", "application_roles", "application_sign_ins")
# Pages of one directory take its id in their address, those of the one in use may do without.
_MAIN: tuple[tuple[str, tuple[_Page, ...]], ...] = (
    (
        "",
        (
            _Page("applications", "App registrations", "apps", ("application_new", "application_import")),
            _Page(
                "enterprise_applications",
                "Enterprise applications",
                "app",
                (
                    "enterprise_application",
                    "enterprise_application_enable",
                    "enterprise_application_remove",
                    "enterprise_application_grant",
                    "enterprise_application_revoke",
                    "directory_consent",
                    "directory_consent_review",
                ),
            ),
            _Page("sign_ins", "Activity", "activity", ("audit", "sign_in")),
        ),
    ),
    (
        "Directory",
        (
            _Page(
                "directory",
                "Overview",
                "building",
                (
                    "directory_rename",
                    "directory_domain_new",
                    "directory_domain_remove",
                    "directory_delete",
                    "directory_assertions",
                    "directory_second_factor",
                ),
            ),
            _Page("directory_testing", "Testing", "settings", ("directory_testing_mark",)),
            _Page(
                "people",
                "Users",
                "people",
                (
                    "person",
                    "person_add",
                    "person_roles",
                    "person_disable",
                    "person_enable",
                    "person_end_sessions",
                    "person_remove_factors",
                    "invitation_new",
                    "invitation_withdraw",
                ),
            ),
            _Page("directories", "Manage directories", "board", ("directory_new",)),
        ),
    ),
    (
        "Tools",
        (
            _Page("decode", "Decode token", "code"),
            _Page("aadsts", "AADSTS codes", "stethoscope", ("aadsts_code",)),
        ),
    ),
    (
        "Server",
        (
            _Page("origins", "Allowed origins", "globe", ("origin_new", "origin_remove")),
            _Page(
                "signing_keys",
                "Signing keys",
                "certificate",
                ("signing_key", "signing_key_roll", "signing_key_replace", "signing_key_withdraw"),
            ),
        ),
    ),
)
_APPLICATION: tuple[tuple[str, tuple[_Page, ...]], ...] = (
    (
        "",
        (
            _Page(
                "application",
                "Overview",
                "apps",
                ("application_endpoints", "application_export", "application_delete", "application_disable"),
            ),
            _Page("code", "Use it from your code", "code"),
        ),
    ),
    (
        "Manage",
        (
            _Page(
                "credentials",
                "Certificates & secrets",
                "key",
                (
                    "secrets",
                    "secret_new",
                    "secret_delete",
                    "secret_stored",
                    "certificates",
                    "certificate_new",
                    "certificate",
                    "certificate_delete",
                    "certificate_forget_key",
                    "federated",
                    "federated_new",
                    "federated_edit",
                    "federated_delete",
                ),
            ),
            _Page(
                "api_permissions",
                "API permissions",
                "shield-ok",
                (
                    "api_permission_new",
                    "api_permissions_grant",
                    "api_permission_remove",
                    "api_permission_revoke",
                ),
            ),
            _Page("application_expose", "Expose an API", "globe", ("application_identifier_uri",)),
            _Page(
                "application_roles",
                "App roles",
                "identify",
                ("app_role_new", "app_role", "app_role_enable", "app_role_delete"),
            ),
            _Page("application_properties", "Branding & properties", "tag"),
            _Page("application_owners", "Owners", "people", ("application_owner_remove",)),
        ),
    ),
    (
        "Monitor",
        (
            _Page("tests", "Token tests", "play", ("test", "test_new", "test_compare", "test_compare_new")),
            _Page("application_sign_ins", "Sign-ins", "activity"),
            _Page("application_audit", "Audit log", "history"),
        ),
    ),
)


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
            request, _MAIN, _current(request, directory), directory.pk if directory else None
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
    groups = _groups(request, _APPLICATION, _name_of(request), application.pk)
    if not application.is_external:
        return groups
    return [
        Group(group.heading, [entry for entry in group.entries if entry.name not in _BUILT_IN_ONLY])
        for group in groups
    ]


def _groups(
    request: HttpRequest,
    groups: tuple[tuple[str, tuple[_Page, ...]], ...],
    here: str,
    object_id: uuid.UUID | None,
) -> list[Group]:
    made = (Group(heading, _entries(request, pages, here, object_id)) for heading, pages in groups)
    return [group for group in made if group.entries]


def _entries(
    request: HttpRequest, pages: tuple[_Page, ...], here: str, object_id: uuid.UUID | None
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
