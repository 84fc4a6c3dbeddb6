"""A running server forwards its audit; killed and started again, it loses nothing."""

from tests.audit.receivers import syslog_receiver
from tests.installation import InstallationFactory
from tests.ops.test_serve import wait_until


def test_after_kill_9_and_with_a_receiver_that_was_away_nothing_is_lost(
    fresh_installation: InstallationFactory,
) -> None:
    with syslog_receiver() as first:
        port = first.port
        one = fresh_installation(CREDMGR_AUDIT_FORWARD=f"tcp://127.0.0.1:{port}")
        one.json("register_app", "Before")
        tenant = one.tenant_id
        wait_until(lambda: any(each["objectName"] == "Before" for each in first.entries))
    one.kill()
    one.json("register_app", "Meanwhile")
    one.start()
    wait_until(lambda: "could not be forwarded" in one.logs())
    with syslog_receiver(port=port) as second:
        wait_until(lambda: any(each["objectName"] == "Meanwhile" for each in second.entries))
    taken = first.positions(tenant) + second.positions(tenant)
    assert sorted(set(taken)) == list(range(1, max(taken) + 1))
    assert first.positions(tenant) == sorted(first.positions(tenant))
    assert second.positions(tenant) == sorted(second.positions(tenant))
