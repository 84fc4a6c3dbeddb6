"""Why nobody was signed in, in words that give nothing of the provider's answer away."""

from credmgr.errors import DomainError

_TELL = "Begin again. If that does not help, tell whoever runs this server: the log says why."
_MESSAGES = {
    "begin_again": "This sign-in was begun too long ago, in another browser or tab, or was finished already. "
    "Nobody was signed in. Begin again.",
    "cancelled": "The sign-in was cancelled, or the provider does not let you use this server. Begin again, "
    "or ask whoever runs the provider for access.",
    "provider_refused": f"The provider refused the sign-in. {_TELL}",
    "unreachable": f"The provider cannot be reached, or its answers cannot be used. {_TELL}",
    "busy": "Too many sign-ins wait for the provider at this moment. Try again in a minute.",
    "throttled": "Too many sign-ins from your address failed. Try again in an hour.",
    "not_trusted": f"The provider's answer could not be verified. Nobody was signed in. {_TELL}",
    "no_role": "You signed in at the provider, but no role here goes with what it says of you. Ask whoever "
    "runs the provider for one of the roles of this server, then sign in again.",
    "disabled": "Your account on this server is disabled. Ask an administrator of this server to enable it.",
    "not_fresh": f"The provider did not say that you signed in again just now. Nothing was "
    f"confirmed. {_TELL}",
    "other_person": "Somebody else signed in at the provider. Nothing was confirmed. Sign in there as "
    "yourself.",
}


class SignOnError(DomainError):
    """Nobody was signed in and nothing confirmed.

    code: a name of _MESSAGES, which a session may remember. detail: a word or two for the log, never a value
    that came from outside.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, _MESSAGES[code])
        self.detail = detail


def message_of(code: object) -> str:
    """The sentence of a code that a session remembered; that of begin_again for anything else."""
    return _MESSAGES.get(str(code), _MESSAGES["begin_again"])
