"""The names' part of a sensor alone on a gateway: real programs on real ports, told by lines of JSON what to do.

Runs on the gateway's Python 3.11.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bpf"))

from hearthwall_sensor.dissect import dns
from hearthwall_sensor.flows.flow import DOWNLOAD, UDP, FlowKey, read_sample
from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.layouts import FLAG_AUDIT, MODES, Counters, Entry
from hearthwall_sensor.kernel.libbpf import Program
from hearthwall_sensor.kernel.ringbuf import RingBuffer
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.names.domains import Domains
from hearthwall_sensor.network import topology
from hearthwall_sensor.network.surroundings import Surroundings
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.targets import Target

CLSACT_INGRESS, CLSACT_EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
ADDRESSING_AND_DNS = 3


def attach(directory: Path) -> list[int]:
    """Put the meter onto every port of the bridge."""
    seen = topology.read()
    bridge = seen.by_name("br-lan")
    assert bridge is not None
    ports = [each.index for each in seen.ports(bridge)]
    with IPRoute() as routes:
        for index in ports:
            routes.tc("add", "clsact", index)
            for parent, name in (
                (CLSACT_INGRESS, "meter_ingress"),
                (CLSACT_EGRESS, "meter_egress"),
            ):
                program = Program.pinned(str(directory / name))
                routes.tc(
                    "add-filter",
                    "bpf",
                    index,
                    ":1",
                    fd=program.fd,
                    name=name,
                    parent=parent,
                    direct_action=True,
                )
    return ports


class Runner:
    """Carries out what the lines say."""

    def __init__(self, directory: Path, *, grace: float) -> None:
        self.tables = Tables(str(directory))
        for target in self.tables.rules():  # of the test before
            self.tables.delete_rule(target)
        around = Surroundings(("br-lan",), None)
        around.follow(topology.read(), self.tables, attach(directory))
        self.domains = Domains(self.tables, around.is_protected, around.trusts, grace=grace)
        self.domains.set_rules({})
        self.domains.set_peers({})
        self.ring = RingBuffer(self.tables.map("answers").fd)
        self.delays: list[float] = []

    def drain(self) -> None:
        """Take what the kernel has seen, and note how long after."""
        for record in self.ring.read():
            sample = read_sample(record)
            assert sample is not None
            key = FlowKey.unpack(sample.key)
            if (key.protocol, key.peer_port, sample.direction) == (UDP, 53, DOWNLOAD):
                self.domains.take(sample, key, dns.parse(sample.data))
                self.delays.append((boot_ns() - sample.time) / 1e6)

    def rules(self, slots: dict[str, int], audits: list[int]) -> None:
        """Block names."""
        for slot in slots.values():
            flags = FLAG_AUDIT if slot in audits else 0
            self.tables.put_list_rule(
                slot, Entry(slot, MODES["isolate"], 0, 0, Counters(), flags=flags)
            )
        self.domains.set_rules(slots)

    def allow_only(self, mac: str, name: str) -> None:
        """Let a device talk to the addresses of one name only."""
        entry = Entry(7, MODES["allow_only"], ADDRESSING_AND_DNS, 0, Counters())
        self.tables.put_rule(Target("mac", mac), entry)
        self.tables.set_sizes({"mac": 1})
        self.domains.set_peers({name: {7}})

    def look(self, slot: int) -> dict[str, Any]:
        """Return what is known of a slot, and all that is counted."""
        rule = self.tables.list_rule(slot)
        return {
            "addresses": self.domains.addresses(slot),
            "counters": rule.counters if rule else None,
            "statistics": self.domains.statistics,
            "kernel": self.tables.statistics(),
            "delays_ms": self.delays,
        }


async def serve(runner: Runner) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    loop.add_reader(runner.ring.fileno(), runner.drain)
    print("ready", flush=True)
    while line := await lines.readline():
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(runner, name)(*arguments)), flush=True)


def main() -> None:
    """Run with a folder to name the pins after, which stay, and the grace time in seconds."""
    pins.mount()
    own = pins.Pins(f"{sys.argv[1]}/s.sock")
    own.make(Path(sys.argv[1]))
    directory = own.generation(loader.generation())
    if not own.is_complete(directory):
        asyncio.run(loader.load_in_child(str(directory)))
    asyncio.run(serve(Runner(directory, grace=float(sys.argv[2]))))


if __name__ == "__main__":
    main()
