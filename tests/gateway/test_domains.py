"""Blocked and allowed names in a real home: what devices resolve is in force for their packets, and for how many."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dnslib import RR, DNSRecord
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from hearthwall_sensor.kernel.pins import Pins
from lab import Lab, dns
from lab.home import ALIASES, DEVICES, DNS, HOSTS, SITES, WEB
from tests.gateway.postmortem import postmortem
from tests.gateway.sensor_process import SensorProcess, until

pytestmark = pytest.mark.lab

RUNNER = Path(__file__).with_name("names_runner.py")
PYTHON = "/usr/bin/python3"
GRACE = 300.0
SLOT, OTHER = 32, 33
CAMERA, LAPTOP, GATEWAY = DEVICES["camera"], DEVICES["laptop"], HOSTS["gateway"]
FIRMWARE, VIDEO = SITES["firmware.vendor.example"], SITES["video.example"]

#: Asks a server for a name and prints the addresses; waits for the answer, and no longer.
ASK = """
import json, socket, sys
from dnslib import DNSRecord
server, name, kind = sys.argv[1:]
link = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(3)
link.connect((server, 53))
link.send(DNSRecord.question(name, kind).pack())
print(json.dumps([str(each.rdata) for each in DNSRecord.parse(link.recv(2000)).rr]))
"""

#: Asks for a name's address and sends to it at once, as fast as it can for a while.
RUSH = """
import json, socket, struct, sys, time
from dnslib import DNSRecord
server, name, address, port, seconds = sys.argv[1:]
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(3)
link.connect((server, 53))
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.send(DNSRecord.question(name).pack())
link.recv(2000)
answered = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
sent = []
while (now := time.clock_gettime_ns(time.CLOCK_BOOTTIME) - answered) < float(seconds) * 1e9:
    out.sendto(struct.pack("!Q", len(sent)).ljust(64), (address, int(port)))
    sent.append(now)
print(json.dumps(sent))
"""

#: The gateway's own resolver: answers with what the lab's DNS would.
RESOLVER = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from lab import dns
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.bind((sys.argv[2], 53))
print("ready", flush=True)
while True:
    question, device = link.recvfrom(2000)
    answer = dns.answer(question)
    if answer:
        link.sendto(answer, device)
"""

#: Sends one frame as it is.
FORGE = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((sys.argv[1], 0))
link.send(bytes.fromhex(sys.argv[2]))
"""


class Names:
    """The names' part of a sensor on the lab's gateway."""

    def __init__(self, lab: Lab, folder: Path, grace: float) -> None:
        self.lab = lab
        self.process = subprocess.Popen(
            lab.argv("gateway", [PYTHON, "-B", str(RUNNER), str(folder), str(grace)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready\n"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def _call(self, *words: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self._line())

    def block(self, *names: str, audit: bool = False) -> None:
        slots = {name: SLOT + number for number, name in enumerate(names)}
        self._call("rules", slots, list(slots.values()) if audit else [])

    def allow_only(self, mac: str, name: str) -> None:
        self._call("allow_only", mac, name)

    def look(self, slot: int = SLOT) -> dict[str, Any]:
        found: dict[str, Any] = self._call("look", slot)
        return found

    def answers(self, number: int) -> dict[str, Any]:
        """Return what is known when so many answers have been taken."""
        deadline = time.monotonic() + 3
        while (found := self.look())["statistics"]["answers"] < number:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        self.process.stdout.close()
        for name in DEVICES:
            self.lab.run("gateway", ["tc", "qdisc", "del", "dev", name, "clsact"], check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose pins are shared, so that the programs are compiled once."""
    folder = tmp_path_factory.mktemp("names")
    yield folder
    Pins(str(folder / "s.sock")).remove()


@pytest.fixture
def names(lab: Lab, folder: Path) -> Iterator[Names]:
    names = Names(lab, folder, GRACE)
    yield names
    names.close()


@pytest.fixture
def resolver(lab: Lab) -> Iterator[str]:
    """The address of a DNS server on the gateway."""
    root = str(Path(dns.__file__).resolve().parents[1])
    address = str(CAMERA.gateway[0])
    process = lab.popen("gateway", [PYTHON, "-c", RESOLVER, root, address])
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield address
    process.kill()
    process.communicate()


def ask(
    lab: Lab, name: str, kind: str = "A", server: str = DNS.ipv4, host: str = "camera"
) -> list[str]:
    done = lab.run(host, [PYTHON, "-c", ASK, server, name, kind])
    assert done.returncode == 0, f"{done.stderr}\n{postmortem(lab)}"
    found: list[str] = json.loads(done.stdout)
    return found


def reaches(lab: Lab, address: str, host: str = "camera") -> bool:
    return lab.run(host, ["ping", "-c1", "-W1", address]).returncode == 0


def test_what_a_device_resolves_is_out_of_its_reach_and_other_sites_are_not(
    lab: Lab, names: Names
) -> None:
    names.block("firmware.vendor.example")
    assert reaches(lab, FIRMWARE.ipv4)  # nobody has asked for it yet
    assert ask(lab, "firmware.vendor.example") == [FIRMWARE.ipv4]
    assert ask(lab, "firmware.vendor.example", "AAAA", DNS.ipv6) == [FIRMWARE.ipv6]
    ask(lab, "video.example")
    found = names.answers(3)
    assert set(found["addresses"]) == {FIRMWARE.ipv4, FIRMWARE.ipv6}
    for host in ("camera", "tv"):
        assert not reaches(lab, FIRMWARE.ipv4, host)
        assert not reaches(lab, FIRMWARE.ipv6, host)
        assert reaches(lab, VIDEO.ipv4, host)
        assert reaches(lab, VIDEO.ipv6, host)
    assert names.look()["counters"][0] == 4
    names.block()
    assert reaches(lab, FIRMWARE.ipv4)
    assert reaches(lab, FIRMWARE.ipv6)


def test_a_star_is_for_all_names_below(lab: Lab, names: Names) -> None:
    names.block("*.vendor.example")
    sites = [SITES[name] for name in SITES if name.endswith(".vendor.example")]
    assert len(sites) == 3
    for site in (*sites, VIDEO):
        ask(lab, site.names[0])
    names.answers(4)
    assert not any(reaches(lab, site.ipv4) for site in sites)
    assert reaches(lab, VIDEO.ipv4)


def test_an_aliass_address_is_that_of_what_it_stands_for(lab: Lab, names: Names) -> None:
    ((alias, canonical),) = ALIASES.items()
    names.block(alias)
    assert ask(lab, alias) == [f"{canonical}.", SITES[canonical].ipv4]
    names.answers(1)
    assert not reaches(lab, SITES[canonical].ipv4)


def test_a_rule_takes_hold_of_what_was_resolved_before_it(lab: Lab, names: Names) -> None:
    ask(lab, "firmware.vendor.example")
    names.answers(1)
    assert reaches(lab, FIRMWARE.ipv4)
    names.block("firmware.vendor.example")
    assert not reaches(lab, FIRMWARE.ipv4)


def test_audit_counts_and_drops_nothing(lab: Lab, names: Names) -> None:
    names.block("firmware.vendor.example", audit=True)
    ask(lab, "firmware.vendor.example")
    names.answers(1)
    assert reaches(lab, FIRMWARE.ipv4)
    assert names.look()["counters"][0] == 2


def test_it_ends_with_its_time_and_the_grace(lab: Lab, folder: Path) -> None:
    """The kernel itself ends it: nobody sweeps here."""
    names = Names(lab, folder, 2 - dns.TTL)  # in force for two seconds
    try:
        names.block("firmware.vendor.example")
        ask(lab, "firmware.vendor.example")
        assert names.answers(1)["addresses"] == [FIRMWARE.ipv4]
        assert not reaches(lab, FIRMWARE.ipv4)
        time.sleep(1.5)
        assert reaches(lab, FIRMWARE.ipv4)
        ask(lab, "firmware.vendor.example")
        names.answers(2)
        assert not reaches(lab, FIRMWARE.ipv4)
    finally:
        names.close()


def test_a_device_that_may_only_talk_to_a_name_reaches_just_its_addresses(
    lab: Lab, names: Names, resolver: str
) -> None:
    names.allow_only(CAMERA.mac, "*.vendor.example")
    assert not reaches(lab, FIRMWARE.ipv4)
    ask(lab, "firmware.vendor.example", server=resolver)
    ask(lab, "video.example", server=resolver)
    names.answers(2)
    assert reaches(lab, FIRMWARE.ipv4)
    assert not reaches(lab, FIRMWARE.ipv6)  # not asked for
    assert not reaches(lab, VIDEO.ipv4)
    assert reaches(lab, VIDEO.ipv4, "tv")


def test_the_gateways_own_resolver_is_believed(lab: Lab, names: Names, resolver: str) -> None:
    names.block("firmware.vendor.example")
    assert ask(lab, "firmware.vendor.example", server=resolver) == [FIRMWARE.ipv4]
    assert names.answers(1)["addresses"] == [FIRMWARE.ipv4]
    assert not reaches(lab, FIRMWARE.ipv4)


@pytest.mark.parametrize("claimed", [DNS.ipv4, str(CAMERA.gateway[0]), LAPTOP.ipv4])
def test_an_answer_that_another_device_made_up_blocks_nobody(
    lab: Lab, names: Names, claimed: str
) -> None:
    """Else any device could cut the home off from any site, by saying that a blocked name leads there."""
    names.block("bad.example")
    reply = DNSRecord.question("bad.example").reply()
    reply.add_answer(*RR.fromZone(f"bad.example 86400 A {WEB.ipv4}"))
    frame = (
        Ether(src=GATEWAY.mac, dst=CAMERA.mac)
        / IP(src=claimed, dst=CAMERA.ipv4)
        / UDP(sport=53, dport=40000)
        / Raw(bytes(reply.pack()))
    )
    lab.run("laptop", [PYTHON, "-c", FORGE, LAPTOP.interface, bytes(frame).hex()], check=True)
    found = names.answers(1)
    assert found["statistics"]["answers_distrusted"] == 1
    assert found["addresses"] == []
    assert reaches(lab, WEB.ipv4)


def test_a_name_ordered_from_a_sensor_is_blocked_through_a_kill_until_it_is_taken_back(
    lab: Lab, sensor: SensorProcess
) -> None:
    ask(lab, "cloud.vendor.example")  # before the order: remembered
    assert until(lambda: sensor.call("status")["names"]["names_remembered"] == 1)
    block = sensor.call("block", "*.vendor.example")
    assert (block["kind"], block["mode"]) == ("domain", "isolate")
    ask(lab, "firmware.vendor.example")
    both = {FIRMWARE.ipv4, SITES["cloud.vendor.example"].ipv4}
    assert until(lambda: set(sensor.call("blocks")[0]["addresses"]) == both)
    for address in both:
        assert not reaches(lab, address)
    assert reaches(lab, VIDEO.ipv4)
    sensor.kill()
    assert not reaches(lab, FIRMWARE.ipv4)
    sensor.start()
    (block,) = sensor.call("blocks")
    assert set(block["addresses"]) == both
    assert block["packets"] == 3
    assert not reaches(lab, FIRMWARE.ipv4)
    sensor.call("unblock", "*.vendor.example")
    for address in both:
        assert reaches(lab, address)


def test_once_an_answer_is_in_force_nothing_slips_through_and_what_did_before_is_known(
    lab: Lab, names: Names, record_property: Callable[[str, object], None]
) -> None:
    """The device has the answer as soon as the sensor has: what it sends at once may pass."""
    slipped, delays = [], []
    for number in range(1, 6):
        names.block()
        names.block("web.lab.example")
        lab.reset_sink()
        rush = [PYTHON, "-c", RUSH, DNS.ipv4, "web.lab.example", WEB.ipv4, "9999", "0.3"]
        sent = json.loads(lab.run("camera", rush, check=True).stdout)
        found = names.answers(number)
        streams = lab.sink(full=True)["streams"]
        passed = streams[0]["sequences"] if streams else []
        assert passed == list(range(len(passed)))
        assert found["counters"][0] == len(sent) - len(passed) > 0
        assert sent[len(passed)] < 250e6
        slipped.append(len(passed))
        delays.append(round(found["delays_ms"][-1], 2))
    record_property("slipped", slipped)
    record_property("delays_ms", delays)
    print(f"slipped through: {slipped} packets; in force after {delays} ms")
