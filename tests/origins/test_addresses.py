"""Reading an origin: rules O-3 and O-5 in the words of the form."""

import pytest

from credmgr.origins.addresses import origin_in, read_address
from credmgr.origins.errors import OriginError


def refused(typed: str, *, is_private: bool = True, is_http: bool = False) -> OriginError:
    """How it was refused."""
    with pytest.raises(OriginError) as caught:
        read_address(typed, is_private=is_private, is_http=is_http)
    assert caught.value.field == "address"
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("https://idp.example.com", "https://idp.example.com"),
        ("  https://idp.example.com/  ", "https://idp.example.com"),
        ("https://IDP.Example.COM:443", "https://idp.example.com"),
        ("HTTPS://idp.example.com:8443", "https://idp.example.com:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://my_host.internal", "https://my_host.internal"),
        ("https://1and1.example", "https://1and1.example"),
        ("https://8.8.8.8:8443", "https://8.8.8.8:8443"),
        ("https://[2606:4700:0::1111]", "https://[2606:4700::1111]"),
        ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443"),
    ],
)
def test_what_is_an_origin_is_kept_in_one_form(typed: str, text: str) -> None:
    assert read_address(typed, is_private=False, is_http=False).text == text
    assert origin_in(typed.strip()) == text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter an origin"),
        ("   ", "Enter an origin"),
        ("idp.example.com", "begins with https://"),
        ("//idp.example.com", "begins with https://"),
        ("https:idp.example.com", "begins with https://"),
        ("https:/idp.example.com", "begins with https://"),
        ("ftp://idp.example.com", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("javascript:alert(1)", "begins with https://"),
        ("https://", "host is missing"),
        ("https://:8443", "host is missing"),
        ("https://user@idp.example.com", "user name or password"),
        ("https://user:secret@idp.example.com", "user name or password"),
        ("https://good.example@evil.example", "user name or password"),
        ("https://idp.example.com/tenant", "Enter https://idp.example.com alone"),
        ("https://idp.example.com//", "Enter https://idp.example.com alone"),
        ("https://idp.example.com:8443/a/b", "Enter https://idp.example.com:8443 alone"),
        ("https://idp.example.com?x=1", "Enter https://idp.example.com alone"),
        ("https://idp.example.com?", "Enter https://idp.example.com alone"),
        ("https://idp.example.com#part", "Enter https://idp.example.com alone"),
        ("https://idp.example.com#", "Enter https://idp.example.com alone"),
        ("https://*.example.com", "no wildcards"),
        ("https://*", "no wildcards"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://ｉｄｐ.example", "ASCII form: idp.example"),  # noqa: RUF001 - full-width letters
        ("https://idp。example", "ASCII form"),
        ("https://idp.exa℀mple", "not an origin"),  # NFKC of it holds a slash
        ("https://2130706433", "four numbers"),
        ("https://0x7f000001", "four numbers"),
        ("https://0x7f.1", "four numbers"),
        ("https://127.1", "four numbers"),
        ("https://0177.0.0.1", "four numbers"),
        ("https://1.2.3.256", "four numbers"),
        ("https://1.2.3.4.5", "four numbers"),
        ("https://idp.example.com.", "not a host name"),
        ("https://idp..example.com", "not a host name"),
        ("https://-idp.example.com", "not a host name"),
        ("https://idp!.example.com", "not a host name"),
        (f"https://{'a' * 64}.example", "not a host name"),
        (f"https://{'a.' * 130}example", "not a host name"),
        ("https://idp.example.com:0", "from 1 to 65535"),
        ("https://idp.example.com:65536", "from 1 to 65535"),
        ("https://idp.example.com:abc", "from 1 to 65535"),
        ("https://idp.example.com:", "from 1 to 65535"),
        ("https://idp.example.com:-1", "from 1 to 65535"),
        ("https://[::1", "not an origin"),
        ("https://[fe80::1%eth0]", "IPv6 address in brackets"),
        ("https://[1.2.3.4]", "This is not"),
        ("https://[::1]x", "This is not"),
        ("https://::1", "host is missing"),
        ("https://idp.example.com\\@evil.example", "backslash"),
        ("https://idp.example.com evil.example", "space"),
        ("https://idp.\texample.com", "control character"),
        ("https://idp.\x00example.com", "control character"),
        ("https://idp.example.com\n.evil.example", "control character"),
        ("https://idp.\u202eexample.com", "control character"),
        ("https://idp.\u00a0example.com", "space"),
        ("https://" + "a" * 1000, "too long"),
    ],
)
def test_o5_what_could_be_read_in_two_ways_is_refused_with_a_sentence(typed: str, words: str) -> None:
    assert words in refused(typed).message


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:9000",
        "api.localhost",
        "127.0.0.1",
        "127.8.9.10:8443",
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "224.0.0.1",
        "192.0.2.10",
        "[::1]",
        "[fc00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[2002:a00:1::]",
        "[64:ff9b::a00:1]",
        "[2001:db8::1]",
    ],
)
def test_o3_what_is_private_for_sure_needs_the_mark(host: str) -> None:
    """Names are judged at each call, by what they lead to then."""
    assert "Tick Private addresses" in refused(f"https://{host}", is_private=False).message
    assert read_address(f"https://{host}", is_private=True, is_http=False)


def test_o3_plain_http_and_its_mark_go_together() -> None:
    assert "Tick Plain http" in refused("http://idp.example.com").message
    assert "Untick Plain http" in refused("https://idp.example.com", is_http=True).message
    address = read_address("http://localhost:80", is_private=True, is_http=True)
    assert (address.scheme, address.host, address.port) == ("http", "localhost", 80)
    assert address.text == "http://localhost"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://idp.example.com/tenant/v2.0", "https://idp.example.com"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("https://user@idp.example.com/", ""),
        ("https://2130706433/x", ""),
        ("not an address", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_the_origin_of_an_address_is_offered_only_where_it_could_be_listed(url: str, origin: str) -> None:
    assert origin_in(url) == origin
