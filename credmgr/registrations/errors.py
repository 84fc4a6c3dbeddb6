"""What a person is told when an act on a registration is refused. Nothing was changed."""

from credmgr.errors import DomainError, NotFoundError
from credmgr.registrations.models import Application


class RegistrationError(DomainError):
    """A refused act on a registration or its owners."""


class RegistrationNotFoundError(NotFoundError, RegistrationError):
    """The registration is not there, or not in the state that the act is for."""


class ChangedMeanwhileError(RegistrationError):
    """Someone else saved the same registration since the form was opened."""

    def __init__(self) -> None:
        super().__init__(
            "changed_meanwhile",
            "This registration was changed meanwhile. Nothing was saved. "
            "Open it again, look at what changed and repeat your edit.",
        )


class DuplicateFormError(RegistrationError):
    """The same register form was sent before. application: what it made then."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            "duplicate_form",
            f"This form was already sent and registered {application.display_name}. "
            "Nothing was registered again.",
        )
        self.application = application
