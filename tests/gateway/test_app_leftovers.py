"""What the app's containers leave behind and come back to: lost data, bpffs that comes later, a sensor that hangs."""

import ipaddress
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.notation import mapped
from lab import Lab
from lab.home import DEVICES, DNS, HOSTS, SITES
from tests.container import Image
from tests.gateway.programs import attachments, reaches
from tests.gateway.sensor_process import until
from tests.gateway.test_app import KEY, SENSOR, App, build

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

CAMERA = DEVICES["camera"]
VIDEO = SITES["video.example"]
#: Asks for a name and prints nothing: whoever sees the answer on its way has it.
ASK = """
import socket, sys
from dnslib import DNSRecord
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(5)
link.connect((sys.argv[1], 53))
link.send(DNSRecord.question(sys.argv[2]).pack())
assert DNSRecord.parse(link.recv(2000)).rr
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with Image(tmp_path_factory.mktemp("app")) as image:
        build(image, "2.3.4")
        yield image


@pytest.fixture
def app(image: Image, lab: Lab, tmp_path: Path) -> Iterator[App]:
    app = App(image, lab, tmp_path)
    yield app
    app.container.kill()
    app.unload()
    app.unload("--all")


def lose(app: App) -> None:
    """Let the app's data be gone as after an uninstallation, with what it left in the kernel still there."""
    app.container.kill()
    assert not reaches(app.lab)
    shutil.rmtree(app.data / "state")


@pytest.fixture
def orphaned(app: App) -> App:
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    assert not reaches(app.lab)
    lose(app)
    return app


def test_an_app_that_lost_its_data_takes_the_place_of_what_it_left(orphaned: App, lab: Lab) -> None:
    """It is the host's only sensor, as its Supervisor's key tells: else it could never start again."""
    orphaned.start(key=KEY).ready()
    assert "nobody knows any more has left its programs on" in orphaned.container.said
    assert reaches(lab), "the rules have gone with the data"
    assert orphaned.call("blocks") == []
    assert orphaned.call("block", CAMERA.mac)["id"]
    assert not reaches(lab)
    assert all(not each["foreign"] for each in orphaned.call("status")["interfaces"])


def test_what_nobody_knows_is_named_and_taken_out(orphaned: App, lab: Lab) -> None:
    said = orphaned.unload()
    assert "programs of a sensor that is not known here are on" in said
    assert "camera" in said
    assert "--all" in said
    assert not reaches(lab)
    orphaned.start(key=None)
    assert until(lambda: "unload --all" in orphaned.container.said, 60), orphaned.container.said
    orphaned.container.kill()
    assert "The programs of a sensor that is not known here are off" in orphaned.unload("--all")
    assert reaches(lab)
    assert not any("meter" in each or "xdp" in each for each in attachments(lab)[1:])
    assert attachments(lab)[0] == "0"
    assert "There was nothing of Hearthwall in the kernel" in orphaned.unload("--all")


def test_what_runs_elsewhere_is_no_orphan(app: App, lab: Lab, tmp_path: Path) -> None:
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    (tmp_path / "second").mkdir()
    second = App(app.image, lab, tmp_path / "second")
    said = second.unload("--all")
    assert "runs elsewhere" in said
    assert not reaches(lab)
    second.start(key=KEY)
    assert until(lambda: "stop that one first" in second.container.said, 60)
    second.container.kill()
    assert not reaches(lab)
    assert {each["tc"] for each in app.call("status")["interfaces"]} == {"clsact"}


def test_bpffs_that_comes_later_takes_over_and_goes_again(app: App, lab: Lab) -> None:
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    app.container.kill()
    app.start(key=None, bpffs=True).ready()
    assert "bpffs" not in app.call("status")["missing"]
    assert not reaches(lab)
    assert attachments(lab)[1:] == [""] * len(attachments(lab)[1:]), "tcx, and no filter is left"
    app.call("unblock", "1")
    assert reaches(lab)
    assert app.container.run(SENSOR, "unload").returncode == 0
    assert attachments(lab)[0] == "0"


def test_an_older_version_leaves_alone_what_a_newer_one_has_put_on_interfaces(
    app: App, lab: Lab
) -> None:
    """No pins tell of it: the container is a new one."""
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    app.container.kill()
    path = app.data / "state" / "rules.json"
    kept = json.loads(path.read_text())
    kept["rules"][0]["mode"] = "quarantine"
    path.write_text(json.dumps(kept))
    app.start(key=None)
    assert until(lambda: "Nothing was changed" in app.container.said or reaches(lab), 60)
    assert "mode quarantine" in app.container.said
    assert not reaches(lab)
    app.container.kill()
    assert not reaches(lab)


def test_what_is_taken_out_by_number_is_told(app: App, lab: Lab) -> None:
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    app.container.kill()
    said = app.unload()
    assert "found by their numbers on camera" in said
    assert "The rules are kept in /var/lib/hearthwall/rules.json" in said
    assert reaches(lab)


def test_a_sensor_that_hangs_is_killed_at_the_stop_and_all_is_taken_out(app: App, lab: Lab) -> None:
    app.options(interfaces=["br-lan"], unload_on_stop=True)
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    app.container.run("kill", "-STOP", str(app.call("status")["pid"]))
    assert app.container.stop() == 0, app.container.said
    assert "The sensor and its rules are out of the kernel" in app.container.said
    assert reaches(lab)


def test_unload_kills_what_does_not_answer_and_says_so(app: App, lab: Lab) -> None:
    app.start(key=None).ready()
    app.call("block", CAMERA.mac)
    pid = app.call("status")["pid"]
    app.container.run("kill", "-STOP", str(pid))
    done = app.container.run(SENSOR, "unload")
    assert done.returncode == 0, done.stderr
    assert f"did not answer: its process, {pid}, was killed" in done.stdout
    assert reaches(lab)
    time.sleep(3)
    assert reaches(lab), "and nobody has started it again"
    assert "comes back when the container is started anew" in app.container.said
    assert app.container.stop() == 0


def test_an_address_that_a_name_led_to_is_known_after_a_kill(app: App, lab: Lab) -> None:
    """Without bpffs the kernel's table of them ends with the sensor; no device asks again for what it knows."""
    app.start(key=None).ready()
    assert reaches(lab)
    app.call("block", "video.example")
    lab.run("camera", ["/usr/bin/python3", "-c", ASK, DNS.ipv4, "video.example"], check=True)
    kept = app.data / "state" / "names.json"
    address = mapped(ipaddress.ip_address(VIDEO.ipv4)).hex()
    assert until(lambda: kept.exists() and address in kept.read_text()), app.container.said
    app.container.kill()
    app.start(key=None).ready()
    (rule,) = app.call("blocks")
    assert str(VIDEO.ipv4) in rule["addresses"]
    app.call("unload")
    assert not kept.exists(), "what the kernel forgets is forgotten"


def test_a_code_and_sinks_are_to_be_had(app: App) -> None:
    app.options(
        interfaces=["br-lan"],
        listen=f"{HOSTS['gateway'].ipv4}:8447",
        pair=True,
        unload_on_stop=False,
    )
    (app.data / "sensor.toml").write_text(
        '[[sink]]\nname = "lines"\ntype = "file"\npath = "/data/events.json"\n'
    )
    app.start(key=None).ready()
    assert until(lambda: "Waiting." in app.container.said, 60), app.container.said
    assert "Code " in app.container.said
    assert "Ctrl-C" not in app.container.said
    assert [each["name"] for each in app.call("sinks")] == ["lines"]
    assert app.container.stop() == 0
