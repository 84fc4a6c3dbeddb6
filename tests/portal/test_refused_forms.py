"""Every form behind sign-in, filled with what it must refuse: 422, the text still in it, no password."""

from copy import copy
from typing import Any

import pytest
from django import forms
from django.db import transaction
from django.test import Client

from credmgr.accounts.models import User
from credmgr.portal.forms.base import UnseenTextarea
from credmgr.registrations.models import Tenant
from tests.acceptance.portal_session import Forms
from tests.portal.rights_scene import build, routes

pytestmark = pytest.mark.django_db
UNSEEN = "a-canary-typed-unseen-5"


class FilledForms(Forms):
    """Long texts and choices too: what a browser would send if the page were sent again as it came."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An input, a long text that begins, or a choice."""
        super().handle_starttag(tag, attrs)
        found = dict(attrs)
        if tag in {"textarea", "select"} and self.forms:
            self._inside = found.get("name") or ""
            self.forms[-1]["fields"][self._inside] = ""
        elif tag == "option" and "selected" in found:
            self.forms[-1]["fields"][self._inside] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """A long text or the choices end."""
        if tag in {"textarea", "select"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """The long text itself; the first line break belongs to the markup."""
        if self._inside and self.lasttag == "textarea":
            self.forms[-1]["fields"][self._inside] += data.removeprefix("\n")


# Too long for every field that has a limit, and no number, date or address.
TEXT = "typed-by-a-person-"
# Boxes that show nothing of what was typed: passwords, tokens.
FORGETFUL = (forms.PasswordInput, UnseenTextarea)
# Forms that hold nothing but a choice among what can be done: each choice is carried out.
TAKEN = {"portal:api_permission_new", "portal:application_disable"}
# The scene's directory is no test directory: its page says so instead of showing the form.
WITHOUT_FORM = {"portal:directory_testing"}


def typed_into(form: forms.BaseForm) -> dict[str, str]:
    """Something for each field: too long a text, the last choice, every box ticked; files are left out."""
    typed = {}
    for name, field in form.fields.items():
        widget, value = field.widget, form[name].value()
        if isinstance(widget, FORGETFUL):
            typed[name] = UNSEEN
        elif isinstance(widget, forms.HiddenInput):
            if value is not None:
                typed[name] = str(value)
        elif isinstance(widget, forms.CheckboxInput):
            typed[name] = "on"
        elif isinstance(field, forms.ChoiceField):
            typed[name] = last_of(field)
        elif not isinstance(widget, forms.FileInput):
            limit = getattr(field, "max_length", None) or len(TEXT)
            typed[name] = (TEXT * limit)[: limit + 1]
    return typed


def last_of(field: forms.ChoiceField) -> str:
    """The last choice, in its group where there are groups."""
    choices: Any = field.choices
    value, label = list(choices)[-1]
    return str(label[-1][0] if isinstance(label, list | tuple) else value)


def kept(page: str, fields: dict[str, str]) -> dict[str, str]:
    """What of these fields stands in the page's form, as it would be sent again."""
    reader = FilledForms()
    reader.feed(page)
    shown: list[dict[str, str]] = [form["fields"] for form in reader.forms]
    own = max(shown, key=lambda each: len(each.keys() & fields.keys()))
    return {name: own.get(name, "(gone)") for name in fields}


def sent(client: Client, address: str, fields: dict[str, str]) -> Any:
    """The answer; what was changed is taken back, also where it signed out."""
    cookies = copy(client.cookies)
    with transaction.atomic():
        answer = client.post(address, fields)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def test_a_refused_form_is_422_and_keeps_what_was_typed(root: tuple[Client, User], directory: Tenant) -> None:
    client, user = root
    scene = build(directory, user)
    taken, seen = set(), 0
    for route in routes():
        address = scene.address(route, own=False)
        opened = client.get(address).context or {}
        form = None if route.name in WITHOUT_FORM else opened.get("form")
        fields = typed_into(form) if form is not None else {}
        answer = sent(client, address, fields)
        assert answer.status_code in (302, 405, 422), f"{route.name} answers {answer.status_code}"
        if form is None:
            continue
        if answer.status_code == 302:
            taken.add(route.name)
            continue
        seen += 1
        page = answer.content.decode()
        assert UNSEEN not in page, f"{route.name} shows what was typed unseen"
        visible = {name: value for name, value in fields.items() if value != UNSEEN}
        assert kept(page, visible) == visible, route.name
    assert taken == TAKEN
    assert seen > 60
