"""Rules about the application, the directory, the scope and the resource."""

from collections.abc import Sequence
from difflib import get_close_matches

from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.inspection import relative, shown_moment
from credmgr.flowtest.report import Diagnosis, Evidence, Step

UNKNOWN_CLIENT = 700016
DISABLED = 7000112
UNKNOWN_TENANT = {90002, 900021, 900023}
BAD_SCOPE = {1002012, 70011, 28000, 28002, 28003, 700022, 900144}
UNKNOWN_RESOURCE = {500011, 50001, 650057}
ASSIGNMENT = 501051
_SHOWN_NAMES = 8


def application_deleted(case: Case) -> Diagnosis | None:
    """The registration went."""
    if case.code != UNKNOWN_CLIENT:
        return None
    app = case.application
    if app is None:
        return Diagnosis(
            "application-purged",
            "No token: this application was deleted permanently",
            "Its client ID is not known in this directory any more, and cannot be brought back.",
            [
                Step(
                    "Register it anew",
                    "It gets a new client ID.",
                    "portal:application_new",
                    {},
                    "New registration",
                )
            ],
            [Evidence("cause", "Registration", "Deleted permanently")],
        )
    if app.deleted_at is None:
        return None
    when = f"{shown_moment(app.deleted_at)}, {relative(app.deleted_at, case.now)}"
    return Diagnosis(
        "application-deleted",
        f"No token: {app.display_name} is deleted",
        f"It was deleted on {when}. For 30 days it can be restored with its credentials.",
        [
            Step(
                "Restore it",
                "From the tab Deleted applications.",
                "portal:applications",
                {},
                "App registrations",
            ),
            run_again(case),
        ],
        [Evidence("cause", "Registration", f"Deleted on {when}")],
    )


def application_unknown(case: Case) -> Diagnosis | None:
    """Stored here, and yet unknown to the authority that answered."""
    if case.code != UNKNOWN_CLIENT:
        return None
    return Diagnosis(
        "client-unknown",
        "No token: the authority does not know this client ID",
        "The application is registered here, so the authority that answered reads another directory or "
        "database.",
        [
            Step("Compare the directory", f"This application lives in {case.tenant_name}, {case.tenant_id}."),
            run_again(case),
        ],
        [Evidence("cause", "Client ID", f"{case.client_id} is stored here and unknown there")],
    )


def application_disabled(case: Case) -> Diagnosis | None:
    """Sign-in is switched off."""
    if case.code != DISABLED:
        return None
    finding = (
        "Disabled" if case.application is None or case.application.is_disabled else "Enabled again meanwhile"
    )
    return Diagnosis(
        "application-disabled",
        "No token: sign-in is disabled for this application",
        "While it is disabled every credential of the application is refused, right ones too.",
        [
            Step(
                "Enable sign-in",
                "On the overview. Nothing else has to change.",
                "portal:application",
                case.page,
                "Overview",
            ),
            run_again(case),
        ],
        [Evidence("cause", "Sign-in", finding)],
    )


def tenant_unknown(case: Case) -> Diagnosis | None:
    """The directory in the address is not there."""
    if case.code not in UNKNOWN_TENANT:
        return None
    return Diagnosis(
        "tenant-unknown",
        "No token: the authority does not know this directory",
        f"The address named {case.tenant_id}. The authority that answered has no such directory (tenant).",
        [
            Step(
                "Compare the address of the authority",
                f"This test asked {case.target.authority}. See that the server behind it uses this "
                "installation's data folder.",
            ),
            run_again(case),
        ],
        [
            Evidence(
                "cause",
                "Directory (tenant) ID",
                f"{case.tenant_id} is {case.tenant_name} here, unknown there",
            )
        ],
    )


def scope_form(case: Case) -> Diagnosis | None:
    """Client credentials take one resource and /.default, nothing else."""
    if case.code not in BAD_SCOPE:
        return None
    scope = case.scope
    if len(scope.split()) > 1:
        summary = "More than one scope was asked for. A token is for one resource; ask once for each."
        right = f"{scope.split()[0].removesuffix('/.default')}/.default"
        finding = f"{len(scope.split())} scopes"
    else:
        summary = (
            "For client credentials the scope is the resource followed by /.default: every permission "
            "that was granted to the application. Single permissions cannot be chosen."
        )
        known = _resource_in(scope, case)
        right = f"{known}/.default" if known else "https://graph.microsoft.com/.default"
        finding = (
            f"{scope} does not end in /.default"
            if not scope.endswith("/.default")
            else f"{scope} is malformed"
        )
    return Diagnosis(
        "scope-form",
        "No token: the scope is not one resource with /.default",
        summary,
        [
            Step(
                "Ask for this scope",
                f"{right} asks for everything granted.",
                copy=right,
                copy_label="Copy scope",
            ),
            run_again(case, "With the scope above.", scope=right),
        ],
        [Evidence("cause", "Scope", finding)],
        [scope],
    )


def resource_unknown(case: Case) -> Diagnosis | None:
    """The resource is not in this directory: mistyped, most often."""
    if case.code not in UNKNOWN_RESOURCE:
        return None
    names = [name for resource in case.near.resources for name in resource.names]
    near = nearest_name(case.resource, names)
    again = run_again(case)
    steps = []
    if near:
        right = f"{near}/.default"
        again = run_again(case, "With the scope above.", scope=right)
        steps.append(
            Step(
                "Ask for the name that is known",
                f"The nearest one is {near}.",
                copy=right,
                copy_label="Copy scope",
            )
        )
    else:
        steps.append(
            Step(
                "Give the API this name",
                "Application ID URI, on the properties page of the API's own registration.",
                "portal:applications",
                {},
                "App registrations",
            )
        )
    # A client ID tells a reader nothing; only registrations with a URI are worth listing.
    firsts = [each.names[0] for each in case.near.resources if each.names and ":" in each.names[0]]
    listed = ", ".join(firsts[:_SHOWN_NAMES])
    if not case.near.is_all:
        listed += " and others"
    elif (more := len(firsts) - _SHOWN_NAMES) > 0:
        listed += f" and {more} more"
    return Diagnosis(
        "resource-unknown",
        "No token: the resource is not known in this directory",
        f"No registration in {case.tenant_name} has the Application ID URI or client ID {case.resource}.",
        [*steps, again],
        [
            Evidence("cause", "Resource asked for", case.resource),
            *([Evidence("cause", "Nearest known name", near)] if near else []),
            Evidence("note", "Known here", listed or "None"),
        ],
        [case.resource],
    )


def nearest_name(asked: str, names: Sequence[str]) -> str:
    """The one of the names that looks most like it, "" where none does."""
    return next(iter(get_close_matches(asked, names, n=1, cutoff=0.6)), "")


def assignment_missing(case: Case) -> Diagnosis | None:
    """The resource wants an app role first."""
    if case.code != ASSIGNMENT:
        return None
    return Diagnosis(
        "assignment-missing",
        "No token: the resource demands an assignment",
        "The API gives tokens only to applications that were granted one of its app roles, and this one "
        "was not.",
        [
            Step("Grant an app role", "On the API's own registration, or switch assignment off there."),
            run_again(case),
        ],
        [Evidence("cause", "App role on the resource", "None granted")],
    )


RULES: list[Rule] = [
    application_deleted,
    application_unknown,
    application_disabled,
    tenant_unknown,
    scope_form,
    resource_unknown,
    assignment_missing,
]


def _resource_in(scope: str, case: Case) -> str:
    """The known resource that a delegated scope ("https://graph.microsoft.com/User.Read") speaks of."""
    names = [name.rstrip("/") for resource in case.near.resources for name in resource.names]
    fitting = [name for name in names if scope == name or scope.startswith(f"{name}/")]
    return max(fitting, key=len, default="")
