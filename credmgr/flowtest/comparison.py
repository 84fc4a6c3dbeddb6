"""What a token says differently from the one before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credmgr.flowtest.report import TokenFacts

# These differ in every token and tell nothing.
VOLATILE = {"iat", "nbf", "exp", "uti", "aio", "rh", "jti", "xms_ftd"}


@dataclass(frozen=True)
class Difference:
    """One member that changed. words: "gained Routes.Write", "changed", "is new", "is gone"."""

    name: str
    words: str
    detail: str = ""


def differences(before: TokenFacts, after: TokenFacts) -> list[Difference]:
    """Differences in header and claims, times and per-token ids left out."""
    old = _stable(before)
    new = _stable(after)
    found = []
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            found.append(Difference(name, "is new", str(new[name])))
        elif name not in new:
            found.append(Difference(name, "is gone", f"Was {old[name]}"))
        elif old[name] != new[name]:
            found.append(_changed(name, old[name], new[name]))
    return found


def same_count(before: TokenFacts, after: TokenFacts) -> int:
    """How many claims are the same."""
    old = _stable(before)
    return sum(1 for name, value in _stable(after).items() if name in old and old[name] == value)


def _stable(token: TokenFacts) -> Mapping[str, Any]:
    members = {**token.header, **token.claims}
    return {name: value for name, value in members.items() if name not in VOLATILE}


def _changed(name: str, old: Any, new: Any) -> Difference:
    if isinstance(old, list) and isinstance(new, list):
        gained = [str(item) for item in new if item not in old]
        lost = [str(item) for item in old if item not in new]
        parts = ([f"gained {', '.join(gained)}"] if gained else []) + (
            [f"lost {', '.join(lost)}"] if lost else []
        )
        return Difference(name, " and ".join(parts) or "changed its order")
    return Difference(name, "changed", f"Was {old}")
