"""The origins that people have put on the list."""

import uuid

from django.conf import settings
from django.db import models


class AllowedOrigin(models.Model):
    """An origin that this server may call: exactly this scheme, host and port.

    scheme http is the mark for calls without encryption. is_private: it may lead to private, loopback and
    link-local addresses. ca_pem: CA certificates to trust for it instead of the public roots; they are
    public, so they lie here in clear.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scheme = models.CharField(max_length=5)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True)
    is_private = models.BooleanField(default=False)
    ca_pem = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "host", "port"], name="origin_listed_once")]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.name or self.host
