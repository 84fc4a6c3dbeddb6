"""Sessions in the database that know whose they are. Named by the setting SESSION_ENGINE."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from credmgr.accounts.models import Session


class SessionStore(DatabaseStore):
    """Django's own store with the signed-in person beside the data."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table that holds the sessions."""
        return Session

    def _validate_session_key(self, key: str) -> bool:
        """Only what this server could have made goes to the database: a cookie may hold NUL."""
        return bool(key) and len(key) == 32 and key.isascii() and key.isalnum()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save for this data."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment] # of get_model_class
        row.user_id = data.get(SESSION_KEY)
        return row
