"""The programs of reference.c: compiled once, their tables filled like everybody's."""

import ctypes
import os
import struct
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from bench import frames
from hearthwall_sensor.kernel import libbpf, units
from hearthwall_sensor.kernel.libbpf import Map, Program

_KINDS: Final = {
    "empty": libbpf.PROG_TYPE_XDP,
    "drop_everything": libbpf.PROG_TYPE_XDP,
    "single_hash": libbpf.PROG_TYPE_XDP,
    "naive_chain": libbpf.PROG_TYPE_XDP,
    "generate": libbpf.PROG_TYPE_XDP,
    "rotate": libbpf.PROG_TYPE_XDP,
    "count_ingress": libbpf.PROG_TYPE_SCHED_CLS,
    "count_egress": libbpf.PROG_TYPE_SCHED_CLS,
    "sink": libbpf.PROG_TYPE_SCHED_CLS,
    "rotate_source_port": libbpf.PROG_TYPE_SCHED_CLS,
    "rotate_destination_port": libbpf.PROG_TYPE_SCHED_CLS,
}


class Reference:
    """Everybody's programs but Hearthwall's."""

    def __init__(self) -> None:
        os.environ["BCC_KERNEL_SOURCE"] = str(units.SOURCES)
        from bcc import BPF  # noqa: PLC0415, --help needs no LLVM

        source = Path(__file__).with_name("reference.c").read_text()
        self._unit: Any = BPF(text=source, cflags=[f"-I{units.SOURCES}"])
        self.programs = {
            name: Program(self._unit.load_func(name, kind).fd) for name, kind in _KINDS.items()
        }

    def table(self, name: str) -> Map:
        """Return one of the maps."""
        table = self._unit[name]
        return Map(table.map_fd, ctypes.sizeof(table.Key), ctypes.sizeof(table.Leaf))

    def arrived(self) -> int:
        """Return how many packets the sink has dropped."""
        return int.from_bytes(self.table("arrived").get(bytes(4)) or b"", "little")

    def packets_of(self, mac: str) -> int:
        """Return how many packets tc's counters have seen of a device."""
        values = self.table("devices").get(bytes.fromhex(mac.replace(":", "")) + b"\0\0") or b""
        return sum(packets for _, packets in struct.iter_unpack("<QQ", values))

    def fill_rules(self, rules: int) -> None:
        """Put so many rules, the same as everybody's, into each table; their values say nothing."""
        networks = [ip_network(frames.ipv4_network(each)) for each in range(rules)]
        keys: dict[str, Iterable[bytes]] = {
            "macs": (bytes.fromhex(frames.mac(i).replace(":", "")) + b"\0\0" for i in range(rules)),
            "addresses": (ip_address(frames.ipv4(i)).packed for i in range(rules)),
            "prefixes": (
                struct.pack("<I4s", each.prefixlen, each.network_address.packed)
                for each in networks
            ),
        }
        for name, wanted in keys.items():
            table = self.table(name)
            for key in wanted:
                table.put(key, bytes(table.value_size))

    def rotate_before(self, program: Program) -> Program:
        """Return a program that runs the given one, each time on a frame of another sender."""
        self.table("rotated").put(bytes(4), program.fd.to_bytes(4, "little"))
        return self.programs["rotate"]

    def rotate_flows_before(self, program: Program, *, upload: bool) -> Program:
        """Return a program that runs the given one, each time on a frame of another of a device's 65,536 flows."""
        self.table("rotated_flows").put(bytes(4), program.fd.to_bytes(4, "little"))
        return self.programs["rotate_source_port" if upload else "rotate_destination_port"]
