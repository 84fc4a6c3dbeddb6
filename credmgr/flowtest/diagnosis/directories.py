"""Rules about directories: an application or an API that lives in another one than the one that was asked, or
is switched off in one.
"""

from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.report import Diagnosis, Evidence, Step
from credmgr.registrations.models import MULTITENANT

UNKNOWN_CLIENT = 700016
NO_PRINCIPAL = 7000229
DISABLED = 7000112
DISABLED_RESOURCE = 500014


def client_of_another_directory(case: Case) -> Diagnosis | None:
    """Asked in another directory than its own, and single tenant."""
    app = case.application
    if case.code != UNKNOWN_CLIENT or case.is_at_home or app is None or app.deleted_at is not None:
        return None
    is_single = app.sign_in_audience != MULTITENANT
    return Diagnosis(
        "client-of-another-directory",
        f"No token: {case.tenant_name} does not know this application",
        f"{app.display_name} is registered in {case.home_name}. Another directory knows it only when it is "
        "multitenant and was added there by consent.",
        [
            Step("Ask its own directory", f"Run the test with {case.home_name} as the directory."),
            Step(
                "Or make it multitenant",
                f"Under Supported account types. Then grant consent in {case.tenant_name}.",
                "portal:application_properties",
                case.page,
                "Branding & properties",
            ),
            run_again(case),
        ],
        [
            Evidence("cause", "Home directory", f"{case.home_name}, and {case.tenant_name} was asked"),
            Evidence(
                "cause" if is_single else "note",
                "Supported account types",
                "My organization only" if is_single else "Multiple organizations, changed meanwhile",
            ),
        ],
    )


def service_principal_missing(case: Case) -> Diagnosis | None:
    """Multitenant, and nobody consented in the directory that was asked."""
    if case.code != NO_PRINCIPAL:
        return None
    name = case.application.display_name if case.application else "The application"
    return Diagnosis(
        "service-principal-missing",
        f"No token: {case.tenant_name} has not consented to this application",
        f"{name} is a multitenant application of {case.home_name}. It gets tokens elsewhere once an "
        "administrator adds it there as an enterprise application.",
        [
            _consent(case, str(case.client_id), f"In {case.tenant_name}. You see first what it would get."),
            run_again(case),
        ],
        [
            Evidence("cause", "Service principal", f"None in {case.tenant_name}"),
            Evidence("note", "Home directory", case.home_name),
        ],
    )


def service_principal_disabled(case: Case) -> Diagnosis | None:
    """Switched off in the directory that was asked, and not at home."""
    if case.code != DISABLED or case.is_at_home or case.application is None or case.application.is_disabled:
        return None
    return Diagnosis(
        "service-principal-disabled",
        f"No token: {case.tenant_name} has switched this application off",
        f"Its service principal is disabled there. In {case.home_name} it works as before.",
        [
            Step(
                "Enable it there",
                f"Switch to {case.tenant_name}; it stands under Enterprise applications.",
                "portal:directory",
                {"directory_id": str(case.tenant_id)},
                "Open directory",
            ),
            run_again(case),
        ],
        [
            Evidence("cause", f"Sign-in in {case.tenant_name}", "Disabled, or enabled again meanwhile"),
            Evidence("fine", "Sign-in", f"Enabled for the registration in {case.home_name}"),
        ],
    )


def api_of_another_directory(case: Case) -> Diagnosis | None:
    """The scope names a multitenant API that nobody brought into the directory that was asked."""
    api = case.api_elsewhere
    if api is None:
        return None
    return Diagnosis(
        "resource-of-another-directory",
        f"No token: {case.tenant_name} does not know this API",
        f"{case.resource} is {api.display_name}, a multitenant API of {api.tenant.name}. Tokens for it are "
        f"given in {case.tenant_name} once it was added there by consent.",
        [
            _consent(case, str(api.client_id), f"To {api.display_name}, in {case.tenant_name}."),
            run_again(case),
        ],
        [
            Evidence("cause", f"Service principal of {api.display_name}", f"None in {case.tenant_name}"),
            Evidence("note", "Home directory of the API", api.tenant.name),
        ],
        [case.resource],
    )


def api_disabled(case: Case) -> Diagnosis | None:
    """The scope names an API that is known and switched off: where it is registered, or only here."""
    if case.code != DISABLED_RESOURCE:
        return None
    api = case.disabled_api
    if api is None or (api.tenant_id == case.tenant_id and not api.is_disabled):
        name, finding = case.resource, "Enabled again, or gone meanwhile"
        cure = Step(
            "Find the API",
            "Its overview says whether it is enabled.",
            "portal:applications",
            {},
            "App registrations",
        )
    elif api.is_disabled:
        name, finding = api.display_name, f"Disabled in {api.tenant.name}, where it is registered"
        page = {"application_id": str(api.pk)}
        cure = Step(
            f"Enable {name}", "On the API's own overview.", "portal:application", page, "Open the API"
        )
    else:
        name, finding = api.display_name, f"Disabled in {case.tenant_name}, or enabled again meanwhile"
        cure = Step(
            f"Enable {name} there",
            f"Switch to {case.tenant_name}; it stands under Enterprise applications.",
            "portal:directory",
            {"directory_id": str(case.tenant_id)},
            "Open directory",
        )
    return Diagnosis(
        "resource-disabled",
        f"No token: the API {name} is disabled",
        "While an API is disabled nobody gets tokens for it. Nothing is wrong with the credential.",
        [cure, run_again(case)],
        [Evidence("cause", f"Sign-in of {name}", finding), Evidence("fine", "Scope", f"Names {name}")],
        [case.resource],
    )


def _consent(case: Case, client_id: str, text: str) -> Step:
    return Step(
        "Grant consent",
        text,
        "portal:directory_consent",
        {"directory_id": str(case.tenant_id)},
        "Review application",
        query={"client_id": client_id},
    )


RULES: list[Rule] = [
    client_of_another_directory,
    service_principal_missing,
    service_principal_disabled,
    api_of_another_directory,
    api_disabled,
]
