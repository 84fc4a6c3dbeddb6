"""Settings that make no sense, or are unsafe together, stop the start and say what to do."""

import re
from pathlib import Path

import pytest

from credmgr import env, settings
from credmgr.ops.checks import READ_ELSEWHERE, is_https_origin
from tests.installation import InstallationFactory

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a value to be refused or warned of

# Each row is one start: what is set, and what is told of it. Independent mistakes share a start to save time.
REFUSED: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "values of the wrong kind": (
        {
            "CREDMGR_PORTAL_PORT": "http",
            "CREDMGR_AUTHORITY_PORT": "70000",
            "CREDMGR_DEBUG": "perhaps",
            "CREDMGR_WORKERS": "1",
            "CREDMGR_EXPORT_ROWS_FILE": "/nowhere/rows",
            "CREDMGR_STEP_UP_SECONDS": "60",
            "CREDMGR_STEP_UP_SECONDS_FILE": "/dev/null",
            "DATABASE_URL": "nonsense",
            "CREDMGR_LOG_LEVEL": "LOUD",
        },
        [
            ("E001", "CREDMGR_PORTAL_PORT must be a whole number"),
            ("E001", "CREDMGR_AUTHORITY_PORT must be between 1 and 65535"),
            ("E001", "CREDMGR_DEBUG must be one of true, false"),
            ("E001", "CREDMGR_WORKERS must be between 2 and 64"),
            ("E001", "CREDMGR_EXPORT_ROWS_FILE names /nowhere/rows, which cannot be read"),
            ("E001", "CREDMGR_STEP_UP_SECONDS and CREDMGR_STEP_UP_SECONDS_FILE are both set. Keep one."),
            ("E001", "DATABASE_URL is no address of PostgreSQL"),
            ("E001", "CREDMGR_LOG_LEVEL must be one of DEBUG, ERROR, INFO, WARNING"),
        ],
    ),
    "a database of another make": (
        {"DATABASE_URL": "mysql://u:p@localhost/x"},
        [("E001", "DATABASE_URL is no address of PostgreSQL")],
    ),
    "addresses": (
        {
            "CREDMGR_PORTAL_PORT": "9000",
            "CREDMGR_AUTHORITY_PORT": "9000",
            "CREDMGR_BIND_ADDRESS": "everywhere",
        },
        [("E002", "are both 9000"), ("E003", "is not an IP address")],
    ),
    "a public URL over http, with DEBUG": (
        {"CREDMGR_PUBLIC_URL": "http://example.com", "CREDMGR_DEBUG": "1"},
        [("E005", "must be https"), ("E006", "Turn CREDMGR_DEBUG off")],
    ),
    "a public URL with a path, and a certificate without its key": (
        {"CREDMGR_PUBLIC_URL": "https://example.com/x", "CREDMGR_TLS_CERTIFICATE_FILE": "/etc/hostname"},
        [("E005", "without a path"), ("E007", "CREDMGR_TLS_KEY_FILE is not")],
    ),
    "DEBUG on the network, a proxy that is none, files that are not there": (
        {
            "CREDMGR_BIND_ADDRESS": EVERYWHERE,
            "CREDMGR_DEBUG": "1",
            "CREDMGR_TRUSTED_PROXIES": "10.0.0.1,nginx",
            "CREDMGR_METRICS_FROM": "10.0.0.0/8,prometheus",
            "CREDMGR_METRICS_TOKEN": "canary-short",
            "CREDMGR_AUDIT_FORWARD": "https://hook.example/audit",
            "CREDMGR_AUDIT_FORWARD_KEY": "canary-short",
            "CREDMGR_AUDIT_FORWARD_CA_FILE": "/nowhere/ca.pem",
            "CREDMGR_SSO_ISSUER": "https://idp.example.com",
            "CREDMGR_SSO_CLIENT_ID": "credmgr",
            "CREDMGR_SSO_ROLE_MAP": "Credential.Reader=reader",
            "CREDMGR_ALLOWED_HOSTS": "node-1.internal,*",
            "CREDMGR_TLS_CERTIFICATE_FILE": "/nowhere/c.pem",
            "CREDMGR_TLS_KEY_FILE": "/nowhere/k.pem",
        },
        [
            ("E010", "listen on 127.0.0.1"),
            ("E004", "CREDMGR_TRUSTED_PROXIES holds 'nginx', which is no address"),
            ("E004", "CREDMGR_METRICS_FROM holds 'prometheus', which is no address"),
            ("E012", "CREDMGR_ALLOWED_HOSTS holds '*', which is no host name"),
            ("E013", "A webhook needs CREDMGR_AUDIT_FORWARD_KEY, at least 32 characters"),
            ("E015", "CREDMGR_SSO_CLIENT_SECRET is missing"),
            ("E014", "CREDMGR_AUDIT_FORWARD_CA_FILE names /nowhere/ca.pem, which cannot be read"),
            ("E011", "CREDMGR_METRICS_TOKEN has fewer than 24 characters"),
            ("E008", "CREDMGR_TLS_KEY_FILE names /nowhere/k.pem, which cannot be read"),
        ],
    ),
    "an allowed origin with a path": (
        {"CREDMGR_ALLOWED_ORIGINS": "https://idp.example.com, https://idp.example.com/tenant"},
        [("E001", "'https://idp.example.com/tenant', which is no origin")],
    ),
    "an allowed origin with a wildcard": (
        {"CREDMGR_ALLOWED_ORIGINS": "https://*.example.com"},
        [("E001", "which is no origin")],
    ),
    "an allowed origin with an unknown mark": (
        {"CREDMGR_ALLOWED_ORIGINS": "https://idp.example.com trusted"},
        [("E001", "can be private, http and ca=<file>")],
    ),
    "an http origin without its mark": (
        {"CREDMGR_ALLOWED_ORIGINS": "http://localhost:9000 private"},
        [("E001", "the mark http go together")],
    ),
    "an allowed origin whose CA is missing": (
        {"CREDMGR_ALLOWED_ORIGINS": "https://10.0.0.7:6443 private ca=/nowhere/ca.pem"},
        [("E001", "cannot be read")],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nonsense_stops_the_start_and_every_problem_is_told_at_once(
    fresh_installation: InstallationFactory, case: str
) -> None:
    changed, told = REFUSED[case]
    one = fresh_installation(start=False)
    one.environment |= changed
    done = one.manage("serve")
    assert done.returncode == 1
    for identifier, sentence in told:
        assert f"credmgr.{identifier}" in done.stderr
        assert sentence in done.stderr
    assert done.stderr.count("Error credmgr.") == len(told) + ("/nowhere/c.pem" in str(changed))
    assert "Traceback" not in done.stderr
    assert not one.data_dir.exists(), "nothing may be made in a place that was not meant"


def test_two_sources_of_the_key_ring_stop_the_start(fresh_installation: InstallationFactory) -> None:
    """R5; and no key is repeated in the message (K-4)."""
    one = fresh_installation(start=False)
    key = "B" * 43
    one.environment |= {"CREDMGR_KEYRING": key, "CREDMGR_KEYRING_COMMAND": "cat /nowhere"}
    done = one.manage("serve")
    assert done.returncode == 1
    assert "Two sources of the key ring are set" in done.stderr
    assert key not in done.stdout + done.stderr


def test_a_command_does_nothing_while_settings_or_key_ring_are_not_in_order(
    fresh_installation: InstallationFactory,
) -> None:
    one = fresh_installation(start=False, prepared=True)
    assert one.manage("register_app", "Made").returncode == 0
    one.environment["CREDMGR_BIND_ADDRESS"] = "everywhere"
    refused = one.manage("register_app", "Not made")
    assert refused.returncode == 1
    assert "credmgr.E003" in refused.stderr
    del one.environment["CREDMGR_BIND_ADDRESS"]
    (one.data_dir / "keyring").write_text("no key\n")
    refused = one.manage("register_app", "Not made")
    assert refused.returncode == 1
    assert "vault.E001" in refused.stderr
    assert one.database.rows("SELECT display_name FROM registrations_application") == [("Made",)]


def test_a_misspelt_setting_is_a_warning(fresh_installation: InstallationFactory) -> None:
    one = fresh_installation(start=False, prepared=True, CREDMGR_PROTAL_PORT="8001")
    done = one.manage("prepare")
    assert done.returncode == 0, done.stderr
    assert "credmgr.W001" in done.stdout
    assert "CREDMGR_PROTAL_PORT" in done.stdout


def test_listening_on_the_network_without_a_proxy_is_a_warning(
    fresh_installation: InstallationFactory,
) -> None:
    """R3."""
    one = fresh_installation(start=False, prepared=True, CREDMGR_BIND_ADDRESS=EVERYWHERE)
    assert "credmgr.W002" in one.manage("prepare").stdout
    one.environment["CREDMGR_TRUSTED_PROXIES"] = "10.0.0.0/8"
    assert "credmgr.W002" not in one.manage("prepare").stdout


def test_a_value_may_stand_in_a_file(fresh_installation: InstallationFactory, tmp_path: Path) -> None:
    file = tmp_path / "name"
    file.write_text("Directory from a file\n")
    one = fresh_installation(start=False, CREDMGR_DIRECTORY_NAME_FILE=str(file))
    done = one.manage(
        "shell", "-c", "from django.conf import settings; print(settings.DEFAULT_DIRECTORY_NAME)"
    )
    assert done.stdout.strip().splitlines()[-1] == "Directory from a file"


def test_deploy_checks_are_silent_with_a_public_url(fresh_installation: InstallationFactory) -> None:
    """H-6."""
    one = fresh_installation(
        start=False,
        prepared=True,
        CREDMGR_PUBLIC_URL="https://credentials.example.com",
        CREDMGR_TRUSTED_PROXIES="127.0.0.1",
        CREDMGR_METRICS_TOKEN="0123456789abcdef0123456789abcdef",
        CREDMGR_ALLOWED_HOSTS="node-1.internal",
    )
    assert one.manage("prepare").returncode == 0
    done = one.manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://example.com", True),
        ("https://example.com:8443", True),
        ("https://[::1]:8443", True),
        ("https://example.com/", False),
        ("https://user@example.com", False),
        ("https://example.com:99999", False),
        ("https://", False),
        ("ftp://example.com", False),
        ("example.com", False),
    ],
)
def test_what_counts_as_an_origin(url: str, good: bool) -> None:
    assert is_https_origin(url) is good


def test_the_settings_table_is_complete_and_true() -> None:
    """docs/operations.md lists every setting that is read, with its default, and none that is not."""
    assert settings.DATA_DIR
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", DOCS.read_text(), re.MULTILINE)
    told = {name: default.strip().strip("`") for name, default in rows}
    read = {name: value for name, value in env.defaults.items() if name not in READ_ELSEWHERE}
    assert set(told) == set(read) | READ_ELSEWHERE
    for name, default in read.items():
        if name not in ("CREDMGR_DATA_DIR", "CREDMGR_ENV_FILE"):  # paths of the checkout, told in words
            assert told[name] in (default, "" if default else "none"), f"{name}: {told[name]!r} is told"
