"""What applications may do in directories: consent there, app roles, requests of them and grants."""

import uuid

from django.db import models

from credmgr.registrations.models.applications import Application
from credmgr.registrations.models.directories import Tenant


class ServicePrincipal(models.Model):
    """A multitenant registration in a directory other than its home, put there by consent.

    id is the `oid` of its tokens there. In the home directory the registration itself stands for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="service_principals")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="service_principals")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by_name = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "tenant"], name="one_service_principal")
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.application_id} in {self.tenant_id}"


class AppRole(models.Model):
    """A permission that an API defines for applications; its value goes into the `roles` of their tokens.

    Among the enabled roles of one application a value stands once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="app_roles")
    display_name = models.CharField(max_length=256)
    value = models.CharField(max_length=120)
    description = models.TextField(max_length=1024)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "value"],
                condition=models.Q(is_enabled=True),
                name="one_enabled_role_of_a_value",
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.value


class RequestedPermission(models.Model):
    """An app role that a registration asks for. It gives nothing until it is granted.

    resource_client_id: of a registration of the directory or of a well-known resource; role_id: one of its
    app roles.
    """

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="requested_permissions"
    )
    resource_client_id = models.UUIDField(db_index=True)
    role_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "resource_client_id", "role_id"], name="one_request_of_a_role"
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.application_id} asks for {self.role_id}"


class AppRoleAssignment(models.Model):
    """A granted app role: in this directory, tokens of the application for the resource carry it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="app_role_assignments"
    )
    resource_client_id = models.UUIDField(db_index=True)
    role_id = models.UUIDField()
    created_at = models.DateTimeField()
    granted_by_name = models.TextField(blank=True)

    class Meta:
        constraints = [
            # In the order in which the token endpoint asks.
            models.UniqueConstraint(
                fields=["tenant", "application", "resource_client_id", "role_id"],
                name="one_assignment_of_a_role",
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.application_id} has {self.role_id}"
