"""Subjects as two kinds of issuer write them: GitHub Actions and Kubernetes. No ORM here.

A wrong part is a FederatedError at the field it belongs to; what no rule can know (a branch that does not
exist) is accepted and fails when a token is presented.
"""

import re

from credmgr.credentials.errors import FederatedError

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
# What a workflow runs for, and the subject of its token ("OpenID Connect reference" of GitHub Actions).
GITHUB_SUBJECTS = {
    "branch": "repo:{organization}/{repository}:ref:refs/heads/{entity_value}",
    "environment": "repo:{organization}/{repository}:environment:{entity_value}",
    "tag": "repo:{organization}/{repository}:ref:refs/tags/{entity_value}",
    "pull_request": "repo:{organization}/{repository}:pull_request",
}
# Of a service account's token ("Managing Service Accounts" of Kubernetes).
KUBERNETES_SUBJECT = "system:serviceaccount:{namespace}:{service_account}"

_OWNER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
# RFC 1123 labels, and names of several of them.
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_SERVICE_ACCOUNT = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)


def github_subject(*, organization: str, repository: str, entity: str, entity_value: str) -> str:
    """The subject of a workflow's token. entity: a key of GITHUB_SUBJECTS; pull_request takes no value."""
    if entity not in GITHUB_SUBJECTS:
        raise FederatedError("entity_unknown", "Choose one of the listed entity types.", field="entity")
    _require(organization, _OWNER, "organization", "organization or user, such as octo-org, without a slash")
    _require(repository, _REPOSITORY, "repository", "repository's own name, without the organization")
    pattern = GITHUB_SUBJECTS[entity]
    if "{entity_value}" in pattern and not entity_value:
        name = entity.replace("_", " ")
        raise FederatedError("entity_value_missing", f"Enter the name of the {name}.", field="entity_value")
    if entity_value.startswith("refs/"):
        raise FederatedError(
            "entity_value_ref",
            "Enter the name alone, such as main: refs/heads/ or refs/tags/ is put in front of it.",
            field="entity_value",
        )
    return pattern.format(organization=organization, repository=repository, entity_value=entity_value)


def kubernetes_subject(*, namespace: str, service_account: str) -> str:
    """The subject of a service account's token."""
    _require(namespace, _NAMESPACE, "namespace", "namespace in lower case, such as default")
    _require(
        service_account,
        _SERVICE_ACCOUNT,
        "service_account",
        "service account's name in lower case, such as workload",
    )
    return KUBERNETES_SUBJECT.format(namespace=namespace, service_account=service_account)


def _require(value: str, form: re.Pattern[str], field: str, wanted: str) -> None:
    if not form.fullmatch(value):
        code = f"{field}_{'form' if value else 'missing'}"
        raise FederatedError(code, f"Enter the {wanted}.", field=field)
