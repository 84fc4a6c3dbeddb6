"""Rules about the wire: no answer, a useless answer, an authority that is busy or broken."""

from urllib.parse import urlsplit

from credmgr.flowtest import discovery
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.report import Diagnosis, Evidence, Step
from credmgr.outbound.errors import Failure

THROTTLED = {90055, 50196}
UNAVAILABLE = {90033}

# failure: (headline, summary, cure title, cure text). {host} and {seconds} are filled in.
_FAILURES: dict[str, tuple[str, str, str, str]] = {
    Failure.REFUSED: (
        "Not reached: nothing answers at {host}",
        "The connection was refused, so no server listens on this port.",
        "Start the server",
        "make run, or .venv/bin/python manage.py serve. It prints its addresses when it is ready.",
    ),
    Failure.NAME: (
        "Not reached: the name {host} is not known",
        "No address was found for this name.",
        "Compare the authority's address",
        "The public URL in the settings must be a name that this machine can resolve.",
    ),
    Failure.TLS: (
        "Not reached: the TLS certificate of {host} is not trusted",
        "The server answered with a certificate that the expected CA did not issue, or one outside its "
        "dates.",
        "See which server answers there",
        "Another program may have taken the port, or the local CA was made anew: restart the server.",
    ),
    Failure.NO_CA: (
        "Not sent: the CA file is missing",
        "Without it nobody could tell the right server from a false one.",
        "Start the server once",
        "make run makes the local CA and its file.",
    ),
    Failure.TIMEOUT: (
        "Not reached: {host} did not answer within {seconds} s",
        "The connection stood, or was being made, when the time for this run ended. Nothing hangs: the "
        "run was cut off.",
        "See whether the server is busy or stopped",
        "The health page /health/ready answers within a second when all is well.",
    ),
    Failure.BROKEN: (
        "Not reached: {host} broke the connection",
        "The answer ended before it was complete.",
        "See the server's log",
        "A worker that was stopped or crashed in the middle of a request looks like this.",
    ),
    Failure.NOT_LISTED: (
        "Not sent: this host is not on the list of allowed authorities",
        "Credentials are sent to listed hosts only.",
        "Ask an administrator",
        "An administrator can add the host.",
    ),
    Failure.ADDRESS: (
        "Not sent: {host} leads to a private address",
        "Its list entry does not allow private addresses.",
        "Ask an administrator",
        "An administrator can mark the entry as private.",
    ),
    Failure.REDIRECT: (
        "No token: {host} answered with a redirect",
        "Token requests are not redirected; a redirected POST would lose its body or carry it elsewhere.",
        "Use the address it leads to",
        "It is in the answer below.",
    ),
    Failure.ENCODED: (
        "No token: {host} sent a compressed answer",
        "An uncompressed one was asked for.",
        "Look for a proxy on the way",
        "Something between here and the authority changes its answers.",
    ),
    Failure.TOO_LARGE: (
        "No token: the answer is too large",
        "More than 256 KB came. No token answer or key set is that large.",
        "See what answers there",
        "It is probably not an authority.",
    ),
    discovery.NOT_JSON: (
        "No token: the answer is not JSON",
        "An authority answers with JSON, for errors too. A page or a plain text comes from something else.",
        "Look for a proxy or another program on this port",
        "The beginning of what it sent is below.",
    ),
    **dict.fromkeys(
        (discovery.ISSUER_DIFFERS, discovery.ENDPOINT_MISSING, discovery.ENDPOINT_NOT_LISTED),
        (
            "No token: the discovery document does not fit",
            "Its issuer or its endpoints are not those of the authority that was asked, so nothing was sent "
            "there.",
            "Compare the configured address",
            "The issuer follows from the public URL in the settings of the server that answers.",
        ),
    ),
}


def no_answer(case: Case) -> Diagnosis | None:
    """One text for each way in which an answer fails to come."""
    texts = _FAILURES.get(case.result.failure)
    if texts is None:
        return None
    parts = urlsplit(case.target.authority)
    headline, summary, title, cure = (
        text.format(host=parts.netloc, seconds=f"{case.deadline_seconds:g}") for text in texts
    )
    return Diagnosis(
        case.result.failure,
        headline,
        summary,
        [Step(title, cure), run_again(case, "Nothing was stored or changed by this run.")],
        [Evidence("cause", "Connection", case.result.failure_detail)],
    )


def throttled(case: Case) -> Diagnosis | None:
    """429: too many requests, most often wrong secrets."""
    error = case.result.error
    if error is None or (error.status != 429 and case.code not in THROTTLED):
        return None
    return Diagnosis(
        "throttled",
        "No token: the authority is refusing further attempts for now",
        "Too many attempts, usually with wrong secrets, came from this address. Other clients are not "
        "affected.",
        [
            Step("Wait a minute", "The answer's Retry-After header says how many seconds."),
            Step(
                "Find the caller that keeps trying",
                "The sign-in log shows its address and the codes it got.",
                "portal:application_sign_ins",
                case.page,
                "Sign-ins",
            ),
            run_again(case, "Once the time is over."),
        ],
        [
            Evidence(
                "cause", "Answer", f"{error.status}, AADSTS{case.code}" if case.code else str(error.status)
            )
        ],
    )


def unavailable(case: Case) -> Diagnosis | None:
    """5xx: the authority itself is in trouble."""
    error = case.result.error
    if error is None or (error.status < 500 and case.code not in UNAVAILABLE):
        return None
    return Diagnosis(
        "unavailable",
        f"No token: the authority answered {error.status}, it cannot serve at the moment",
        "Nothing is wrong with the credential: the authority could not read or write its own data.",
        [
            Step(
                "See the server's log",
                "A full disk, a locked database or a missing vault key stop it. The trace ID below finds "
                "the line.",
            ),
            run_again(case, "When the server is well again."),
        ],
        [Evidence("cause", "Answer", f"{error.status} {error.error}".strip())],
    )


RULES: list[Rule] = [no_answer, throttled, unavailable]
