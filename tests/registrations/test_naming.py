"""What names, notes and identifier URIs may look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.naming import clean_display_name, clean_identifier_uri, clean_notes


@pytest.mark.parametrize("name", ["a", "x" * 120, "Försäljning ☃ 株式会社", "Bob's <b>app</b>", "👩‍💻 tools"])
def test_a_name_of_1_to_120_characters_is_kept(name):
    assert clean_display_name(f"  {name} ") == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        (" \t\u3000", "name_missing"),
        ("\u200b\u200d", "name_missing"),
        ("x" * 121, "name_too_long"),
        ("two\nlines", "name_characters"),
        ("nul\x00l", "name_characters"),
        ("gpj.\u202eexe", "name_characters"),
        ("half \ud800 pair", "name_characters"),
        ("line\u2028separator", "name_characters"),
    ],
)
def test_other_names_are_refused_with_a_sentence(name, code):
    with pytest.raises(RegistrationError) as caught:
        clean_display_name(name)
    assert (caught.value.code, caught.value.field) == (code, "display_name")
    assert caught.value.message.endswith(".")


def test_notes_may_have_lines_but_no_control_characters():
    assert clean_notes(" one\r\ntwo\tthree ") == "one\ntwo\tthree"
    assert clean_notes("x" * 1024)
    for notes in ["x" * 1025, "a\x00b", "a\x1bb"]:
        with pytest.raises(RegistrationError):
            clean_notes(notes)


@pytest.mark.parametrize(
    "uri",
    [
        "api://orders",
        "api://00000000-0000-0000-0000-000000000001",
        "api://tenant/orders/v2",
        "https://orders.example.com",
        "https://orders.example.com:8443/api",
        "urn:example:orders",
    ],
)
def test_identifier_uris_that_are_kept_to_the_letter(uri):
    assert clean_identifier_uri(f" {uri} ") == uri


def test_no_identifier_uri_is_none():
    assert clean_identifier_uri("  ") == ""


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("api://orders/", "uri_trailing_slash"),
        ("api://", "uri_trailing_slash"),
        ("api://orders/.default", "uri_is_scope"),
        ("http://orders.example.com", "uri_scheme"),
        ("orders", "uri_scheme"),
        ("javascript:alert(1)", "uri_scheme"),
        ("API://orders", "uri_scheme"),
        ("api:orders", "uri_incomplete"),
        ("urn:", "uri_incomplete"),
        ("https://user@orders.example.com", "uri_incomplete"),
        ("https://orders.example.com:port", "uri_scheme"),
        ("https://[broken", "uri_scheme"),
        ("api://orders?x=1", "uri_query"),
        ("api://orders#x", "uri_query"),
        ("api://orders?", "uri_query"),
        ("api://two words", "uri_characters"),
        ("api://*", "uri_characters"),
        ("api://ördern", "uri_characters"),
        ("api://nul\x00", "uri_characters"),
        ("api://" + "x" * 250, "uri_too_long"),
    ],
)
def test_other_identifier_uris_are_refused_with_a_sentence(uri, code):
    with pytest.raises(RegistrationError) as caught:
        clean_identifier_uri(uri)
    assert (caught.value.code, caught.value.field) == (code, "identifier_uri")


@given(st.text(max_size=300))
def test_no_text_breaks_the_rules_engine(text):
    for clean in (clean_display_name, clean_notes, clean_identifier_uri):
        try:
            kept = clean(text)
        except RegistrationError:
            continue
        assert "\x00" not in kept
        kept.encode()
