"""One request to the authority: its moment, its ids, where it came from."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.http import HttpRequest


@dataclass(slots=True)
class Exchange:
    """now: aware UTC. trace_id is ours, correlation_id the client's. echo: the client asked to see its own
    id again.
    """

    now: datetime
    correlation_id: uuid.UUID
    address: str = ""
    echo: bool = False
    trace_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def of(cls, request: HttpRequest) -> "Exchange":
        """What a request says about itself; the clock is read here and nowhere below."""
        headers = request.META
        correlation_id = getattr(request, "correlation_id", None) or uuid.uuid4()
        request_id = getattr(request, "request_id", None)
        return cls(
            now=datetime.now(UTC),
            correlation_id=correlation_id,
            # The log's own name for the request, unless that serves as the correlation id already.
            trace_id=request_id if request_id and request_id != correlation_id else uuid.uuid4(),
            address=headers.get("REMOTE_ADDR", ""),
            echo=headers.get("HTTP_RETURN_CLIENT_REQUEST_ID", "").lower() == "true",
        )
