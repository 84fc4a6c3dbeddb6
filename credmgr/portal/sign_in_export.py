"""Sign-ins as CSV and as JSON, written while they are read. Members of the JSON are named as in Microsoft
Graph's `signIn` (beta, service principals); requestCount and testSwitches are our own.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from credmgr.audit.sign_in_log import in_steps
from credmgr.portal.csv_cells import safe_cell
from credmgr.portal.sign_in_rows import SignInRow, describe
from credmgr.registrations.models import Tenant

CSV_HEADS = (
    "Date (UTC)",
    "Request ID",
    "Correlation ID",
    "Application",
    "Application (client) ID",
    "Service principal ID",
    "Status",
    "Error code",
    "Failure reason",
    "IP address",
    "Resource",
    "Resource ID",
    "Credential type",
    "Credential",
    "Credential key ID",
    "Credential thumbprint",
    "Federated credential ID",
    "Unique token identifier",
    "Requests",
    "Test switches",
)


class _Echo:
    """A file that hands back what is written: one CSV line at a time."""

    def write(self, line: str) -> str:
        return line


def csv_lines(numbers: Sequence[int], tenant: Tenant) -> Iterator[str]:
    """A line per row. numbers: of the rows, as audit.sign_in_log.sequences has them."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_MINIMAL)
    # The mark tells spreadsheets that the file is UTF-8.
    yield "\ufeff" + writer.writerow(CSV_HEADS)
    for row in _rows(numbers, tenant):
        yield writer.writerow([safe_cell(cell) for cell in _cells(row)])


def json_lines(numbers: Sequence[int], tenant: Tenant) -> Iterator[str]:
    """One array with an object a line. What was cut off on the way is no valid JSON."""
    before = "[\n"
    for row in _rows(numbers, tenant):
        yield before + json.dumps(_members(row), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def _rows(numbers: Sequence[int], tenant: Tenant) -> Iterator[SignInRow]:
    for records in in_steps(numbers):
        yield from describe(records, tenant)


def _cells(row: SignInRow) -> list[str]:
    record = row.record
    return [
        _iso(record.at),
        str(record.trace_id),
        str(record.correlation_id),
        row.application.display_name if row.application else "",
        record.client_id,
        str(record.service_principal_id or ""),
        "Failure" if record.error_code else "Success",
        str(record.error_code),
        row.meaning,
        record.address,
        record.resource,
        record.resource_id,
        row.credential_type,
        row.credential if record.credential_id else "",
        str(row.key_id or ""),
        record.thumbprint,
        str(row.federated_id or ""),
        record.token_id,
        str(record.count),
        ", ".join(row.switch_words),
    ]


def _members(row: SignInRow) -> dict[str, Any]:
    record = row.record
    return {
        "createdDateTime": _iso(record.at),
        "id": str(record.trace_id),
        "correlationId": str(record.correlation_id),
        "appDisplayName": row.application.display_name if row.application else None,
        "appId": record.client_id,
        "servicePrincipalId": _text(record.service_principal_id),
        "status": {"errorCode": record.error_code, "failureReason": row.meaning or None},
        "ipAddress": record.address or None,
        "resourceDisplayName": record.resource or None,
        "resourceId": record.resource_id or None,
        "clientCredentialType": record.credential_type,
        "servicePrincipalCredentialKeyId": _text(row.key_id),
        "servicePrincipalCredentialThumbprint": record.thumbprint or None,
        "federatedCredentialId": _text(row.federated_id),
        "uniqueTokenIdentifier": record.token_id or None,
        "requestCount": record.count,
        "testSwitches": [name for name in record.test_switches.split(",") if name],
    }


def _text(value: object) -> str | None:
    return str(value) if value else None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
