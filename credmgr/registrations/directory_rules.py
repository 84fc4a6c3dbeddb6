"""The acts that make a directory stricter than usual, or bend it for testing other people's code.

Each counts with the next token request in every process. `now` is aware UTC; refusals are RegistrationErrors.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from credmgr.accounts.models import ThrottleCounter
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.registrations.acting import record_directory_act
from credmgr.registrations.errors import RegistrationError, RegistrationNotFoundError
from credmgr.registrations.models import Tenant
from credmgr.registrations.switches import (
    Switches,
    in_audit,
    read_switches,
    switch_problems,
    throttle_counter,
)


@transaction.atomic
def set_single_use_assertions(
    tenant: Tenant, *, enabled: bool, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Take each client assertion once, or again until it ends (A-12). Returns the row.

    expected_version: the version that the person was shown (C-4). No change, no audit row.
    """
    fresh = _locked(tenant, expected_version)
    if fresh.single_use_assertions != enabled:
        fresh.single_use_assertions = enabled
        _save(fresh)
        changes = {"singleUseAssertions": [not enabled, enabled]}
        record_directory_act(EventTag.DIRECTORY_ASSERTIONS_CHANGED, fresh, actor, now, changes)
    return fresh


@transaction.atomic
def set_second_factor_rule(
    tenant: Tenant, *, asked: str, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Who must have a second factor, NOBODY the default. Returns the row. No change, no audit row."""
    fresh = _locked(tenant, expected_version)
    if fresh.second_factor_for != asked:
        changes = {"secondFactorFor": [fresh.second_factor_for, asked]}
        fresh.second_factor_for = asked
        _save(fresh)
        record_directory_act(EventTag.DIRECTORY_SECOND_FACTOR_RULE, fresh, actor, now, changes)
    return fresh


@transaction.atomic
def set_directory_testing(
    tenant: Tenant, *, is_test: bool, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Mark a directory as one for testing other people's code, or as an ordinary one again: then its
    switches are off, and forgotten. Returns the row.
    """
    fresh = _locked(tenant, expected_version)
    if fresh.is_test != is_test:
        changes: dict[str, list[Any]] = {"isTest": [not is_test, is_test]}
        if fresh.test_switches:
            changes["testSwitches"] = [in_audit(read_switches(fresh.test_switches)), None]
        fresh.is_test, fresh.test_switches = is_test, {}
        _save(fresh)
        tag = EventTag.DIRECTORY_MARKED_FOR_TESTS if is_test else EventTag.DIRECTORY_UNMARKED_FOR_TESTS
        record_directory_act(tag, fresh, actor, now, changes)
    return fresh


@transaction.atomic
def set_test_switches(
    tenant: Tenant, *, switches: Switches, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Set all switches of a test directory at once; ALL_OFF ends them. Returns the row.

    The throttle's count begins anew. Raises RegistrationError out of their limits, and where the directory
    is not marked as a test directory.
    """
    for problem in switch_problems(switches, now):
        raise problem
    fresh = _locked(tenant, expected_version)
    if not fresh.is_test:
        raise RegistrationError(
            "not_a_test_directory",
            f"{fresh.name} is not a test directory. Mark it as one before you switch anything on.",
        )
    stored = switches.stored()
    if fresh.test_switches != stored:
        changes = {"testSwitches": [in_audit(read_switches(fresh.test_switches)), in_audit(switches)]}
        fresh.test_switches = stored
        _save(fresh)
        ThrottleCounter.objects.filter(key=throttle_counter(fresh.pk)).delete()
        record_directory_act(EventTag.DIRECTORY_TEST_SWITCHES_SET, fresh, actor, now, changes)
    return fresh


def _locked(tenant: Tenant, expected_version: int) -> Tenant:
    """The row as it is now, locked until the transaction ends."""
    try:
        fresh = Tenant.objects.select_for_update().get(pk=tenant.pk)
    except Tenant.DoesNotExist:
        raise RegistrationNotFoundError(
            "directory_gone", f"The directory {tenant.name} is no longer there. Nothing was changed."
        ) from None
    if fresh.version != expected_version:
        raise RegistrationError(
            "changed_meanwhile",
            "This directory was changed meanwhile. Nothing was saved. Open it again, look at what changed "
            "and repeat your edit.",
        )
    return fresh


def _save(tenant: Tenant) -> None:
    tenant.version += 1
    tenant.save()
