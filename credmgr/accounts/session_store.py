"""Sessions in the database that know whose they are. Named by the setting SESSION_ENGINE."""

import logging
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError

from credmgr.accounts.models import Session
from credmgr.accounts.sessions import SEEN_AT

logger = logging.getLogger(__name__)


class SessionStore(DatabaseStore):
    """Django's own store with the signed-in person beside the data."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table that holds the sessions."""
        return Session

    def _validate_session_key(self, key: str) -> bool:
        """Only what this server could have made goes to the database: a cookie may hold NUL."""
        return bool(key) and len(key) == 32 and key.isascii() and key.isalnum()

    def save(self, must_create: bool = False) -> None:
        """Store it. A database that takes no writes keeps nobody from reading: then it goes unnoted that the
        person is still here, and the idle time runs on. Raises UpdateError where the session has ended
        meanwhile, DatabaseError where more than that would be lost.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            trouble = error.__context__
            if not isinstance(trouble, DatabaseError) or type(trouble) is DatabaseError:
                raise  # there is no such row any more
            if self._holds_more_than_stored():
                raise trouble from None
            logger.warning("It could not be noted that a session is in use.")

    def _holds_more_than_stored(self) -> bool:
        row = Session.objects.filter(session_key=self.session_key).first()
        stored = row.get_decoded() if row else {}
        return {**stored, SEEN_AT: None} != {**dict(self.items()), SEEN_AT: None}

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save for this data."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment] # of get_model_class
        row.user_id = data.get(SESSION_KEY)
        return row
