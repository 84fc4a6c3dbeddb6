"""How hard property tests try: a little with every run of the tests, `FUZZ_TIMES` as hard in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def examples(usual: int) -> int:
    """How many examples to try where so many are usual."""
    return usual * TIMES


def choose_profile() -> None:
    """Before any test module is read: decorators take what they do not say from the profile in force."""
    settings.register_profile(
        "fuzz",
        max_examples=examples(100),
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    if TIMES > 1:
        settings.load_profile("fuzz")
