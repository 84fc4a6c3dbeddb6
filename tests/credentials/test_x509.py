"""Reading certificates: what is accepted, what is refused and with which sentence."""

import time
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from cryptography import x509 as library
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from credmgr.credentials import x509
from credmgr.credentials.errors import CertificateError
from credmgr.credentials.x509 import (
    check_in_date,
    parse_certificate,
    read_certificate,
    spellings,
    thumbprints_in,
)
from tests.credentials import making
from tests.credentials.making import certificate, key_der, key_pem, pem, pfx, request, revocation_list
from tests.factories import NOW

GOOD = certificate()
EXAMPLE = pem(GOOD)


# ---------------------------------------------------------------- accepted


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(GOOD, id="DER"),
        pytest.param(EXAMPLE, id="PEM"),
        pytest.param(EXAMPLE.replace(b"\n", b"\r\n"), id="CR LF"),
        pytest.param(EXAMPLE.replace(b"\n", b"\r"), id="CR"),
        pytest.param(b"\xef\xbb\xbf" + EXAMPLE, id="UTF-8 mark"),
        pytest.param(EXAMPLE.rstrip(), id="no last line end"),
        pytest.param(
            b"Subject: caf\xc3\xa9\nIssuer: me\n\n" + EXAMPLE + b"\nsome words after\n", id="text around"
        ),
        pytest.param(b"my private key is elsewhere\n" + EXAMPLE, id="words about a private key"),
        pytest.param(EXAMPLE.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), id="old label"),
        pytest.param(making.public_pem(making.rsa_key()) + EXAMPLE, id="beside its public key"),
        pytest.param(
            b"".join(EXAMPLE.splitlines(keepends=True)[:1])
            + b"  "
            + b"".join(EXAMPLE.splitlines(keepends=True)[1:]),
            id="indented",
        ),
    ],
)
def test_u1_content_decides(file):
    """U-1: form, line ends, marks and text around do not matter; the DER bytes are those of the file."""
    assert read_certificate(file).der == GOOD


def test_b3_thumbprints_are_those_of_openssl_for_the_seeds_commands(tmp_path: Path):
    """B3, B13, U-5: PEM and DER of a version 1 certificate made by the seed's three commands."""
    making.run(tmp_path, making.SEED_COMMANDS)
    making.run(tmp_path, "openssl x509 -in server.crt -outform DER -out server.cer")
    for name, form in [("server.crt", "PEM"), ("server.cer", "DER")]:
        parsed = read_certificate((tmp_path / name).read_bytes())
        assert parsed.thumbprint_sha1 == making.fingerprint(tmp_path / name, "sha1", form)
        assert parsed.thumbprint_sha256 == making.fingerprint(tmp_path / name, "sha256", form)
        assert (parsed.version, parsed.key_name, parsed.subject) == (1, "RSA 2048", "CN=example")
        assert parsed.is_self_issued
        assert parsed.end_at - parsed.start_at == timedelta(days=365)


def test_openssls_names_serials_and_dates(tmp_path: Path):
    making.run(
        tmp_path,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 30 -set_serial 0x0A0B0C "
        "-subj '/C=SE/O=Norrvik Freight, Ltd/CN=worker.norrvik.example/emailAddress=it@norrvik.example' "
        "-addext 'subjectAltName=DNS:worker.norrvik.example,IP:10.0.0.7,IP:::1,email:it@norrvik.example,"
        "URI:https://norrvik.example/,otherName:1.2.3.4;UTF8:x'",
    )
    parsed = read_certificate((tmp_path / "c.pem").read_bytes())
    assert parsed.subject == (
        "emailAddress=it@norrvik.example, CN=worker.norrvik.example, O=Norrvik Freight\\, Ltd, C=SE"
    )
    assert parsed.serial_number == "0A:0B:0C"
    assert parsed.alternative_names == [
        "DNS: worker.norrvik.example",
        "IP: 10.0.0.7",
        "IP: ::1",
        "Email: it@norrvik.example",
        "URI: https://norrvik.example/",
        "Other: 1.2.3.4",
    ]
    assert (parsed.version, parsed.signature_algorithm) == (3, "SHA-256 with RSA")


def test_an_empty_subject_is_copied_as_empty():
    parsed = read_certificate(certificate(names=[]))
    assert (parsed.subject, parsed.issuer, parsed.shown_subject) == ("", "", "Empty subject")


@pytest.mark.parametrize(
    ("curve", "name", "size"),
    [("SECP256R1", "P-256", 256), ("SECP384R1", "P-384", 384), ("SECP521R1", "P-521", 521)],
)
def test_u2_ec_on_three_curves(curve, name, size):
    """U-2."""
    parsed = read_certificate(certificate(key=making.ec_key(curve)))
    assert (parsed.key_type, parsed.key_size, parsed.key_name) == ("EC", size, f"EC {name}")


@pytest.mark.parametrize("bits", [2048, 2049, 3072, 4096, 8191, 8192])
def test_u2_rsa_of_2048_to_8192_bits(bits):
    """U-2."""
    parsed = read_certificate(certificate(public_key=making.public_of_size(bits)))
    assert (parsed.key_type, parsed.key_size) == ("RSA", bits)


@pytest.mark.parametrize(("digest", "name"), [("sha1", "SHA-1 with RSA"), ("sha512", "SHA-512 with RSA")])
def test_u3_the_issuers_hash_is_no_reason_to_refuse(digest, name, tmp_path):
    """U-3: az ad app credential reset --create-cert signs with SHA-1."""
    making.run(tmp_path, f"openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -{digest} -subj /CN=x")
    assert read_certificate((tmp_path / "c").read_bytes()).signature_algorithm == name


def test_u3_an_authoritys_and_a_future_certificate_are_read(tmp_path):
    """U-3."""
    making.run(
        tmp_path,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=ca "
        "-addext basicConstraints=critical,CA:TRUE -addext 1.2.3.4=critical,DER:0500",
    )
    read_certificate((tmp_path / "c").read_bytes())
    future = read_certificate(certificate(start=NOW + timedelta(days=10)))
    check_in_date(future, NOW)


# ---------------------------------------------------------------- refused, with the sentence


def sentence(file: bytes) -> str:
    with pytest.raises(CertificateError) as caught:
        read_certificate(file)
    assert caught.value.field == "certificate_file"
    return caught.value.message


PRIVATE_KEY = (
    "This file contains a private key. Upload only the certificate, without its key. Nothing was stored."
)
NOT_ONE = "This is not a certificate. Upload an X.509 certificate in PEM or DER form."
DAMAGED = "This certificate is damaged or incomplete and cannot be read."
KEY = making.rsa_key()
JWK = b'{"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}'


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(key_pem(KEY), id="PKCS #8"),
        pytest.param(key_pem(KEY, PrivateFormat.TraditionalOpenSSL), id="RSA PRIVATE KEY"),
        pytest.param(key_pem(KEY, password="x"), id="encrypted PKCS #8"),
        pytest.param(key_pem(KEY, PrivateFormat.TraditionalOpenSSL, "x"), id="encrypted, traditional"),
        pytest.param(key_pem(KEY, PrivateFormat.OpenSSH), id="OpenSSH"),
        pytest.param(key_pem(making.ec_key(), PrivateFormat.TraditionalOpenSSL), id="EC PRIVATE KEY"),
        pytest.param(key_pem(making.dsa_key()), id="DSA"),
        pytest.param(key_pem(making.ed_key()), id="Ed25519"),
        pytest.param(key_der(KEY), id="DER PKCS #8"),
        pytest.param(key_der(KEY, PrivateFormat.TraditionalOpenSSL), id="DER PKCS #1"),
        pytest.param(key_der(making.ec_key(), PrivateFormat.TraditionalOpenSSL), id="DER SEC1"),
        pytest.param(key_der(making.dsa_key(), PrivateFormat.TraditionalOpenSSL), id="DER DSA"),
        pytest.param(key_der(KEY, password="x"), id="DER encrypted PKCS #8"),
        pytest.param(EXAMPLE + key_pem(KEY), id="after the certificate"),
        pytest.param(key_pem(KEY) + EXAMPLE, id="before the certificate"),
        pytest.param(GOOD + key_der(KEY), id="DER after DER"),
        pytest.param(EXAMPLE + b"-----BEGIN PRIVATE KEY-----\nMIIE", id="cut off"),
        pytest.param(key_pem(KEY).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(key_pem(KEY).decode().encode("utf-16-be"), id="UTF-16 without mark"),
        pytest.param(pem(key_der(KEY)), id="under a false label"),
        pytest.param(b"".join(key_pem(KEY).splitlines()[1:-1]), id="base64 alone"),
        pytest.param(b"\n".join(key_pem(KEY).splitlines()[1:-1]), id="base64 lines alone"),
        pytest.param(key_pem(KEY).lower(), id="lower case"),
        pytest.param(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", id="PGP"),
        pytest.param(b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", id="SSH2"),
        pytest.param(b"PuTTY-User-Key-File-3: ssh-rsa\n", id="PuTTY"),
        pytest.param(JWK, id="JWK"),
        pytest.param(b'{"keys": [' + JWK + b"]}", id="JWK set"),
        pytest.param(b"[" + JWK + b"]", id="JWK list"),
        pytest.param(JWK + b"}", id="JWK, broken"),
    ],
)
def test_u4_a_private_key_anywhere_is_found_first(file):
    """U-4, B5."""
    assert sentence(file) == PRIVATE_KEY


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(pfx(GOOD), id="with password"),
        pytest.param(pfx(GOOD, password=""), id="without"),
        pytest.param(pfx(GOOD)[:200], id="cut off"),
        pytest.param(b"\x30\x80\x02\x01\x03\x30\x80", id="BER"),
    ],
)
def test_pkcs12_is_recognised_by_content(file):
    assert sentence(file) == (
        "This is a PKCS #12 file (.pfx or .p12), which holds a private key. "
        "Export the certificate alone as .cer or .pem. Nothing was stored."
    )


REQUEST = (
    "This is a certificate signing request, not a certificate. Upload the certificate that was issued for it."
)
OTHER = certificate(serial=2)


def _pkcs7(encoding: Encoding) -> bytes:
    from cryptography.hazmat.primitives.serialization import pkcs7

    return pkcs7.serialize_certificates([library.load_der_x509_certificate(GOOD)], encoding)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param(b"", "The file is empty.", id="empty"),
        pytest.param(b" \r\n\t", "The file is empty.", id="white space"),
        pytest.param(b"\xef\xbb\xbf", "The file is empty.", id="mark alone"),
        pytest.param(
            b"x" * 65537,
            "The file is larger than 64 KB. A certificate is usually smaller than 4 KB; "
            "check that this is the right file.",
            id="too large",
        ),
        pytest.param(
            EXAMPLE + pem(OTHER),
            "This file holds 2 certificates. Upload only the application's own certificate.",
            id="two",
        ),
        pytest.param(
            EXAMPLE * 3,
            "This file holds 3 certificates. Upload only the application's own certificate.",
            id="three times the same",
        ),
        pytest.param(request(), REQUEST, id="request"),
        pytest.param(request(encoding=Encoding.DER), REQUEST, id="request, DER"),
        pytest.param(
            request().replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"),
            REQUEST,
            id="request, old label",
        ),
        pytest.param(making.public_pem(KEY), "This is a public key, not a certificate.", id="public key"),
        pytest.param(
            KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "This is a public key, not a certificate.",
            id="public key, DER",
        ),
        pytest.param(
            KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1),
            "This is a public key, not a certificate.",
            id="RSA public key, DER",
        ),
        pytest.param(
            KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
            "This is an SSH public key, not a certificate.",
            id="SSH public key",
        ),
        pytest.param(
            revocation_list(), "This is a revocation list, not a certificate.", id="revocation list"
        ),
        pytest.param(
            revocation_list(Encoding.DER),
            "This is a revocation list, not a certificate.",
            id="revocation list, DER",
        ),
        pytest.param(_pkcs7(Encoding.PEM), "This is a PKCS #7 bundle, not a certificate.", id="PKCS #7"),
        pytest.param(_pkcs7(Encoding.DER), "This is a PKCS #7 bundle, not a certificate.", id="PKCS #7, DER"),
        pytest.param(
            pem(GOOD, "TRUSTED CERTIFICATE"),
            "This is an OpenSSL trust record, not a certificate.",
            id="trusted",
        ),
        pytest.param(
            b"\xfe\xed\xfe\xed\x00\x00\x00\x02", "This is a Java key store, not a certificate.", id="JKS"
        ),
        pytest.param(
            EXAMPLE.decode().encode("utf-16"),
            "This file is saved as UTF-16 text. Save it as UTF-8 and upload it again.",
            id="UTF-16",
        ),
        pytest.param(
            EXAMPLE.decode().encode("utf-16-le"),
            "This file is saved as UTF-16 text. Save it as UTF-8 and upload it again.",
            id="UTF-16 without mark",
        ),
        pytest.param(b"hello", NOT_ONE, id="words"),
        pytest.param(b"<!DOCTYPE html><html></html>", NOT_ONE, id="HTML"),
        pytest.param(b"PK\x03\x04" + bytes(100), NOT_ONE, id="zip"),
        pytest.param(b"\x7fELF" + bytes(100), NOT_ONE, id="program"),
        pytest.param(bytes(1000), NOT_ONE, id="zeros"),
        pytest.param(b"\xff" * 1000, NOT_ONE, id="ones"),
        pytest.param(pem(b"abc", "SOMETHING"), NOT_ONE, id="unknown PEM"),
        pytest.param(b'{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', NOT_ONE, id="public JWK"),
        pytest.param(b"MIID", NOT_ONE, id="base64 scrap"),
        pytest.param(GOOD[:-1], DAMAGED, id="DER cut off"),
        pytest.param(GOOD[:100], DAMAGED, id="DER cut short"),
        pytest.param(GOOD + b"\x00", DAMAGED, id="something after DER"),
        pytest.param(GOOD + GOOD, DAMAGED, id="DER twice"),
        pytest.param(pem(GOOD + b"\x00"), DAMAGED, id="something after DER in PEM"),
        pytest.param(pem(GOOD[:-5]), DAMAGED, id="PEM of half"),
        pytest.param(pem(b"abc"), DAMAGED, id="PEM of nonsense"),
        pytest.param(EXAMPLE.replace(b"MII", b"M!!"), DAMAGED, id="PEM, bad base64"),
        pytest.param(EXAMPLE[: len(EXAMPLE) // 2], DAMAGED, id="PEM cut off"),
        pytest.param(EXAMPLE.replace(b"END CERT", b"END CART"), DAMAGED, id="PEM, other end"),
        pytest.param(b"\x30\x80" + GOOD[4:] + b"\x00\x00", DAMAGED, id="BER, indefinite length"),
        pytest.param(b"\x30\x83\x00" + GOOD[2:], DAMAGED, id="BER, long length"),
        pytest.param(b"\x30\x00", DAMAGED, id="empty sequence"),
    ],
)
def test_refused_with_the_sentence(file, expected):
    """U-1, U-2: content is named for what it is."""
    assert sentence(file) == expected


WRONG_TYPE = (
    "Keys of type {} cannot be used to sign in. Use RSA (2048 to 8192 bits) or EC on P-256, P-384 or P-521."
)
TOO_SMALL = "This certificate has an RSA key of {} bits. At least 2048 bits are needed."
TOO_BIG = "This certificate has an RSA key of {} bits. At most 8192 bits are supported."
EXPONENT = "The RSA key in this certificate has an unsafe public exponent."


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        (certificate(public_key=making.public_of_size(1024)), TOO_SMALL.format(1024)),
        (certificate(public_key=making.public_of_size(2047)), TOO_SMALL.format(2047)),
        (certificate(public_key=making.public_of_size(8193)), TOO_BIG.format(8193)),
        (certificate(public_key=making.public_of_size(16384)), TOO_BIG.format(16384)),
        (certificate(key=making.ed_key()), WRONG_TYPE.format("Ed25519")),
        (certificate(key=making.dsa_key()), WRONG_TYPE.format("DSA")),
        (certificate(key=making.ec_key("SECP256K1")), WRONG_TYPE.format("EC on secp256k1")),
        (GOOD.replace(b"\x02\x03\x01\x00\x01", b"\x02\x03\x00\xff\xff"), EXPONENT),
        (GOOD.replace(b"\x02\x03\x01\x00\x01", b"\x02\x03\x01\x00\x02"), EXPONENT),
    ],
)
def test_u2_keys_that_cannot_sign_in(der, expected):
    """U-2."""
    assert sentence(der) == expected


def test_u2_a_huge_modulus_costs_no_time():
    """U-2, U-9: 60 KB of modulus are told from their length alone."""
    modulus = b"\x02\x82\xea\x60\x7f" + b"\xff" * 59999
    public = b"\x30\x82" + (len(modulus) + 5).to_bytes(2, "big") + modulus + b"\x02\x03\x01\x00\x01"
    assert sentence(_with_public_key(public)) == TOO_BIG.format(479999)


def _with_public_key(public: bytes) -> bytes:
    """GOOD with another RSA key inside; its signature no longer holds, which nobody checks."""

    def tlv(tag: int, content: bytes) -> bytes:
        return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content

    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    parsed = library.load_der_x509_certificate(GOOD)
    old = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = parsed.tbs_certificate_bytes[4:].replace(old, tlv(0x30, algorithm + tlv(0x03, b"\x00" + public)))
    rest = GOOD[4 + len(parsed.tbs_certificate_bytes) :]
    return tlv(0x30, tlv(0x30, signed) + rest)


def test_expired_and_never_valid():
    """U-3."""
    parsed = parse_certificate(certificate(start=NOW - timedelta(days=30), end=NOW - timedelta(days=12)))
    with pytest.raises(CertificateError) as caught:
        check_in_date(parsed, NOW)
    assert caught.value.message == "This certificate expired on 11 Nov 2026. Upload one that is still valid."
    start, end = b"20261122145206Z"[2:], b"20271123145206Z"[2:]
    assert start in GOOD
    assert end in GOOD
    assert sentence(GOOD.replace(end, b"200101000000Z")) == (
        "This certificate is never valid: it ends before it begins."
    )


# ---------------------------------------------------------------- names are data


def named(common_name: str) -> bytes:
    return certificate(names=[library.NameAttribute(NameOID.COMMON_NAME, common_name)])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("caf\u00e9 \u682a\u5f0f", "CN=caf\u00e9 \u682a\u5f0f"),
        ("gpj.\u202eexe", "CN=gpj.\\u202eexe"),
        ("bell\x07", "CN=bell\\x07"),
        ("two\nlines", "CN=two\\x0alines"),
        ("\u2066hidden\u2069", "CN=\\u2066hidden\\u2069"),
        ("<script>alert(1)</script>", None),
        ("=cmd|' /C calc'!A0", None),
    ],
)
def test_u6_names_are_shown_with_escapes(name, shown):
    """U-6: what could act on the reader's screen is written as an escape."""
    subject = read_certificate(named(name)).subject
    assert shown is None or subject == shown
    assert subject.isprintable()


def test_u6_nul_never_reaches_the_database():
    """U-6: PostgreSQL cannot store it."""
    parsed = read_certificate(
        certificate(names=[library.NameAttribute(NameOID.COMMON_NAME, "good.example\x00.evil.example")])
    )
    assert "\x00" not in parsed.subject
    assert "good.example" in parsed.subject


def test_u6_a_field_that_cannot_be_read_breaks_nothing():
    """U-6: an alternative name that is not ASCII, and a name that is not UTF-8."""
    der = certificate(alternative_names=[library.DNSName("readable.example")])
    parsed = read_certificate(der.replace(b"readable.example", b"r\xe9adable.example"))
    assert parsed.alternative_names == ["not readable"]
    parsed = read_certificate(GOOD.replace(b"\x0c\x07example", b"\x0c\x07ex\xffmple"))
    assert (parsed.subject, parsed.issuer) == ("not readable", "not readable")


def test_u6_thousands_of_names_are_counted():
    names = [library.DNSName(f"h{number}.example") for number in range(1000)]
    shown = read_certificate(certificate(alternative_names=names)).alternative_names
    assert (len(shown), shown[0], shown[-1]) == (201, "DNS: h0.example", "and 800 more")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_u6_a_serial_number_that_is_negative():
    parsed = read_certificate(GOOD.replace(b"\x02\x04\x60\x58\x4e\x9e", b"\x02\x04\xe0\x58\x4e\x9e"))
    assert parsed.serial_number == "-1F:A7:B1:62"


# ---------------------------------------------------------------- spellings


def test_every_spelling_finds_its_way_back():
    parsed = read_certificate(GOOD)
    rows = spellings(parsed.thumbprint_sha1, parsed.thumbprint_sha256)
    assert len({row.value for row in rows}) == len(rows) == 10
    for row in rows:
        expected = parsed.thumbprint_sha1 if "256" not in row.label else parsed.thumbprint_sha256
        assert expected in thumbprints_in(row.value), row.label
        assert row.asked_by
    spaced = " ".join(parsed.thumbprint_sha1[at : at + 2] for at in range(0, 40, 2))
    assert thumbprints_in(spaced.lower()) == [parsed.thumbprint_sha1]


def test_spellings_of_published_thumbprints():
    """The certificate of the product's design pages, whose spellings were computed elsewhere."""
    rows = {
        row.label: row.value
        for row in spellings(
            "2AE52838612D76F85CB6F9F5F153C40576755F23",
            "F16E092829E1F31B1D0D3FD0890C70FEAE939CA8F8AE833294D5E66D9954EE7A",
        )
    }
    assert rows["x5t"] == "KuUoOGEtdvhctvn18VPEBXZ1XyM"
    assert rows["SHA-1, base64"] == "KuUoOGEtdvhctvn18VPEBXZ1XyM="
    assert rows["x5t#S256"] == "8W4JKCnh8xsdDT_QiQxw_q6TnKj4roMylNXmbZlU7no"
    assert rows["SHA-256, base64"] == "8W4JKCnh8xsdDT/QiQxw/q6TnKj4roMylNXmbZlU7no="
    assert rows["SHA-1, colons"] == "2A:E5:28:38:61:2D:76:F8:5C:B6:F9:F5:F1:53:C4:05:76:75:5F:23"


@pytest.mark.parametrize("text", ["", "abc", "g" * 40, "é" * 43, "A" * 41, "-" * 27, "=" * 44])
def test_other_text_is_no_thumbprint(text):
    assert all(len(found) in (40, 64) for found in thumbprints_in(text))


# ---------------------------------------------------------------- any bytes at all


def read_or_refuse(data: bytes) -> None:
    try:
        parsed = read_certificate(data)
    except CertificateError:
        return
    assert "\x00" not in parsed.subject + parsed.issuer + "".join(parsed.alternative_names)
    assert parsed.start_at.tzinfo is UTC or parsed.start_at.utcoffset() == timedelta(0)


@given(st.binary(max_size=400))
def test_u9_any_bytes_are_read_or_refused(data):
    """U-9."""
    read_or_refuse(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_u9_any_changed_byte_is_read_or_refused(position, value):
    """U-9."""
    read_or_refuse(GOOD[:position] + bytes([value]) + GOOD[position + 1 :])


@given(st.integers(0, len(EXAMPLE)), st.binary(max_size=40))
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_u9_anything_pasted_into_pem_is_read_or_refused(position, pasted):
    """U-9."""
    read_or_refuse(EXAMPLE[:position] + pasted + EXAMPLE[position:])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"-----BEGIN CERTIFICATE-----" * 2400, id="only beginnings"),
        pytest.param(b"".join(b"-----BEGIN %d-----" % n for n in range(3200)), id="beginnings all different"),
        pytest.param(b"\x30\x82\xff\xff" * 16000, id="nested lengths"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff", id="a length of 4 GB"),
        pytest.param(b"-----BEGIN " + b"A" * 60000, id="a label without end"),
        pytest.param(b"BEGIN" + b" A" * 30000, id="nearly a private key"),
        pytest.param(b"A" * 65535, id="base64 of zeros"),
        pytest.param(b'{"kty":"d","d":' + b"[" * 60000, id="deep JSON"),
        pytest.param(b"\x30\x80" * 32000, id="indefinite lengths"),
    ],
)
def test_u9_hostile_files_cost_less_than_a_second(data):
    """U-9: processor time, for others may use the machine too. These take a few milliseconds."""
    before = time.process_time()
    read_or_refuse(data)
    assert time.process_time() - before < 1


def test_the_limit_of_size_is_a_setting(settings):
    settings.UPLOAD_MAX_BYTES = 1024
    with pytest.raises(CertificateError, match="larger than 1 KB"):
        x509.check_size(b"x" * 1025)
