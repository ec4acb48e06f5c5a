"""A gateway between a device and a server, three hosts and two cables, and what is put on the gateway's LAN side."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import blocklist, cpu, frames
from bench.hearthwall import TARGETS, attached
from bench.network import End, Namespace, cable
from bench.reference import Reference
from bench.running import running
from hearthwall_sensor.kernel import attachment
from hearthwall_sensor.kernel.attachment import Link
from hearthwall_sensor.kernel.libbpf import Program

LAN: Final = "lan0"
WAN: Final = "wan0"
WAN_MACS: Final = ("02:00:5e:10:00:03", "02:00:5e:10:00:04")
_WAN_ADDRESS: Final = "198.19.0.1"
_READY: Final = 30.0
#: Prefixes of the feed that the sensor has, of which neighbours become one.
_FEED: Final = 100_000
_LEAST_LOADED: Final = 0.9
_LISTED: Final = "203.0.113.10"


@dataclass(frozen=True, slots=True)
class Observer:
    """What was put on the gateway: how many of the device's packets it has seen, its processes, what it has lost."""

    seen: Callable[[], int] | None = None
    processes: tuple[int, ...] = ()
    lost: Callable[[], int] | None = None

    def cpu(self) -> int:
        """Return the CPU time that its processes have had, in ns."""
        return sum(map(cpu.of_process, self.processes))


class Router:
    """The three hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reference = Reference()
        self.device, self.gateway, self.server = map(Namespace, ("device", "gateway", "server"))
        cable(End(self.device, "out", frames.SENDER), End(self.gateway, LAN, frames.RECEIVER))
        cable(End(self.gateway, WAN, WAN_MACS[0]), End(self.server, "in", WAN_MACS[1]))
        self.gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
        # As a network card's driver does, whether or not XDP makes a veth do so
        self.gateway.offload(LAN, gro=True)
        self.gateway.offload(WAN, gro=True)
        self._address()

    def _address(self) -> None:
        """Give addresses, routes and neighbours, which nobody then has to ask for."""
        self.device.ip(
            f"address add {frames.INNOCENT}/24 dev out",
            f"route add default via {frames.NEAR}",
            f"neighbour replace {frames.NEAR} lladdr {frames.RECEIVER} dev out nud permanent",
        )
        self.gateway.ip(
            f"address add {frames.NEAR}/24 dev {LAN}",
            f"address add {_WAN_ADDRESS}/24 dev {WAN}",
            f"neighbour replace {frames.INNOCENT} lladdr {frames.SENDER} dev {LAN} nud permanent",
            f"neighbour replace {frames.FAR} lladdr {WAN_MACS[1]} dev {WAN} nud permanent",
        )
        self.server.ip(
            f"address add {frames.FAR}/24 dev in",
            f"route add default via {_WAN_ADDRESS}",
            f"neighbour replace {_WAN_ADDRESS} lladdr {WAN_MACS[0]} dev in nud permanent",
        )

    def segment(self, *, offload: bool) -> None:
        """Let TCP's ends hand over segments as large as the kernel has them, or as large as the wire's."""
        for host, interface in ((self.device, "out"), (self.server, "in")):
            host.offload(interface, tso=offload, gso=offload)

    # What is put on the gateway

    @contextmanager
    def empty_xdp(self) -> Iterator[Observer]:
        """Attach an XDP program that does nothing."""
        with attached(self.reference.programs["empty"], self.gateway, LAN):
            yield Observer()

    @contextmanager
    def tc_counters(self) -> Iterator[Observer]:
        """Attach the least accounting there is, both ways."""
        with ExitStack() as stack:
            for name, place in (
                ("count_ingress", attachment.ATTACH_TCX_INGRESS),
                ("count_egress", attachment.ATTACH_TCX_EGRESS),
            ):
                program = self.reference.programs[name]
                stack.enter_context(self.classifier(program, place, self.gateway, LAN))
            yield Observer(lambda: self.reference.packets_of(frames.SENDER))

    @contextmanager
    def classifier(
        self, program: Program, place: int, host: Namespace, interface: str
    ) -> Iterator[None]:
        """Attach a tc program."""
        index = host.index(interface)
        link = host.inside(lambda: Link.create(program, index, place))
        try:
            yield
        finally:
            link.detach()
            link.close()

    @contextmanager
    def conntrack(self) -> Iterator[Observer]:
        """Track connections and count their packets and bytes."""
        self.gateway.run("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
        self.gateway.run(
            "nft",
            "-f",
            "-",
            stdin="""
            table ip bench {
                chain track {
                    type filter hook forward priority filter;
                    ct state invalid drop
                }
            }""",
        )
        try:
            yield Observer(self._tracked)
        finally:
            self.gateway.run("nft", "delete", "table", "ip", "bench")
            self.gateway.run("conntrack", "-F")

    def _tracked(self) -> int:
        """Return the packets that the tracked connections count, from the device."""
        said = self.gateway.run("conntrack", "-L", "-p", "udp", "-s", frames.INNOCENT)
        return sum(int(line.split("packets=")[1].split()[0]) for line in said.splitlines())

    @contextmanager
    def tcpdump(self) -> Iterator[Observer]:
        """Capture headers and throw them away."""
        arguments = ("tcpdump", "-i", LAN, "-n", "-s", "96", "-w", "/dev/null", "udp or tcp")
        with self._process(*arguments) as (process, log):
            _wait(lambda: "listening" in log.read_text())
            yield Observer(lambda: _captured(process, log), (process.pid,))

    @contextmanager
    def softflowd(self) -> Iterator[Observer]:
        """Export flows to nobody."""
        control = str(self.folder / "softflowd.ctl")
        pid = str(self.folder / "softflowd.pid")
        nowhere = f"{frames.NEAR}:9"
        arguments = ("softflowd", "-d", "-i", LAN, "-c", control, "-p", pid, "-n", nowhere)

        def seen() -> int:
            said = self.gateway.run("softflowctl", "-c", control, "statistics")
            return int(said.split("Packets processed: ")[1].split()[0])

        with self._process(*arguments) as (process, _):
            _wait(lambda: _answers(seen))
            yield Observer(seen, (process.pid,))

    @contextmanager
    def pmacctd(self) -> Iterator[Observer]:
        """Account flows in memory."""
        pipe, configuration = self.folder / "pmacctd.pipe", self.folder / "pmacctd.conf"
        aggregate = "src_host, dst_host, src_port, dst_port, proto"
        configuration.write_text(
            f"pcap_interface: {LAN}\nplugins: memory\naggregate: {aggregate}\nimt_path: {pipe}\n"
        )

        def seen() -> int:
            said = self.gateway.run("pmacct", "-s", "-p", str(pipe), "-O", "json")
            rows = map(json.loads, filter(None, said.splitlines()))
            return sum(row["packets"] for row in rows if row["ip_src"] == frames.INNOCENT)

        with self._process("pmacctd", "-f", str(configuration)) as (process, _):
            _wait(lambda: _answers(seen))
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            yield Observer(seen, (process.pid, *map(int, children)))

    @contextmanager
    def _process(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        """Run a program on the gateway, and end it."""
        log = self.folder / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.gateway.argv(arguments), stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        try:
            yield process, log
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def sensor(self, *, rules: bool) -> Iterator[Observer]:
        """Run a sensor with a feed, and with no rules or with some that XDP enforces."""
        feed = self.folder / "list"
        if not feed.exists():
            blocklist.write(feed, _FEED, seed=0, host=_LISTED)

        def seen() -> int:
            devices = sensor.ask("devices")
            return sum(each["upload_packets"] for each in devices if each["mac"] == frames.SENDER)

        with running(self.gateway, LAN, self.folder / "sensor") as sensor:
            sensor.ask("feed", "bench", str(feed), "--action", "drop")
            (held,) = sensor.ask("feeds")
            if held["addresses"] < _FEED * _LEAST_LOADED:
                raise OSError(f"the feed is not in force: {held}")
            for target in TARGETS.values() if rules else ():
                sensor.ask("block", target(0))
            yield Observer(seen, (sensor.pid,))


def _answers(seen: Callable[[], int]) -> bool:
    """Return whether a program can be asked what it has seen."""
    try:
        seen()
    except OSError:
        return False
    return True


def _captured(process: subprocess.Popen[bytes], log: Path) -> int:
    """Have tcpdump say how many packets it has captured."""
    before = log.stat().st_size
    os.kill(process.pid, signal.SIGUSR1)
    _wait(lambda: log.stat().st_size > before)
    return int(re.findall(r"(\d+) packets? captured", log.read_text())[-1])


def _wait(condition: Callable[[], bool]) -> None:
    """Wait until a program that was started is ready."""
    deadline = time.monotonic() + _READY
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("a program that is to be measured does not get ready")
        time.sleep(0.02)
