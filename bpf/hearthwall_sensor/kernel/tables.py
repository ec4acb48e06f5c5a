"""The kernel's tables in Python: the layouts of tables.h, and nothing of what they mean."""

import ipaddress
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..protocol import Allowance, Mode, Target, TargetKind
from .libbpf import Map

#: Sizes of the tables. A home of 250 devices fills a sixteenth of them; together they take about 8 MB.
LIMITS: Final = {
    "MAX_RULES": 16384,
    "MAX_PROTECTED": 1024,
    "MAX_NETWORKS": 256,
    "MAX_DEVICES": 4096,
}

MODES: Final[Mapping[Mode, int]] = {"isolate": 1, "no_internet": 2}
ALLOWANCES: Final[Mapping[Allowance, int]] = {"addressing": 1, "dns": 2, "home_assistant": 4}
STATISTICS: Final = (
    "dropped_gate",
    "dropped_ingress",
    "dropped_egress",
    "devices_created",
    "devices_refused",
)

ROLE_SELF: Final = 1
ROLE_GATEWAY: Final = 2
ROLE_HOME_ASSISTANT: Final = 4
ROLE_OPERATOR: Final = 8
#: Why a target is protected, in a person's words; the first that fits is said.
ROLES: Final[Mapping[int, str]] = {
    ROLE_SELF: "this gateway itself",
    ROLE_GATEWAY: "the default gateway",
    ROLE_HOME_ASSISTANT: "Home Assistant",
    ROLE_OPERATOR: "the host that is logged in here",
}

_CONFIG = struct.Struct("<IIII")
_RULE = struct.Struct("<QQQQQIBBH")
_DEVICE = struct.Struct("<Q12Q")
_DEVICE_KEY = struct.Struct("<6s2xI")
_ROLE = struct.Struct("<I")
_NETWORK = struct.Struct("<I16s")

#: name → (key size, value size, per CPU), as tables.h declares them.
TABLES: Final[Mapping[str, tuple[int, int, bool]]] = {
    "config": (4, _CONFIG.size, False),
    "statistics": (4, 8, True),
    "mac_rules": (8, _RULE.size, False),
    "ipv4_rules": (4, _RULE.size, False),
    "ipv6_rules": (16, _RULE.size, False),
    "never_drop_macs": (8, _ROLE.size, False),
    "never_drop_addresses": (16, _ROLE.size, False),
    "home_networks": (_NETWORK.size, 4, False),
    "devices": (_DEVICE_KEY.size, _DEVICE.size, True),
}


def boot_ns() -> int:
    """Return the kernel programs' clock: nanoseconds since boot, suspend included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def mac_bytes(mac: str) -> bytes:
    """Return a MAC as the key that the kernel's tables use."""
    return bytes.fromhex(mac.replace(":", "")) + b"\0\0"


def mac_text(key: bytes) -> str:
    """Return the MAC at the beginning of a key."""
    return key[:6].hex(":")


def mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    """Return sixteen bytes for both families, IPv4 as ::ffff:a.b.c.d."""
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


class Counters(NamedTuple):
    """What a rule's entry in the kernel has counted; times are nanoseconds since boot, 0 for none."""

    packets: int = 0
    bytes: int = 0
    first_hit: int = 0
    last_hit: int = 0


class Entry(NamedTuple):
    """A rule as the kernel holds it."""

    id: int
    mode: int
    allow: int
    expires: int
    counters: Counters


@dataclass(slots=True)
class PortCounters:
    """What one device did on one port: per scope (upload bytes, upload packets, download bytes, download packets)."""

    created: int
    scopes: tuple[tuple[int, int, int, int], ...]


class Tables:
    """The open tables of one generation of kernel programs."""

    def __init__(self, directory: str) -> None:
        """Open the maps pinned in directory; raises OSError."""
        self._maps: dict[str, Map] = {}
        for name, (key, value, per_cpu) in TABLES.items():
            handle = Map.pinned(f"{directory}/{name}", key, value)
            self._maps[name] = Map(handle.fd, key, value, per_cpu=per_cpu)
        self._rules: dict[TargetKind, Map] = {
            "mac": self._maps["mac_rules"],
            "ipv4": self._maps["ipv4_rules"],
            "ipv6": self._maps["ipv6_rules"],
        }
        self._networks = len(self._maps["home_networks"].items())
        #: How many devices' entries were deleted, in this process's life.
        self.devices_deleted = 0

    def close(self) -> None:
        """Let go of the maps."""
        for each in self._maps.values():
            each.close()

    # Rules

    @staticmethod
    def _rule_key(target: Target) -> bytes:
        """Return a target's key in its table."""
        return (
            mac_bytes(target.value)
            if target.kind == "mac"
            else ipaddress.ip_address(target.value).packed
        )

    def put_rule(self, target: Target, entry: Entry) -> None:
        """Put a rule in force; raises SensorError `table_full`."""
        packets, size, first, last = entry.counters
        value = _RULE.pack(
            entry.expires, packets, size, first, last, entry.id, entry.mode, entry.allow, 0
        )
        self._rules[target.kind].put(self._rule_key(target), value)

    def delete_rule(self, target: Target) -> None:
        """End a rule."""
        self._rules[target.kind].delete(self._rule_key(target))

    def rule(self, target: Target) -> Entry | None:
        """Return the rule that the kernel holds on a target."""
        value = self._rules[target.kind].get(self._rule_key(target))
        return None if value is None else _entry(value)

    def rules(self) -> dict[Target, Entry]:
        """Return every rule that the kernel holds, those that have expired too."""
        found = {}
        for kind, table in self._rules.items():
            for key, value in table.items():
                target = Target(
                    kind, mac_text(key) if kind == "mac" else str(ipaddress.ip_address(key))
                )
                found[target] = _entry(value)
        return found

    def set_sizes(self, rules: Mapping[TargetKind, int]) -> None:
        """Tell the programs how many rules each table holds: an empty one is not searched."""
        sizes = (rules.get("mac", 0), rules.get("ipv4", 0), rules.get("ipv6", 0), self._networks)
        self._maps["config"].put(b"\0" * 4, _CONFIG.pack(*sizes))

    def sizes(self) -> dict[TargetKind, int]:
        """Return how many rules the programs believe each table to hold."""
        mac, ipv4, ipv6, _ = _CONFIG.unpack(
            self._maps["config"].get(b"\0" * 4) or bytes(_CONFIG.size)
        )
        return {"mac": mac, "ipv4": ipv4, "ipv6": ipv6}

    # What is never dropped, and what is home

    def set_protected(self, macs: Mapping[str, int], addresses: Mapping[str, int]) -> None:
        """Make the never-drop set what these say (role bits by MAC and by address)."""
        _replace(
            self._maps["never_drop_macs"],
            {mac_bytes(mac): _ROLE.pack(role) for mac, role in macs.items()},
        )
        _replace(
            self._maps["never_drop_addresses"],
            {
                mapped(ipaddress.ip_address(text)): _ROLE.pack(role)
                for text, role in addresses.items()
            },
        )

    def set_home_networks(self, networks: list[str]) -> None:
        """Tell which public prefixes belong to the home; private ones do anyway."""
        wanted = {}
        for text in networks:
            network = ipaddress.ip_network(text, strict=False)
            length = network.prefixlen + (96 if network.version == 4 else 0)
            wanted[_NETWORK.pack(length, mapped(network.network_address))] = b"\1\0\0\0"
        _replace(self._maps["home_networks"], wanted)
        self._networks = len(wanted)
        self.set_sizes(self.sizes())

    # Counters

    def statistics(self) -> dict[str, int]:
        """Return the programs' own counters by name."""
        table = self._maps["statistics"]
        values = (table.get(struct.pack("<I", i)) or b"" for i in range(len(STATISTICS)))
        return {
            name: sum(each for (each,) in struct.iter_unpack("<Q", value))
            for name, value in zip(STATISTICS, values, strict=True)
        }

    def delete_device(self, mac: str, interface: int) -> None:
        """Forget what one device did on one port."""
        key = _DEVICE_KEY.pack(bytes.fromhex(mac.replace(":", "")), interface)
        self.devices_deleted += self._maps["devices"].delete(key)

    def devices(self) -> dict[tuple[str, int], PortCounters]:
        """Return each device's counters by MAC and interface index, summed over the CPUs."""
        found = {}
        for key, value in self._maps["devices"].items():
            mac, interface = _DEVICE_KEY.unpack(key)
            totals = [sum(column) for column in zip(*_DEVICE.iter_unpack(value), strict=True)]
            # In C: upload[scope] then download[scope], each bytes and packets.
            up, down = totals[1:7], totals[7:13]
            scopes = tuple((up[i], up[i + 1], down[i], down[i + 1]) for i in range(0, 6, 2))
            found[mac.hex(":"), interface] = PortCounters(totals[0], scopes)
        return found


def _entry(value: bytes) -> Entry:
    """Return what a rule's bytes mean."""
    expires, packets, size, first, last, identity, mode, allow, _ = _RULE.unpack(value)
    return Entry(identity, mode, allow, expires, Counters(packets, size, first, last))


def _replace(table: Map, wanted: Mapping[bytes, bytes]) -> None:
    """Make a table hold just wanted, adding before removing."""
    for key, value in wanted.items():
        table.put(key, value)
    for key in list(table.keys()):
        if key not in wanted:
            table.delete(key)
