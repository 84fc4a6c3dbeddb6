"""Keeping the keys of outside issuers: how long, how often asked, and what one slow issuer costs others."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credmgr.authority import issuer_keys as keys_module
from credmgr.authority.issuer_keys import FETCHES_AT_ONCE, IssuerError, IssuerKeys
from credmgr.env import AllowedOrigin
from credmgr.jose.errors import UnknownKeyError
from credmgr.jose.jwk import public_jwk
from credmgr.outbound.origin import configured_origins
from tests.flowtest.far_side import FarSide, Handler, rsa_key, send_json

NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def side(tmp_path: Path, settings: Any) -> Iterator[FarSide]:
    """A listed issuer."""
    one = FarSide(tmp_path)
    settings.ALLOWED_ORIGINS = [AllowedOrigin("https", "localhost", one.port, True, str(one.ca_file))]
    yield one
    one.close()


def issuer_of(side: FarSide, name: str = "pool") -> str:
    """One of the issuers that the side plays."""
    return f"{side.url}/{name}/v2.0"


def test_f3_keys_are_kept_for_ten_minutes(side: FarSide) -> None:
    """F-3."""
    keys = IssuerKeys(configured_origins)
    for moment in (NOW, NOW + MINUTE, NOW + 10 * MINUTE - SECOND):
        keys.find(issuer_of(side), "far-1", moment)
    assert len(side.requests) == 2
    keys.find(issuer_of(side), "far-1", NOW + 10 * MINUTE)
    assert len(side.requests) == 4


def test_f3_a_changed_key_is_found_and_unknown_ids_ask_once_a_minute(side: FarSide) -> None:
    """F-3: a flood of unknown ids makes no flood of requests."""
    keys = IssuerKeys(configured_origins)
    issuer = issuer_of(side)
    keys.find(issuer, "far-1", NOW)
    for number in range(20):
        with pytest.raises(UnknownKeyError):
            keys.find(issuer, f"unknown-{number}", NOW + 59 * SECOND)
    assert len(side.requests) == 2
    for number in range(20):
        with pytest.raises(UnknownKeyError):
            keys.find(issuer, f"unknown-{number}", NOW + MINUTE)
    assert len(side.requests) == 4
    changed = {"keys": [{**public_jwk(rsa_key(6).public_key()), "kid": "far-2"}]}
    side.answers["GET", "/keys"] = lambda request: send_json(request, 200, changed)
    found = keys.find(issuer, "far-2", NOW + 2 * MINUTE)
    assert found == rsa_key(6).public_key()
    with pytest.raises(UnknownKeyError):
        keys.find(issuer, "far-1", NOW + 2 * MINUTE)


def test_a_failed_look_for_a_new_key_leaves_the_kept_ones(side: FarSide) -> None:
    keys = IssuerKeys(configured_origins)
    issuer = issuer_of(side)
    keys.find(issuer, "far-1", NOW)
    side.answers["GET", "/keys"] = lambda request: send_json(request, 503, {})
    with pytest.raises(UnknownKeyError):
        keys.find(issuer, "far-2", NOW + MINUTE)
    assert keys.find(issuer, "far-1", NOW + MINUTE)
    with pytest.raises(IssuerError, match="HTTP 503"):
        keys.find(issuer, "far-1", NOW + 10 * MINUTE)


def test_a_failure_is_remembered_for_ten_seconds(side: FarSide) -> None:
    keys = IssuerKeys(configured_origins)
    side.answers["GET", "/openid-configuration"] = lambda request: send_json(request, 500, {})
    for moment in (NOW, NOW + 9 * SECOND):
        with pytest.raises(IssuerError, match="HTTP 500"):
            keys.find(issuer_of(side), "far-1", moment)
    assert len(side.requests) == 1
    side.answers.clear()
    assert keys.find(issuer_of(side), "far-1", NOW + 10 * SECOND)


def test_issuers_do_not_share_keys(side: FarSide) -> None:
    """Each issuer has a key set of its own, however alike their addresses."""
    keys = IssuerKeys(configured_origins)
    other = {"keys": [{**public_jwk(rsa_key(6).public_key()), "kid": "far-1"}]}

    def answer(request: Handler) -> None:
        send_json(request, 200, other if "/second/" in request.path else {"keys": [side.jwk()]})

    side.answers["GET", "/keys"] = answer
    first = keys.find(issuer_of(side), "far-1", NOW)
    second = keys.find(issuer_of(side, "second"), "far-1", NOW)
    assert first == side.signing_key.public_key()
    assert second == rsa_key(6).public_key()


def test_many_requests_at_once_share_one_fetch(side: FarSide) -> None:
    """A cold start under load: one asks, the rest wait for it."""
    keys = IssuerKeys(configured_origins)
    start = threading.Barrier(8)

    def run(_: int) -> object:
        start.wait()
        return keys.find(issuer_of(side), "far-1", NOW)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == [side.signing_key.public_key()] * 8
    assert len(side.requests) == 2


def test_f4_a_slow_issuer_holds_few_threads_and_never_for_long(
    side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-4: no other request waits for it; more slow issuers than there are places are refused at once."""
    monkeypatch.setattr(keys_module, "FETCH_SECONDS", 4.0)
    monkeypatch.setattr(keys_module, "WAIT_SECONDS", 1.0)
    keys = IssuerKeys(configured_origins)
    assert keys.find(issuer_of(side, "good"), "far-1", NOW)

    def answer(request: Handler) -> None:
        side.silence(request)

    side.answers["GET", "/openid-configuration"] = answer

    def slow(name: str) -> float:
        began = time.monotonic()
        with pytest.raises(IssuerError):
            keys.find(issuer_of(side, name), "far-1", NOW)
        return time.monotonic() - began

    with ThreadPoolExecutor(FETCHES_AT_ONCE + 2) as pool:
        held = [pool.submit(slow, f"slow-{number}") for number in range(FETCHES_AT_ONCE)]
        deadline = time.monotonic() + 2
        while len(side.requests) < 2 + FETCHES_AT_ONCE and time.monotonic() < deadline:
            time.sleep(0.01)
        began = time.monotonic()
        assert keys.find(issuer_of(side, "good"), "far-1", NOW)
        assert time.monotonic() - began < 0.8
        assert slow("one-too-many") < 0.8
        time.sleep(1.0)
        assert slow("slow-0") < 0.8, "a fetch that takes long is not waited for"
        assert all(future.result() < 8 for future in held)


def test_what_is_remembered_has_a_limit(side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused issuer is forgotten first."""
    monkeypatch.setattr(keys_module, "ISSUERS_KEPT", 2)
    keys = IssuerKeys(configured_origins)
    for name in ("one", "two", "one", "three", "one"):
        keys.find(issuer_of(side, name), "far-1", NOW)
    assert len(side.requests) == 6
    keys.find(issuer_of(side, "two"), "far-1", NOW)
    assert len(side.requests) == 8
