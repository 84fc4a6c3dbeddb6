"""The tester against the package oauth2-mock-server: an issuer that asks nobody for a proof."""

import pytest

from tests.peers.conftest import AtPeers, Tls, started


@pytest.mark.parametrize(
    "algorithm", ["RS256", "PS256", "ES256", "ES384", "ES512", "RS384", "RS512", "PS512"]
)
def test_each_algorithm_is_checked_by_its_kind_of_key(elsewhere: AtPeers, tls: Tls, algorithm: str) -> None:
    for peer in started("mock_server.mjs", tls, https=True, path="", algorithm=algorithm):
        secret = elsewhere.secret(elsewhere.at(peer, "anybody"))
        run, report = elsewhere.run(secret, scope="routes.read")
        assert run.verdict == "verified", report.diagnosis
        assert report.decisive.token is not None
        assert report.decisive.token.header["alg"] == algorithm
        outcomes = {check.name: check.outcome for check in report.decisive.token.checks}
        assert outcomes == {
            "Signature is valid": "ok",
            "Issuer equals discovery": "ok",
            "Audience": "unchecked",
            "Client is this application": "unchecked",
            "Times hold": "ok",
        }


def test_an_algorithm_that_cannot_be_checked_here_is_no_failure(elsewhere: AtPeers, tls: Tls) -> None:
    for peer in started("mock_server.mjs", tls, https=True, path="", algorithm="EdDSA"):
        secret = elsewhere.secret(elsewhere.at(peer, "anybody"))
        run, report = elsewhere.run(secret)
        assert run.verdict == "acquired", report.diagnosis
        assert "EdDSA" in report.diagnosis.summary


def test_the_audience_parameter(elsewhere: AtPeers, tls: Tls) -> None:
    """The mock server wants `aud` and leaves `audience` alone: asked for, and not in the token."""
    for peer in started("mock_server.mjs", tls, https=False, path="", algorithm="RS256"):
        secret = elsewhere.secret(elsewhere.at(peer, "anybody"))
        run, report = elsewhere.run(secret, audience="https://api.example/")
        assert run.verdict == "unverified"
        assert "Audience is https://api.example/" in report.diagnosis.headline


def test_a_path_and_a_list_of_no_method(elsewhere: AtPeers, tls: Tls) -> None:
    """It publishes "none" alone, so the secret goes as every server must take it: Basic."""
    for peer in started("mock_server.mjs", tls, https=True, path="/mock", algorithm="RS256"):
        secret = elsewhere.secret(elsewhere.at(peer, "anybody"))
        run, report = elsewhere.run(secret, scope="routes.read")
        assert run.verdict == "verified", report.diagnosis
        assert report.client == "Plain OAuth client"
        assert [shape.shape.value for shape in report.shapes] == ["secret-basic"]
