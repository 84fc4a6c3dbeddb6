"""Rules about the wire to an authority elsewhere: no answer, a useless one, one that leads somewhere else."""

from urllib.parse import urlsplit

from credmgr.flowtest import discovery
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.diagnosis.wire import THROTTLED
from credmgr.flowtest.report import Diagnosis, Evidence, Step, Verdict
from credmgr.flowtest.wire import SIGNING_KEYS, TOKEN_REQUEST
from credmgr.outbound.errors import Failure
from credmgr.registrations.models import OIDC

# failure: (headline, summary, cure title, cure text). {host} and {seconds} are filled in.
_FAILURES: dict[str, tuple[str, str, str, str]] = {
    Failure.REFUSED: (
        "Not reached: nothing answers at {host}",
        "The connection was refused, so no server listens on this port.",
        "Compare host and port",
        "They are those of the registration's authority. Seen from this server, localhost is this machine.",
    ),
    Failure.NAME: (
        "Not reached: the name {host} is not known",
        "No address was found for this name, seen from this server.",
        "Compare the name",
        "A private name has to be known to this machine's own name servers. No proxy is used.",
    ),
    Failure.TLS: (
        "Not reached: the TLS certificate of {host} is not trusted",
        "No CA that is trusted for this origin has issued it, it is outside its dates, or for another name.",
        "Give the origin its CA",
        "An origin on the list may have a CA of its own; without one the public roots count. A certificate "
        "that is outside its dates has to be renewed there.",
    ),
    Failure.NO_CA: (
        "Not sent: the CA file of {host} is missing",
        "The origin is listed with a CA file that does not exist. Without it nobody could tell the right "
        "server from a false one.",
        "Put the CA file back",
        "Or list the origin with another one.",
    ),
    Failure.TIMEOUT: (
        "Not reached: {host} did not answer within {seconds} s",
        "The connection stood, or was being made, when the time for this run ended. Nothing hangs: the run "
        "was cut off.",
        "See whether this server may reach it",
        "A firewall that drops packets looks like this, and so does a server that is overloaded.",
    ),
    Failure.BROKEN: (
        "Not reached: {host} broke the connection",
        "The answer ended before it was complete, or was no HTTP.",
        "Compare scheme and port",
        "A port that speaks TLS and is asked without, or the other way round, answers like this.",
    ),
    Failure.NOT_LISTED: (
        "Not sent: {host} is not on the list of allowed origins",
        "Credentials are sent to listed origins only, to the letter of scheme, host and port.",
        "List the origin",
        "An administrator can do that, with a private address or a CA of its own where it has one.",
    ),
    Failure.ADDRESS: (
        "Not sent: {host} leads to a private address",
        "Its entry on the list of allowed origins does not allow private addresses.",
        "Mark the entry as private",
        "If the address is meant: loopback and the networks behind a firewall are private.",
    ),
    Failure.REDIRECT: (
        "Not followed: {host} answered with a redirect",
        "Redirects are not followed: a redirected POST loses its body or carries the credential elsewhere.",
        "Use the address it leads to",
        "Register the issuer under the address that answers itself, to the letter of its metadata.",
    ),
    Failure.ENCODED: (
        "Not read: {host} sent a compressed answer",
        "An uncompressed one was asked for, and a small compressed answer can unpack to a huge one.",
        "Look for a proxy on the way",
        "Something between here and the authority changes its answers.",
    ),
    Failure.TOO_LARGE: (
        "Not read: the answer of {host} is too large",
        "More than 256 KB came. No metadata, token answer or key set is that large.",
        "See what answers there",
        "It is probably not an authority.",
    ),
    discovery.NOT_JSON: (
        "Not understood: the answer of {host} is not JSON",
        "An authority answers with JSON, for errors too. A page or a plain text comes from something else.",
        "Compare the address",
        "A start page, a proxy or a firewall answers like this. The beginning of what it sent is below.",
    ),
    discovery.NO_METADATA: (
        "Not sent: {host} has no metadata for this issuer",
        "Neither OpenID Connect's address nor that of RFC 8414 answered with a metadata document, so the "
        "token endpoint is not known.",
        "Compare the issuer",
        "It is the iss of the tokens, with its path and without /.well-known. Both addresses are below.",
    ),
    discovery.ISSUER_DIFFERS: (
        "Not sent: the metadata of {host} names another issuer",
        "What was registered and what the document says must be equal to the letter. Otherwise the "
        "credential could go to a stranger who bent the document.",
        "Register the issuer as the metadata has it",
        "If it is the right one: host, path and a slash at the end all count.",
    ),
    discovery.ENDPOINT_MISSING: (
        "Not sent: the metadata of {host} lacks what is needed",
        "A metadata document names its token endpoint. Without it there is nowhere to ask for a token.",
        "See whether the issuer gives tokens to clients",
        "Some issuers only sign tokens of their own, such as those of build runners.",
    ),
    discovery.ENDPOINT_NOT_LISTED: (
        "Not sent: the metadata of {host} leads to an origin that is not listed",
        "Token endpoint and keys may lie on another origin than the issuer, and then that one has to be "
        "listed too.",
        "List that origin too",
        "If it belongs to the issuer. Credentials go to listed origins only.",
    ),
    discovery.OTHER_CLOUD: (
        "Not sent: this directory belongs to another cloud",
        "{host} knows of it, and its metadata leads to the sign-in host of another cloud.",
        "Choose the directory's cloud",
        "On the registration's properties.",
    ),
    discovery.NO_TENANT: (
        "Not sent: the authority names no directory",
        "common, organizations and consumers stand for any directory. An application without a person signs "
        "in to one of them.",
        "Name the directory",
        "By its ID, or by a domain of it, on the registration's properties.",
    ),
    "status": (
        "Not understood: {host} answered without an OAuth error",
        "The status says that something went wrong, and nothing in the answer says what (RFC 6749 section "
        "5.2).",
        "Read the answer",
        "It is below, as it came. A gateway before the authority often answers like this.",
    ),
    "no-token": (
        "No token: {host} answered with neither a token nor an error",
        "The answer is JSON and lacks both access_token and error.",
        "See what answers there",
        "It is probably not a token endpoint. The answer is below.",
    ),
}


def no_answer(case: Case) -> Diagnosis | None:
    """One text for each way in which a usable answer fails to come."""
    result = case.result
    texts = _FAILURES.get(result.failure)
    if texts is None or result.verdict is not Verdict.UNREACHABLE:
        return None
    host = result.failure_host or case.target.host
    headline, summary, title, cure = (
        text.format(host=host, seconds=f"{case.deadline_seconds:g}") for text in texts
    )
    if _token_came(case):
        headline = f"A token came, but its signing keys could not be had from {host}"
        summary = f"The credential was accepted. {summary}"
    return Diagnosis(
        result.failure,
        headline,
        summary,
        [_step(case, host, title, cure), run_again(case, "Nothing was stored or changed by this run.")],
        [Evidence("cause", "Answer" if _came(case) else "Connection", result.failure_detail), *_values(case)],
        [result.failure_value] if result.failure_value else [],
    )


def throttled(case: Case) -> Diagnosis | None:
    """429, or Entra's codes for the same: too many requests."""
    error = case.result.error
    if error is None or (error.status != 429 and case.code not in THROTTLED):
        return None
    return Diagnosis(
        "throttled",
        f"No token: {case.target.host} is refusing further attempts for now",
        "Too many requests came to it. Whether the credential is right cannot be told from that.",
        [
            Step("Wait", "A Retry-After header in the answer below says how many seconds."),
            run_again(case, "Once the time is over."),
        ],
        [Evidence("cause", "Answer", f"{error.status} {error.error}".strip())],
    )


def unavailable(case: Case) -> Diagnosis | None:
    """5xx: the authority itself is in trouble."""
    error = case.result.error
    if error is None or error.status < 500:
        return None
    return Diagnosis(
        "unavailable",
        f"No token: {case.target.host} answered {error.status}, it cannot serve at the moment",
        "Nothing is said about the credential: the authority is in trouble of its own.",
        [run_again(case, "When the authority is well again.")],
        [Evidence("cause", "Answer", f"{error.status} {error.error}".strip())],
    )


RULES: list[Rule] = [no_answer, throttled, unavailable]


def _came(case: Case) -> bool:
    """Whether there was an answer at all."""
    return case.result.failure not in set(Failure)


def _token_came(case: Case) -> bool:
    names = {hop.name: hop.outcome for hop in case.result.hops}
    return names.get(TOKEN_REQUEST) == "ok" and names.get(SIGNING_KEYS) == "failed"


def _step(case: Case, host: str, title: str, cure: str) -> Step:
    """The cure with what a person needs for it: an origin to list, an issuer to register."""
    failure, value = case.result.failure, case.result.failure_value
    if failure in (discovery.ISSUER_DIFFERS, discovery.OTHER_CLOUD, discovery.NO_TENANT):
        copy = value if failure == discovery.ISSUER_DIFFERS and case.target.kind == OIDC else ""
        return Step(
            title,
            cure,
            "portal:application_properties",
            case.page,
            "Properties",
            copy=copy,
            copy_label="Copy issuer" if copy else "",
        )
    if failure in (Failure.NOT_LISTED, discovery.ENDPOINT_NOT_LISTED):
        parts = urlsplit(value or f"{urlsplit(case.target.authority).scheme}://{host}")
        origin = f"{parts.scheme}://{parts.netloc}"
        return Step(
            title,
            cure,
            "portal:origin_new",
            {},
            "Add origin",
            copy=origin,
            copy_label="Copy origin",
            query={"address": origin},
        )
    if failure in (Failure.TLS, Failure.NO_CA, Failure.ADDRESS):
        return Step(title, cure, "portal:origins", {}, "Allowed origins")
    return Step(title, cure)


def _values(case: Case) -> list[Evidence]:
    failure, value = case.result.failure, case.result.failure_value
    if failure == discovery.ISSUER_DIFFERS:
        return [
            Evidence("cause", "Registered here", case.target.authority),
            Evidence("cause", "The metadata says", value or "No issuer"),
            *_difference(case.target.authority, value),
        ]
    return [Evidence("cause", "It leads to", value)] if value else []


def _difference(wanted: str, found: str) -> list[Evidence]:
    if wanted.rstrip("/") == found.rstrip("/"):
        return [Evidence("note", "Difference", "Only the slash at the end")]
    if wanted.casefold() == found.casefold():
        return [Evidence("note", "Difference", "Only capital and small letters")]
    return []
