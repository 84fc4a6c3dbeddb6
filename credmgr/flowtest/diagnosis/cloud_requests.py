"""Rules about the Microsoft clouds: client, directory, cloud, scope and resource."""

from credmgr.clouds import CLOUDS, cloud_of_host
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.diagnosis.pasted import is_guid
from credmgr.flowtest.diagnosis.requests import (
    ASSIGNMENT,
    BAD_SCOPE,
    DISABLED,
    UNKNOWN_RESOURCE,
    UNKNOWN_TENANT,
)
from credmgr.flowtest.report import Diagnosis, Evidence, Step
from credmgr.registrations.models import ENTRA, Application

UNKNOWN_CLIENT = {700016, 70001, 700011, 700038}
NO_SERVICE_PRINCIPAL = 7000229
OTHER_CLOUD = {900382, 900432, 900439, 90038, 50049}
CONDITIONAL_ACCESS = 53003


def unknown_client(case: Case) -> Diagnosis | None:
    """700016: this directory has no such client."""
    if case.code not in UNKNOWN_CLIENT:
        return None
    client_id, tenant = case.target.client_id, case.target.tenant
    evidence = [Evidence("cause", "Client ID", f"{client_id} is not known in {tenant}")]
    if client_id.casefold() == tenant.casefold():
        evidence.append(Evidence("cause", "Client ID and directory", "Are the same ID"))
    alike = Application.objects.filter(
        authority_kind=ENTRA, external_client_id__iexact=client_id, deleted_at=None
    ).exclude(pk=case.application_id)
    evidence += [
        Evidence("cause", "The same client ID here", f"{each.display_name} lives at {each.authority_url}")
        for each in alike[:3]
    ]
    return Diagnosis(
        "client-unknown-there",
        "No token: this directory has no application with this client ID",
        "It was never there or was deleted, or the directory is not the one it is in. An application that "
        "was registered a moment ago may need some more.",
        [
            Step(
                "Compare both IDs",
                "On the application's Overview in the Microsoft Entra admin center: Application (client) ID "
                "and Directory (tenant) ID.",
                "portal:application_properties",
                case.page,
                "Properties",
                copy=client_id,
                copy_label="Copy client ID",
            ),
            run_again(case),
        ],
        evidence,
        [client_id],
    )


def no_service_principal(case: Case) -> Diagnosis | None:
    """7000229: registered, and not in this directory."""
    if case.code != NO_SERVICE_PRINCIPAL:
        return None
    address = f"{case.target.authority}/adminconsent?client_id={case.target.client_id}"
    return Diagnosis(
        "no-service-principal-there",
        "No token: the application has no service principal in this directory",
        "It is registered elsewhere, and nobody has consented to it here.",
        [
            Step(
                "Let an administrator of the directory consent",
                "With this address, signed in as one.",
                copy=address,
                copy_label="Copy address",
            ),
            run_again(case, "It may take a moment to count."),
        ],
        [Evidence("cause", "Directory", f"{case.target.tenant} has no service principal of this client")],
    )


def unknown_tenant(case: Case) -> Diagnosis | None:
    """90002 and its kin: the cloud has no such directory."""
    if case.code not in UNKNOWN_TENANT:
        return None
    cloud = cloud_of_host(case.target.host)
    tenant = case.target.tenant
    others = ", ".join(each.host for each in CLOUDS if each.host != case.target.host)
    evidence = [Evidence("cause", "Directory", f"{tenant} is not known at {case.target.host}")]
    if tenant.casefold() == case.target.client_id.casefold():
        evidence.append(Evidence("cause", "Client ID and directory", "Are the same ID"))
    return Diagnosis(
        "tenant-unknown-there",
        f"No token: {cloud.label if cloud else case.target.host} has no directory {tenant}",
        "A letter is wrong, the domain is not verified there, or the directory is in another cloud.",
        [
            Step(
                "Compare the directory",
                "Directory (tenant) ID on the application's Overview in the Microsoft Entra admin center. "
                "The ID is surer than a domain name.",
                "portal:application_properties",
                case.page,
                "Properties",
            ),
            Step("Or choose its cloud", f"The other clouds sign in at {others}."),
            run_again(case),
        ],
        evidence,
        [tenant],
    )


def other_cloud(case: Case) -> Diagnosis | None:
    """The directory is in another cloud than the one that was asked."""
    if case.code not in OTHER_CLOUD:
        return None
    return Diagnosis(
        "other-cloud",
        "No token: this directory or client belongs to another cloud",
        f"{case.target.host} was asked. Each cloud has a sign-in host and directories of its own.",
        [
            Step(
                "Choose the directory's cloud",
                "On the registration's properties.",
                "portal:application_properties",
                case.page,
                "Properties",
            ),
            run_again(case),
        ],
        [Evidence("cause", "Cloud", f"Asked at {case.target.host}, refused with AADSTS{case.code}")],
    )


def disabled(case: Case) -> Diagnosis | None:
    """7000112: switched off there."""
    if case.code != DISABLED:
        return None
    return Diagnosis(
        "application-disabled-there",
        "No token: sign-in is disabled for this application there",
        "Its service principal or its registration is switched off, so every credential is refused.",
        [
            Step(
                "Enable it in the Microsoft Entra admin center",
                "Enterprise applications, the application, Properties, Enabled for users to sign-in.",
            ),
            run_again(case, "It may take a moment to count."),
        ],
        [Evidence("cause", "Answer", "AADSTS7000112")],
    )


def scope_form(case: Case) -> Diagnosis | None:
    """Client credentials take one resource and /.default, nothing else."""
    if case.code not in BAD_SCOPE:
        return None
    scope = case.scope
    first = scope.split()[0]
    cloud = cloud_of_host(case.target.host)
    graph = cloud.graph_url if cloud else ""
    resource = (
        graph if graph and first.startswith(f"{graph}/") else first.removesuffix("/.default").rstrip("/")
    )
    if ":" not in resource and not is_guid(resource):
        resource = graph or resource
    right = f"{resource}/.default"
    return Diagnosis(
        "scope-form",
        "No token: the scope is not one resource with /.default",
        "For client credentials the scope is one resource followed by /.default: every permission that was "
        "granted to the application.",
        [
            Step(
                "Ask for this scope",
                f"{right} asks for everything granted.",
                copy=right,
                copy_label="Copy scope",
            ),
            run_again(case, "With the scope above.", scope=right),
        ],
        [Evidence("cause", "Scope", scope)],
        [scope],
    )


def resource_unknown(case: Case) -> Diagnosis | None:
    """500011: the directory has no such API."""
    if case.code not in UNKNOWN_RESOURCE:
        return None
    graphs = {cloud.graph_url: cloud for cloud in CLOUDS}
    foreign = graphs.get(case.resource)
    here = cloud_of_host(case.target.host)
    steps = [
        Step(
            "Compare the resource",
            "Application ID URI or client ID, on Expose an API of the API's own registration.",
        ),
        Step(
            "Or bring the API into the directory",
            "By consenting to it, or by adding its enterprise application.",
        ),
    ]
    evidence = [Evidence("cause", "Resource asked for", case.resource)]
    again = run_again(case)
    if foreign is not None and here is not None and foreign is not here:
        right = f"{here.graph_url}/.default"
        evidence.append(Evidence("cause", "Cloud of that resource", foreign.label))
        steps = [
            Step(
                "Ask this cloud's Microsoft Graph",
                "Each cloud has its own.",
                copy=right,
                copy_label="Copy scope",
            )
        ]
        again = run_again(case, "With the scope above.", scope=right)
    return Diagnosis(
        "resource-unknown-there",
        "No token: the resource is not known in this directory",
        f"No service principal in {case.target.tenant} has the name {case.resource}.",
        [*steps, again],
        evidence,
        [case.resource],
    )


def assignment_missing(case: Case) -> Diagnosis | None:
    """501051: the API wants an app role first."""
    if case.code != ASSIGNMENT:
        return None
    return Diagnosis(
        "assignment-missing-there",
        "No token: the resource demands an assignment",
        "The API gives tokens only to applications that were granted one of its app roles.",
        [
            Step("Grant an app role", "API permissions of this application, and admin consent."),
            run_again(case, "It may take a moment to count."),
        ],
        [Evidence("cause", "App role on the resource", "None granted")],
    )


def conditional_access(case: Case) -> Diagnosis | None:
    """53003: a policy for workload identities."""
    if case.code != CONDITIONAL_ACCESS:
        return None
    return Diagnosis(
        "conditional-access",
        "No token: a Conditional Access policy blocks this application",
        "The credential may be right. A policy for workload identities refuses this application from where "
        "the request came, which is this server.",
        [
            Step("Look the sign-in up", "Service principal sign-ins of the directory name the policy."),
            run_again(case, "From an allowed network, or with the policy changed."),
        ],
        [Evidence("cause", "Answer", "AADSTS53003")],
    )


RULES: list[Rule] = [
    unknown_client,
    no_service_principal,
    unknown_tenant,
    other_cloud,
    disabled,
    scope_form,
    resource_unknown,
    assignment_missing,
    conditional_access,
]


def _scope_step(title: str, text: str, scope: str) -> Step:
    return Step(title, text, copy=scope, copy_label="Copy scope")
