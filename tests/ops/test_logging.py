"""Logs: one JSON object a line, UTC, and nothing secret (G-1 to G-3)."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as configured
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from credmgr.ops.error_reports import ReportFilter
from credmgr.ops.logging import JsonFormatter, RedactionFilter, redact, request_ids
from tests.installation import ROOT, Installation
from tests.ops.test_serve import get

SECRET = "abc_cm_0123456789ABCDEFGHIJabcdefghij0123456"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
KEY = "-----BEGIN PRIVATE KEY-----\nMIICANARYcanaryCANARY\n-----END PRIVATE KEY-----"
CUT_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIICANARYcanaryCANARY and so on"

LINES = [
    (f"client_secret={SECRET}&scope=x", SECRET),
    (f"the value {SECRET} was presented", SECRET),
    ("client_secret=chosen-by-hand&client_id=1", "chosen-by-hand"),
    ('{"client_secret": "chosen by hand", "scope": "x"}', "chosen by hand"),
    ("{'password': 'correct horse'}", "correct horse"),
    ("{'password': b'correct horse'}", "correct horse"),
    ('{"password": "with \\" a quote inside"}', "inside"),
    ("password='correct horse' next=1", "correct horse"),
    ("new_password=correct", "correct"),
    (f"client_assertion={TOKEN}", TOKEN),
    (f"saw {TOKEN} in passing", "c2lnbmF0dXJlLWNhbmFyeQ"),
    ("access_token=opaque-value", "opaque-value"),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("authorization: bearer opaque value", "opaque"),
    ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
    ("Cookie: sessionid=canary; csrftoken=other", "canary"),
    ("Set-Cookie: __Host-sessionid=canary; Path=/", "canary"),
    (KEY, "CANARY"),
    (CUT_KEY, "CANARY"),
    ("key: " + KEY.replace("\n", "\\n"), "CANARY"),
    ("Not Found: /account/setup/canary-token-in-a-path", "canary-token"),
    ("Not Found: /account/invitation/canary-token-in-a-path", "canary-token"),
    ("code=canary-code&state=1", "canary-code"),
]


def written(logger_call: object, *arguments: object, **options: object) -> str:
    """What the configured handler would write for one call of a logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactionFilter())
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("test.log")
    logger.handlers, logger.propagate = [], False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    getattr(logger, str(logger_call))(*arguments, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("text", "canary"), LINES)
def test_credentials_are_masked_in_messages_and_arguments(text: str, canary: str) -> None:
    """G-1."""
    assert canary not in redact(text)
    assert canary not in written("info", text.replace("%", "%%"))
    assert canary not in written("info", "request %s", text)
    assert canary not in written("info", "request %r", text)


def test_a_mapping_argument_is_masked_by_its_names() -> None:
    assert "canary" not in written(
        "info", "%(password)s %(client_secret)s", {"password": "canary", "client_secret": "canary"}
    )
    assert "kept" in written("info", "%(name)s", {"name": "kept"})


def test_tracebacks_are_masked() -> None:
    try:
        raise ValueError(f"cannot use client_secret={SECRET} with {KEY}")
    except ValueError:
        line = written("exception", "it failed")
    assert SECRET not in line
    assert "CANARY" not in line
    assert "ValueError" in json.loads(line)["exception"]


DYING = f"""
import sys, threading
sys.path.insert(0, {str(ROOT)!r})
import django
django.setup()
from credmgr.ops.last_words import log_what_nobody_caught
log_what_nobody_caught()
class Odd:
    def __del__(self):
        raise ValueError("client_secret=canary-in-a-finalizer")
def fail():
    raise ValueError("client_secret=canary-in-a-thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Odd()
raise ValueError("client_secret=canary-at-the-end")
"""


def test_errors_that_nobody_caught_pass_the_filter_too() -> None:
    """Python itself would print them to standard error as they are."""
    done = subprocess.run(
        [sys.executable, "-c", DYING],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 1
    assert "canary" not in done.stderr
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert [entry["level"] for entry in entries] == ["error", "error", "critical"]
    assert all("ValueError: client_secret=***" in entry["exception"] for entry in entries)


def test_extras_are_masked() -> None:
    assert SECRET not in written("info", "x", extra={"presented": SECRET})


@pytest.mark.parametrize(
    "text",
    [
        "GET /applications 200",
        "The signing key 5f2c was published.",
        "AADSTS7000215: Invalid client secret provided.",
        "decode the status code of 3 tokens",
    ],
)
def test_ordinary_lines_stay_readable(text: str) -> None:
    assert redact(text) == text


def test_a_line_is_one_json_object_in_utc_with_the_requests_id() -> None:
    """G-3, D-7: line breaks and control characters come out escaped."""
    token = request_ids.set(("5f0c6d1e", "77aa"))
    try:
        line = written("warning", "one\r\ntwo \x1b[31m \u202e", extra={"status": 404})
    finally:
        request_ids.reset(token)
    assert line.count("\n") == 1
    assert line.isascii()
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["time"])
    assert entry["level"] == "warning"
    assert entry["logger"] == "test.log"
    assert (entry["request_id"], entry["correlation_id"]) == ("5f0c6d1e", "77aa")
    assert entry["status"] == 404
    assert entry["message"].startswith("one\r\ntwo")


@pytest.mark.django_db
def test_a_slow_request_leaves_a_line_of_its_own(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Route, method, status and time; never the path or the query, which are the client's words."""
    settings.SLOW_REQUEST_MS = 0.000001
    with caplog.at_level("WARNING", "credmgr.ops.watching"):
        Client().get("/health/live?client_secret=canary")
        Client().post("/organizations/oauth2/v2.0/token?client_secret=canary", {"client_secret": "canary"})
        Client().get("/applications/canary")
        settings.SLOW_REQUEST_MS = 0
        Client().get("/health/live")
    lines = [vars(record) for record in caplog.records if record.name == "credmgr.ops.watching"]
    seen = [(line["route"], line["method"], line["status"]) for line in lines]
    assert seen == [
        ("health_live", "GET", 200),
        ("authority:token", "POST", 400),
        ("nothing_here", "GET", 404),
    ]
    assert all(line["seconds"] >= 0 for line in lines)
    assert "canary" not in repr([(line["msg"], line["args"], line["route"]) for line in lines])


@pytest.mark.django_db
def test_the_error_page_shows_the_request_id_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Also where the client gave a name of its own: that is the correlation id, and in the audit."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("django.request").addHandler(handler)
    own = "0f0e0d0c-0b0a-4908-8706-050403020100"
    try:
        page = Client().get("/ca.pem/nothing", HTTP_CLIENT_REQUEST_ID=own)
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    entry = json.loads(stream.getvalue())
    assert entry["correlation_id"] == own
    assert entry["request_id"] != own
    assert entry["request_id"] in page.content.decode()
    assert own not in page.content.decode()


@given(st.text(max_size=300))
def test_redaction_never_fails_and_masks_a_secret_in_any_surroundings(text: str) -> None:
    assert SECRET not in redact(f"{text} {SECRET} {text}")


def test_redaction_is_quick_for_hostile_lines() -> None:
    """A long line must not hold a worker up."""
    for piece in (
        "password=",
        "'password': '",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "cookie: ",
        '"secret":"\\',
    ):
        redact(piece * 5000)


def test_an_error_report_hides_forms_settings_and_marked_variables_with_debug_too(
    rf: RequestFactory, settings: Settings
) -> None:
    """G-2, E-5: the same with DEBUG on."""
    settings.DEBUG = True
    request: HttpRequest = rf.post(
        "/x", {"client_secret": "canary-form", "name": "canary-name"}, HTTP_COOKIE="a=canary-cookie"
    )
    request.META["CREDMGR_KEYRING"] = "canary-ring"
    request.META["HTTP_AUTHORIZATION"] = "Basic canary-basic"
    assert ReportFilter().is_active(request)
    html = ExceptionReporter(request, ValueError, ValueError("x"), None).get_traceback_html()
    for canary in ("canary-form", "canary-name", "canary-ring", "canary-basic"):
        assert canary not in html


def test_the_reporter_in_force_is_ours() -> None:
    assert configured.DEFAULT_EXCEPTION_REPORTER_FILTER == "credmgr.ops.error_reports.ReportFilter"


def test_talkative_libraries_stay_at_info() -> None:
    """G-2: SQL parameters and request bodies are written below INFO."""
    loggers: Any = configured.LOGGING["loggers"]
    for name in ("django.db.backends", "urllib3", "msal"):
        assert loggers[name]["level"] == "INFO"


def test_a_running_server_writes_json_without_query_strings(installation: Installation) -> None:
    """G-3."""
    get(installation, "/no-such-page-9d1c?client_secret=canary-in-a-query")
    get(installation, "/organizations/oauth2/v2.0/token?client_secret=canary-in-a-query")
    lines = [line for line in installation.logs().splitlines() if line.startswith("{")]
    assert any("no-such-page-9d1c" in json.loads(line)["message"] for line in lines)
    assert "canary-in-a-query" not in installation.logs()
