"""The first administrator: by the link that `serve` prints, or by the command."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from credmgr.accounts import setup_links
from credmgr.accounts.models import Session, SetupLink, User
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from tests.accounts.conftest import NEW_PASSWORD, PASSWORD, Clock, send, sign_in

pytestmark = pytest.mark.django_db
FORM = {"user_name": "ada", "full_name": " Ada   Lovelace ", "password1": PASSWORD, "password2": PASSWORD}
REFUSED = "This link cannot be used"


def new_link() -> str:
    token = setup_links.make_setup_link(timezone.now())
    assert token
    return f"/account/setup/{token}"


# ---------------------------------------------------------------- the link
def test_p11_link_moves_out_of_the_address_and_makes_the_administrator(visitor: Client) -> None:
    link = new_link()
    token = link.rpartition("/")[2]
    answer = visitor.get(link)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account/setup")
    page = visitor.get("/account/setup").content.decode()
    assert token not in page
    assert token not in str(visitor.session.items())
    done = send(visitor, "/account/setup", FORM)
    assert (done.status_code, done.headers["Location"]) == (302, "/applications")
    user = User.objects.get()
    assert (user.username, user.shown_name) == ("ada", "Ada Lovelace")
    assert visitor.get("/account").status_code == 200
    tags = list(AuditEvent.objects.order_by("sequence").values_list("tag", "actor_name"))
    assert tags == [
        ("account:setup-link:used", "Ada Lovelace"),
        ("account:user:created", "Ada Lovelace"),
        ("account:session:signed-in", "Ada Lovelace"),
    ]


def test_p11_only_the_digest_is_stored(db: None) -> None:
    token = new_link().rpartition("/")[2]
    stored = SetupLink.objects.values().get()
    assert token not in str(stored)
    assert len(bytes(stored["digest"])) == 32


def test_p11_link_works_once(visitor: Client) -> None:
    link = new_link()
    second = Client(enforce_csrf_checks=True)
    for one in (visitor, second):
        assert one.get(link).status_code == 302
    # Both have the form open; the second sends it later.
    token = str(second.get("/account/setup").context["csrf_token"])
    assert send(visitor, "/account/setup", FORM).status_code == 302
    late = second.post("/account/setup", {**FORM, "user_name": "eve", "csrfmiddlewaretoken": token})
    assert late.status_code == 404
    assert REFUSED in late.content.decode()
    assert User.objects.count() == 1
    assert second.get(link).status_code == 404


def test_p11_link_ends_after_an_hour(visitor: Client, clock: Clock) -> None:
    link = new_link()
    clock.forward(minutes=59)
    assert visitor.get(link).status_code == 302
    clock.forward(minutes=1)
    assert visitor.get(link).status_code == 404
    assert visitor.get("/account/setup").status_code == 404, "the form ends with the link"


def test_a_new_start_makes_the_older_link_dead(visitor: Client) -> None:
    older, newer = new_link(), new_link()
    assert visitor.get(older).status_code == 404
    assert visitor.get(newer).status_code == 302


def test_p10_link_is_dead_once_there_is_an_administrator(visitor: Client) -> None:
    link = new_link()
    assert visitor.get(link).status_code == 302
    User.objects.create_user("ada")
    assert visitor.get(link).status_code == 404
    answer = visitor.get("/account/setup")
    assert answer.status_code == 404
    assert "/account/login" in answer.content.decode()
    assert setup_links.make_setup_link(timezone.now()) is None


@pytest.mark.parametrize("token", ["x", "é" * 300, "%00", "A" * 43, "..%2f..%2fetc"])
def test_invented_tokens_are_told_nothing(visitor: Client, token: str) -> None:
    new_link()
    answer = visitor.get(f"/account/setup/{token}")
    assert answer.status_code == 404


def test_the_form_without_the_link_is_closed(visitor: Client) -> None:
    new_link()
    assert visitor.get("/account/setup").status_code == 404
    assert Client().post("/account/setup", FORM).status_code == 404
    assert not User.objects.exists()


def test_a_used_link_loses_a_race(db: None) -> None:
    """Both looked while it was live; the row decides."""
    token = new_link().rpartition("/")[2]
    now = timezone.now()
    first, second = (setup_links.find_link(token, now) for _ in range(2))
    setup_links.use_link(first, User(username="ada"), now)
    with pytest.raises(setup_links.SetupLinkError):
        setup_links.use_link(second, User(username="eve"), now)
    assert [user.username for user in User.objects.all()] == ["ada"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"password2": NEW_PASSWORD}, "The two passwords differ."),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password1": "password1234", "password2": "password1234"}, "too common"),
        (
            {
                "user_name": "ada-lovelace-1815",
                "password1": "ada-lovelace-1815",
                "password2": "ada-lovelace-1815",
            },
            "too similar to the username",
        ),
        ({"user_name": ""}, "Enter a user name."),
        ({"user_name": "a b"}, "Enter a valid username"),
        ({"user_name": "a" * 151}, "at most 150 characters"),
        ({"password1": "", "password2": ""}, "Choose a password."),
    ],
)
def test_refusals_keep_what_was_typed_but_no_password(
    visitor: Client, changed: dict[str, str], sentence: str
) -> None:
    visitor.get(new_link())
    answer = send(visitor, "/account/setup", FORM | changed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Ada   Lovelace" in page
    assert PASSWORD not in page
    assert not User.objects.exists()
    assert send(visitor, "/account/setup", FORM).status_code == 302, "the link is still good"


# ---------------------------------------------------------------- the command
@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{NEW_PASSWORD}\n")
    return file


def create_admin(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_admin", *arguments, stdout=out)
    assert NEW_PASSWORD not in out.getvalue()
    return out.getvalue()


def test_create_admin_makes_one_who_can_sign_in(db: None, password_file: Path, visitor: Client) -> None:
    assert create_admin("ada", "--password-file", str(password_file)) == "Administrator ada was created.\n"
    assert sign_in(visitor, "ada", NEW_PASSWORD).status_code == 302
    assert AuditEvent.objects.filter(tag="account:user:created", actor_name=Actor.command().name).count() == 1


def test_create_admin_json(db: None, password_file: Path) -> None:
    answer = json.loads(create_admin("ada", "--password-file", str(password_file), "--json"))
    assert answer == {
        "id": str(User.objects.get().pk),
        "username": "ada",
        "created": True,
        "endedSessions": 0,
        "secondFactorsRemoved": False,
    }


def test_p10_create_admin_resets_a_forgotten_password(
    signed_in: Client, person: User, password_file: Path
) -> None:
    User.objects.update(is_active=False)
    said = create_admin("ROBIN", "--password-file", str(password_file))
    assert said == "robin existed already: the password was reset, 1 session ended.\n"
    assert not Session.objects.filter(user=person).exists()
    assert signed_in.get("/account").status_code == 302
    assert sign_in(Client(), "robin", PASSWORD).status_code == 200
    assert sign_in(Client(), "robin", NEW_PASSWORD).status_code == 302
    assert AuditEvent.objects.get(tag="account:user:reset").object_name == "robin"


def test_create_admin_reads_standard_input(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(NEW_PASSWORD.encode())

    monkeypatch.setattr("sys.stdin", Input)
    create_admin("ada", "--password-file", "-")
    assert User.objects.get().check_password(NEW_PASSWORD)


def test_spaces_in_a_password_count(db: None, tmp_path: Path) -> None:
    file = tmp_path / "p"
    file.write_bytes(b"  spaces at both ends  \r\n")
    create_admin("ada", "--password-file", str(file))
    assert User.objects.get().check_password("  spaces at both ends  ")


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "ada", "is empty"),
        (b"\n", "ada", "is empty"),
        (b"one-good-long-line\nand another\n", "ada", "more than one line"),
        (b"\xff\xfe\x00\x01" * 5, "ada", "not text in UTF-8"),
        (b"x" * 5000, "ada", "more than 4096 bytes"),
        (b"short", "ada", "at least 12 characters"),
        (b"password1234", "ada", "too common"),
        (NEW_PASSWORD.encode(), "a b", "Enter a valid username"),
        (NEW_PASSWORD.encode(), "", "cannot be blank"),
    ],
)
def test_create_admin_refuses_in_sentences(
    db: None, tmp_path: Path, content: bytes, name: str, sentence: str
) -> None:
    file = tmp_path / "p"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        create_admin(name, "--password-file", str(file))
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_create_admin_names_a_file_that_is_not_there(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        create_admin("ada", "--password-file", str(tmp_path / "none"))


def test_d3_no_audit_row_no_administrator(
    db: None, password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(AuditEvent, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        create_admin("ada", "--password-file", str(password_file))
    assert not User.objects.exists()


def test_an_expired_link_row_is_no_link(db: None) -> None:
    token = setup_links.make_setup_link(timezone.now() - timedelta(hours=2))
    assert token
    with pytest.raises(setup_links.SetupLinkError):
        setup_links.find_link(token, timezone.now())
