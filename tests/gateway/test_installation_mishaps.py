"""What goes wrong as a sensor is installed, upgraded and taken away: by a real systemd, nobody stays cut off by it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.programs import reaches
from tests.gateway.sensor_process import until
from tests.gateway.systemd_host import UNIT, SystemdHost, copied

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CAMERA = DEVICES["camera"]
CONFIG = "/etc/hearthwall/sensor.toml"
SOCKET = "/run/hearthwall/other.sock"
NAMED = f'interfaces = ["br-lan"]\nsocket = "{SOCKET}"\ngroup = "hearthwall"\n'
FAILING = f"/etc/systemd/system/{UNIT}.d/failing.conf"


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[SystemdHost]:
    host = SystemdHost(lab, f"hearthwall-mishaps-{os.getpid()}")
    try:
        host.boot()
        yield host
    finally:
        host.halt()


def test_nobody_stays_cut_off_by_what_goes_wrong(
    host: SystemdHost, lab: Lab, tmp_path: Path
) -> None:
    first, second = (copied(tmp_path / each, each) for each in ("0.9.1", "0.9.2"))
    host.write(CONFIG, NAMED)
    host.do(first, "install", "--user", "games")
    host.do("hearthwall-sensor", "block", CAMERA.mac, f"--socket={SOCKET}")
    assert until(lambda: not reaches(lab))

    # It is put back with its rules, guards, and does not come up
    host.do("hearthwall-sensor", "uninstall", "--keep-state")
    assert reaches(lab)
    assert "games" in host.do("getent", "group", "hearthwall")
    host.write(FAILING, "[Service]\nExecStartPost=/bin/false\nRestart=no\n")
    refused = host.run(first, "install")
    assert refused.returncode == 1
    assert "This could not be undone" not in refused.stdout
    assert reaches(lab)
    assert host.run("ls", "/sys/fs/bpf/hearthwall").returncode != 0
    host.do("rm", FAILING)

    # It failed for its settings, and nobody has stopped it
    host.do(first, "install")
    assert until(lambda: not reaches(lab))
    host.write(CONFIG, f"{NAMED}lissen = 1\n")
    host.run("systemctl", "restart", UNIT)
    assert until(lambda: host.show("ActiveState") == "failed")
    host.write(CONFIG, NAMED)
    assert "The sensor had failed: started it" in host.do(second, "upgrade")
    assert host.show("ActiveState") == "active"

    # The settings do not say any more which socket it has
    host.write(CONFIG, f"{NAMED}[[sink\n")
    host.do("hearthwall-sensor", "uninstall")
    assert reaches(lab)
    assert host.run("getent", "group", "hearthwall").returncode != 0
