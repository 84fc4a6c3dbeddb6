"""The rule about test directories: a switch did it, on purpose. It comes before all others."""

from datetime import timedelta

from credmgr.credentials.lifecycle import is_live
from credmgr.flowtest.diagnosis.case import SKEW, Case, run_again
from credmgr.flowtest.report import Diagnosis, Evidence, Step, Verdict
from credmgr.outbound.errors import Failure
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import ALL_OFF, FORCED_SENTENCE, Switches, read_switches

_ASSERTION_TIMES = 700024
# What a credential out of its dates is refused with.
_DATES = {7000222, 7000215, 700027}


def forced_by_a_switch(case: Case) -> Diagnosis | None:
    """Told by the answer itself; a delay, and a shifted clock, by what is switched on."""
    if FORCED_SENTENCE in case.description:
        return _told(
            case,
            f"No token: a test switch of {case.tenant_name} forces AADSTS{case.code}",
            "The directory is a test directory, and this answer is made on purpose. It says nothing about "
            "the credential.",
            Evidence("cause", "Answer", FORCED_SENTENCE),
        )
    switches = _switches(case)
    if case.result.failure == Failure.TIMEOUT and switches.delay:
        return _told(
            case,
            f"Not reached: a test switch of {case.tenant_name} lets answers wait",
            f"Answers wait {switches.delay:g} s there on purpose, and the time for this run was "
            f"{case.deadline_seconds:g} s.",
            Evidence("cause", "Delay", f"{switches.delay:g} s"),
        )
    if _follows_from_the_clock(case, timedelta(seconds=switches.clock_shift)):
        side = "ahead" if switches.clock_shift > 0 else "behind"
        return _told(
            case,
            f"A test switch shifts the clock of {case.tenant_name}",
            f"The directory's clock is {abs(switches.clock_shift)} s {side} on purpose: it judges "
            "credentials and dates its tokens by that.",
            Evidence("cause", "Clock of the directory", f"{abs(switches.clock_shift)} s {side}"),
        )
    return None


def _told(case: Case, headline: str, summary: str, evidence: Evidence) -> Diagnosis:
    return Diagnosis(
        "test-switch",
        headline,
        summary,
        [
            Step(
                "Look at the switches",
                "Each can be switched off there; they can end by themselves too.",
                "portal:directory_testing",
                {"directory_id": str(case.tenant_id)},
                "Testing",
            ),
            run_again(case),
        ],
        [evidence],
    )


def _switches(case: Case) -> Switches:
    """What is on in the directory for this client."""
    tenant = Tenant.objects.filter(pk=case.tenant_id, is_test=True).first()
    switches = read_switches(tenant.test_switches) if tenant else ALL_OFF
    is_meant = switches.client_id in (None, case.client_id)
    return switches if is_meant and switches.is_on(case.now) else ALL_OFF


def _follows_from_the_clock(case: Case, shift: timedelta) -> bool:
    """Whether the run would have ended well by the true time."""
    if not shift:
        return False
    if case.result.verdict is Verdict.UNVERIFIED or case.code == _ASSERTION_TIMES:
        return abs(shift) > SKEW
    row = case.dated
    if row is None or case.code not in _DATES:
        return False
    return is_live(row, case.now) and not is_live(row, case.now + shift)
