"""Rules about the errors of RFC 6749 section 5.2, where no AADSTS code says more."""

from credmgr.credentials.lifecycle import end_of, has_ended, is_live
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.diagnosis.pasted import looks_wrong
from credmgr.flowtest.inspection import relative, shown_moment
from credmgr.flowtest.report import SHAPE_NAMES, Diagnosis, Evidence, Shape, Step

_CLIENT_ID = "Client ID"


def client_not_accepted(case: Case) -> Diagnosis | None:
    """invalid_client, which tells neither which check failed nor how the client is registered."""
    if _error(case) != "invalid_client":
        return None
    host = case.target.host
    evidence = [*looks_wrong(case), *_dates(case)]
    steps = [
        Step(
            "Compare the client ID",
            "With the registration at the issuer, to the letter.",
            copy=case.target.client_id,
            copy_label="Copy client ID",
        ),
        _proof_step(case),
        Step(
            "Compare how the client is registered to prove itself",
            f"token_endpoint_auth_method at the issuer. Tried here: {_tried(case)}.",
        ),
        run_again(case, "A change at the issuer may take a moment to count."),
    ]
    if evidence:
        summary = "What is stored here points to the cause, below."
    else:
        summary = (
            "invalid_client: it knows no such client, the proof is wrong, or the client is registered for "
            "another way to prove itself."
        )
    return Diagnosis(
        "client-not-accepted",
        f"No token: {host} does not accept this client with this credential",
        summary,
        steps,
        [*evidence, *_answers(case), Evidence("note", _CLIENT_ID, case.target.client_id)],
        ["invalid_client"],
    )


def scope_not_accepted(case: Case) -> Diagnosis | None:
    """invalid_scope."""
    if _error(case) != "invalid_scope":
        return None
    asked = case.scope or "no scope"
    return Diagnosis(
        "scope-not-accepted",
        f"No token: {case.target.host} does not give {asked}",
        "The client was accepted, and this scope is unknown there, malformed, or not allowed for it.",
        [
            Step("Allow the scope", "On the client's registration at the issuer."),
            Step("Or ask for another", "Many issuers give what is allowed when no scope is asked for."),
            run_again(case, "With a scope that the issuer knows."),
        ],
        [
            Evidence("cause", "Scope", asked),
            *_answers(case),
            Evidence("fine", "Client", "Accepted, otherwise invalid_client"),
        ],
        [word for word in ("invalid_scope", case.scope) if word],
    )


def resource_not_accepted(case: Case) -> Diagnosis | None:
    """invalid_target (RFC 8707 section 2)."""
    if _error(case) != "invalid_target":
        return None
    asked = case.asked.resource or case.asked.audience or "no resource"
    return Diagnosis(
        "resource-not-accepted",
        f"No token: {case.target.host} gives no token for {asked}",
        "The resource is unknown there, malformed, or not allowed for this client.",
        [
            Step("Compare the resource", "An absolute URI without a fragment, as the issuer has it."),
            Step("Allow it", "Issuers list which clients may ask for which API."),
            run_again(case),
        ],
        [Evidence("cause", "Resource", asked), *_answers(case)],
        ["invalid_target"],
    )


def grant_not_allowed(case: Case) -> Diagnosis | None:
    """unauthorized_client, unsupported_grant_type, and other errors where they stand for the same."""
    error = _error(case)
    names_grant = error == "invalid_request" and "grant type" in case.description.lower()
    if not names_grant and error not in ("unauthorized_client", "unsupported_grant_type", "access_denied"):
        return None
    nowhere = error == "unsupported_grant_type"
    return Diagnosis(
        "grant-not-allowed",
        f"No token: {case.target.host} has no client credentials grant"
        if nowhere
        else "No token: this client may not use the client credentials grant for that",
        "The issuer as a whole gives no tokens to applications without a person."
        if nowhere
        else "The client is known, and what it asked for is not allowed to it.",
        [
            Step(
                "Switch the grant on",
                "client_credentials among the grant types of the issuer."
                if nowhere
                else "client_credentials among the grant types of the client, and the API that it asks for, "
                "at the issuer.",
            ),
            run_again(case),
        ],
        [
            *_answers(case),
            Evidence("note", _CLIENT_ID, case.target.client_id),
        ],
        [error],
    )


def request_not_understood(case: Case) -> Diagnosis | None:
    """invalid_request: something is missing or too much."""
    if _error(case) != "invalid_request":
        return None
    lacks = [
        name
        for name, value in case.asked.parameters().items()
        if not value and name in case.description.lower()
    ]
    return Diagnosis(
        "request-not-understood",
        f"No token: {case.target.host} finds the request incomplete or wrong",
        "invalid_request: a parameter is missing, given twice, or not understood there.",
        [
            Step(
                "Fill in what it asks for",
                f"Its answer speaks of {', '.join(lacks)}, which this test left empty."
                if lacks
                else "The authority's words are below; scope, resource and audience can be set on the form.",
            ),
            run_again(case),
        ],
        [
            *_answers(case),
            *[
                Evidence("note", name.capitalize(), value or "Not sent")
                for name, value in case.asked.parameters().items()
            ],
        ],
        ["invalid_request"],
    )


def no_way(case: Case) -> Diagnosis | None:
    """The metadata leaves no way to present this credential, so nothing was sent."""
    if case.result.failure not in ("no-way", "no-algorithm"):
        return None
    detail = case.result.failure_detail
    return Diagnosis(
        case.result.failure,
        "Not sent: the authority takes no credential of this kind",
        detail,
        [
            Step(
                "Use what it takes",
                "Another kind of credential, registered for this client there and added here.",
            ),
            run_again(case, "With another credential."),
        ],
        [Evidence("cause", "What the authority says it takes", detail)],
    )


RULES: list[Rule] = [
    no_way,
    client_not_accepted,
    scope_not_accepted,
    resource_not_accepted,
    grant_not_allowed,
    request_not_understood,
]


def _error(case: Case) -> str:
    """The OAuth error, empty where an AADSTS code says more."""
    error = case.result.error
    return error.error if error and not error.code else ""


def _tried(case: Case) -> str:
    return ", ".join(SHAPE_NAMES[item.shape] for item in case.shapes)


def _answers(case: Case) -> list[Evidence]:
    """What came for each way that was tried."""
    rows = []
    for item in case.shapes:
        if item.error:
            said = f": {item.error.description[:200]}" if item.error.description else ""
            subject = SHAPE_NAMES[item.shape] if len(case.shapes) > 1 else "Answer"
            rows.append(Evidence("cause", subject, f"{item.error.status} {item.error.error}{said}"))
    return rows


def _dates(case: Case) -> list[Evidence]:
    row = case.dated
    if row is None or is_live(row, case.now):
        return []
    has_come = has_ended(row, case.now)
    at = end_of(row) if has_come else row.start_at
    return [
        Evidence(
            "cause",
            "End date" if has_come else "Start date",
            f"{shown_moment(at)}, {relative(at, case.now)}, as stored here",
        )
    ]


def _proof_step(case: Case) -> Step:
    if case.is_secret:
        return Step(
            "Compare the secret",
            "Paste it once more as a new client secret: a lost character cannot be seen here.",
            "portal:secret_new",
            case.owner_page,
            "New client secret",
        )
    named = any(item.shape in (Shape.KEY_JWT, Shape.KEY_JWT_ENDPOINT) for item in case.shapes)
    return Step(
        "Compare the key that the issuer holds",
        "The certificate, or its public key as a JWK, has to be registered there."
        + (" An issuer that finds keys by kid wants the same key ID on the form." if named else ""),
    )
