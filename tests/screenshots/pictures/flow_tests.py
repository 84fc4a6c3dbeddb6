"""Test acquire token, and programs."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("tests", "portal:tests", "harbor"),
    page("tests-none", "portal:tests", "bare"),
    panel("test-new", "portal:test_new", "harbor"),
    panel("test-compare-new", "portal:test_compare_new", "harbor"),
    page("test-compare", "portal:test_compare", "harbor", "run/secret", "run/certificate"),
    page("test-new-key-file", "portal:test_new", "customs"),
    page("test-new-value", "portal:test_new", "warehouse"),
    page("test-new-nothing", "portal:test_new", "bare"),
    page(
        "test-new-raw-step-up",
        "portal:test_new",
        "ledger",
        person="stale",
        then=do.fill(include_raw_token="on"),
    ),
    page(
        "test-new-error",
        "portal:test_new",
        "customs",
        then=do.after(do.fill(scope="nonsense"), do.send("Test acquire token")),
    ),
    page("test-verified-secret", "portal:test", "harbor", "run/secret"),
    page("test-verified-certificate", "portal:test", "harbor", "run/certificate"),
    page("test-expired-secret", "portal:test", "harbor", "run/expired-secret"),
    page("test-unknown-resource", "portal:test", "harbor", "run/unknown-resource"),
    page("test-wrong-key", "portal:test", "customs", "run/wrong-key"),
    page("test-disabled", "portal:test", "night", "run/disabled"),
    page("test-plain-client", "portal:test", "partner", "run/plain-client"),
    page("test-unverified", "portal:test", "harbor", "run/unverified"),
    page("test-unreachable", "portal:test", "harbor", "run/unreachable"),
    page(
        "test-raw-token",
        "portal:test_new",
        "ledger",
        then=do.after(do.fill(include_raw_token="on"), do.send("Test acquire token")),
    ),
    page("test-long", "portal:test", "long", "run/long"),
    page("code", "portal:code", "harbor"),
    page("code-curl", "portal:code", "harbor", query="?client=curl"),
    page("code-github", "portal:code", "harbor", query="?client=github"),
]
