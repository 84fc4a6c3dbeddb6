"""Commands for several directories: one is made, the others work in it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from credmgr.credentials.models import ClientSecret
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import MULTITENANT, Application, ServicePrincipal
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def told(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, skip_checks=True)
    return out.getvalue()


def answer(name: str, *arguments: str) -> Any:
    return json.loads(told(name, *arguments, "--json"))


def test_a_directory_is_created_and_listed() -> None:
    default = ensure_default_tenant(NOW)
    made = answer("create_directory", "Contoso", "--domain", "contoso")
    assert made == {
        "tenantId": made["tenantId"],
        "displayName": "Contoso",
        "domain": "contoso.onmicrosoft.example",
        "authority": f"{settings.AUTHORITY_URL}/{made['tenantId']}",
    }
    answer("register_app", "Harbor", "--directory", "contoso.onmicrosoft.example")
    rows = answer("list_directories")
    assert [row["displayName"] for row in rows] == ["Contoso", "Default Directory"]
    assert (rows[0]["applications"], rows[0]["isDefault"], rows[0]["isTest"]) == (1, False, False)
    assert (rows[1]["tenantId"], rows[1]["isDefault"]) == (str(default.pk), True)
    assert rows[0]["domains"] == ["contoso.onmicrosoft.example"]
    said = told("list_directories")
    assert f"{made['tenantId']}  Contoso  contoso.onmicrosoft.example\n" in said
    assert "(default)" in said
    assert told("create_directory", "Fabrikam", "--domain", "f").startswith("Created Fabrikam.\n")


def test_the_others_work_in_the_directory_they_are_told() -> None:
    default = ensure_default_tenant(NOW)
    made = answer("create_directory", "Contoso", "--domain", "contoso")
    app = answer("register_app", "Harbor", "--directory", made["tenantId"], "--multitenant")
    assert app["tenantId"] == made["tenantId"]
    assert Application.objects.get(pk=app["id"]).sign_in_audience == MULTITENANT
    assert answer("register_app", "Here")["tenantId"] == str(default.pk)
    assert [row["displayName"] for row in answer("list_apps", "--directory", made["tenantId"])] == ["Harbor"]
    assert [row["displayName"] for row in answer("list_apps")] == ["Here"]
    secret = answer("add_secret", app["appId"])
    assert [str(row.pk) for row in ClientSecret.objects.filter(application_id=app["id"])] == [secret["keyId"]]


def test_an_application_is_consented_to() -> None:
    default = ensure_default_tenant(NOW)
    answer("create_directory", "Contoso", "--domain", "contoso")
    app = answer("register_app", "Worker", "--directory", "contoso.onmicrosoft.example", "--multitenant")
    made = answer("add_enterprise_app", app["appId"])
    assert made == {
        "id": str(ServicePrincipal.objects.get().pk),
        "appId": app["appId"],
        "displayName": "Worker",
        "tenantId": str(default.pk),
        "granted": [],
    }
    with pytest.raises(CommandError, match="Worker is in Default Directory already"):
        told("add_enterprise_app", app["appId"])
    with pytest.raises(CommandError, match="Worker is registered in Contoso itself"):
        told("add_enterprise_app", app["appId"], "--directory", "contoso.onmicrosoft.example")
    answer("create_directory", "Third", "--domain", "third")
    said = told("add_enterprise_app", app["appId"], "--directory", "third.onmicrosoft.example")
    assert said.startswith("Added Worker.\n")
    assert "Granted permissions:   none" in said


def test_demo_data_is_loaded_where_it_is_wanted() -> None:
    ensure_default_tenant(NOW)
    answer("create_directory", "Contoso", "--domain", "contoso")
    answer("load_demo", "--directory", "contoso.onmicrosoft.example")
    assert answer("list_apps") == []
    assert answer("load_demo", "--remove") == {"removed": 0}
    assert answer("load_demo", "--remove", "--directory", "contoso.onmicrosoft.example")["removed"] > 0


def test_an_unknown_directory_is_a_sentence() -> None:
    ensure_default_tenant(NOW)
    for command in (("list_apps",), ("register_app", "x"), ("load_demo",)):
        with pytest.raises(CommandError, match="no directory with the ID or domain nowhere"):
            told(*command, "--directory", "nowhere")
    told("create_directory", "x", "--domain", "contoso")
    with pytest.raises(CommandError, match="has the domain contoso"):
        told("create_directory", "y", "--domain", "contoso")
