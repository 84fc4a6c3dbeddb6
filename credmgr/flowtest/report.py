"""What one run leaves behind: plain dataclasses and their JSON form, as stored in FlowRun.report.

Nothing here ever holds a secret, an assertion's signature or a raw token: exchanges are redacted before they
become these objects. Times are milliseconds since the run began, dates ISO 8601 in UTC.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

FORMAT = 1


class Verdict(StrEnum):
    """How a run ended. The names are stored."""

    VERIFIED = "verified"  # a token came and every check passed
    ACQUIRED = "acquired"  # a token came that by its nature nobody but its API can check
    REFUSED = "refused"  # the authority answered with an OAuth error
    UNVERIFIED = "unverified"  # a token came, and a check failed
    UNREACHABLE = "unreachable"  # no usable answer came
    INVALID = "invalid"  # the client library refused before anything was sent

    @property
    def is_success(self) -> bool:
        """Whether the credential worked and nothing speaks against the token."""
        return self in SUCCESSES


SUCCESSES = (Verdict.VERIFIED, Verdict.ACQUIRED)


class Shape(StrEnum):
    """The form in which a client is given the credential, or sends it."""

    SECRET = "secret"  # noqa: S105 - the name of a form, not a value
    THUMBPRINT = "thumbprint"  # {"thumbprint", "private_key"}: RS256 and x5t
    PUBLIC_CERTIFICATE = "public-certificate"  # {"private_key", "public_certificate"}: PS256 and x5t#S256
    BASIC = "secret-basic"  # HTTP Basic (RFC 6749 section 2.3.1)
    POST = "secret-post"  # in the body (the same section)
    KEY_JWT = "private-key-jwt"  # an assertion whose audience is the issuer (RFC 7523 section 3)
    KEY_JWT_ENDPOINT = "private-key-jwt-endpoint"  # the same with the token endpoint as audience
    OUTSIDE_TOKEN = "outside-token"  # noqa: S105 - an outside issuer's token as the assertion (RFC 7523)

    @property
    def has_assertion(self) -> bool:
        """Whether the client proves itself by a signed assertion."""
        return self not in (Shape.SECRET, Shape.BASIC, Shape.POST)


SHAPE_NAMES = {
    Shape.SECRET: "Client secret",
    Shape.THUMBPRINT: "thumbprint + private_key",
    Shape.PUBLIC_CERTIFICATE: "private_key + public_certificate",
    Shape.BASIC: "client_secret_basic",
    Shape.POST: "client_secret_post",
    Shape.KEY_JWT: "private_key_jwt, audience is the issuer",
    Shape.KEY_JWT_ENDPOINT: "private_key_jwt, audience is the token endpoint",
    Shape.OUTSIDE_TOKEN: "client_assertion",
}


@dataclass
class Exchange:
    """One request and its answer, redacted. failure is an outbound.errors.Failure or "" where an answer came.

    name: the step that it is, as the page calls it.
    """

    method: str
    url: str
    start_ms: float
    name: str = ""
    duration_ms: float = 0
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""
    failure: str = ""
    detail: str = ""


@dataclass
class Hop:
    """A step of the waterfall. kind: network or local; outcome: ok, failed, skipped; panes: (title, text)."""

    name: str
    detail: str
    kind: str
    outcome: str
    status: str
    start_ms: float = 0
    duration_ms: float = 0
    panes: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Check:
    """One thing that was looked at in a token. outcome: ok, failed, unchecked (nobody here can tell)."""

    name: str
    outcome: str
    detail: str = ""


@dataclass
class TokenFacts:
    """The decoded parts of a token and what was checked. length in characters; the token is not kept.

    is_signature_checked: False where nobody but the token's API can check the signature, by design.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    length: int
    checks: list[Check] = field(default_factory=list)
    is_signature_checked: bool = True

    @property
    def verdict(self) -> Verdict:
        """What the checks come to."""
        if not self.checks or any(check.outcome == "failed" for check in self.checks):
            return Verdict.UNVERIFIED
        return Verdict.VERIFIED if self.is_signature_checked else Verdict.ACQUIRED

    @property
    def is_verified(self) -> bool:
        """Whether checks were made, the signature's among them, and none failed."""
        return self.verdict is Verdict.VERIFIED


@dataclass
class OAuthError:
    """The authority's refusal (RFC 6749 section 5.2, with Entra's members)."""

    status: int
    error: str
    description: str = ""
    codes: list[int] = field(default_factory=list)
    trace_id: str = ""
    correlation_id: str = ""
    timestamp: str = ""

    @property
    def code(self) -> int:
        """The AADSTS number, 0 where the answer named none."""
        return self.codes[0] if self.codes else 0


@dataclass
class ShapeResult:
    """What became of one form of the credential. client: who ran it; client_reason: why not MSAL.

    failure_host: whose answer was missing or of no use; failure_value: what in it did not fit.
    """

    shape: Shape
    verdict: Verdict
    client: str = ""
    client_reason: str = ""
    hops: list[Hop] = field(default_factory=list)
    token: TokenFacts | None = None
    error: OAuthError | None = None
    failure: str = ""
    failure_detail: str = ""
    failure_host: str = ""
    failure_value: str = ""
    assertion: dict[str, Any] = field(default_factory=dict)
    clock_skew_seconds: float | None = None
    correlation_id: str = ""
    duration_ms: float = 0


@dataclass
class Evidence:
    """A row of "Checked against what is stored here". level: cause, fine, or note."""

    level: str
    subject: str
    finding: str


@dataclass
class Step:
    """One step of the cure. page is a URL name of the portal with its arguments and query; scope: the one
    to run with next; copy: a value to copy.
    """

    title: str
    text: str
    page: str = ""
    page_arguments: dict[str, str] = field(default_factory=dict)
    page_label: str = ""
    scope: str = ""
    copy: str = ""
    copy_label: str = ""
    query: dict[str, str] = field(default_factory=dict)


@dataclass
class Diagnosis:
    """Cause and cure in words. cause is a short stable name; marks are the words on the wire behind it."""

    cause: str
    headline: str
    summary: str
    steps: list[Step] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    meaning: str = ""


@dataclass
class Aim:
    """Where the test went, as whom, and what it asked for. kind: as in registrations.models."""

    kind: str = "built-in"
    authority: str = ""
    client_id: str = ""
    scope: str = ""
    resource: str = ""
    audience: str = ""
    key_id: str = ""


@dataclass
class Presented:
    """One value of a federated credential beside what the outside token says."""

    name: str
    configured: str
    presented: str

    @property
    def is_equal(self) -> bool:
        """To the letter, as authorities compare."""
        return self.configured == self.presented


@dataclass
class Report:
    """Everything a run's page shows. any_suffices: the shapes are ways tried in turn until one worked."""

    authority: str
    client: str
    shapes: list[ShapeResult]
    diagnosis: Diagnosis
    any_suffices: bool = False
    aim: Aim = field(default_factory=Aim)
    presented: list[Presented] = field(default_factory=list)
    format: int = FORMAT

    @property
    def decisive(self) -> ShapeResult:
        """The shape that decides the run's verdict."""
        return decisive(self.shapes, any_suffices=self.any_suffices)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for FlowRun.report."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """The report again, from what to_json gave."""
        return cls(
            authority=data["authority"],
            client=data["client"],
            shapes=[_shape_from(item) for item in data["shapes"]],
            diagnosis=_diagnosis_from(data["diagnosis"]),
            any_suffices=data.get("any_suffices", False),
            aim=Aim(**data.get("aim", {})),
            presented=[Presented(**row) for row in data.get("presented", [])],
            format=data["format"],
        )


def decisive(shapes: list[ShapeResult], *, any_suffices: bool) -> ShapeResult:
    """Of ways tried in turn the one that worked; else the first that failed, or the first."""
    if any_suffices:
        return next((item for item in shapes if item.verdict.is_success), shapes[0])
    return next((item for item in shapes if not item.verdict.is_success), shapes[0])


def _shape_from(data: dict[str, Any]) -> ShapeResult:
    token = data["token"]
    error = data["error"]
    return ShapeResult(
        **{
            **data,
            "shape": Shape(data["shape"]),
            "verdict": Verdict(data["verdict"]),
            "hops": [
                Hop(**{**hop, "panes": [(pane[0], pane[1]) for pane in hop["panes"]]}) for hop in data["hops"]
            ],
            "token": TokenFacts(**{**token, "checks": [Check(**check) for check in token["checks"]]})
            if token
            else None,
            "error": OAuthError(**error) if error else None,
        }
    )


def _diagnosis_from(data: dict[str, Any]) -> Diagnosis:
    return Diagnosis(
        **{
            **data,
            "steps": [Step(**step) for step in data["steps"]],
            "evidence": [Evidence(**row) for row in data["evidence"]],
        }
    )
