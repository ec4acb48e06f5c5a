"""The kernel's tables in Python: the layouts of tables.h, and nothing of what they mean."""

import errno
import ipaddress
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..flows.flow import COUNTED, KEY
from ..modes import Allowance, Direction, Mode, Transport
from ..protocol import Role
from ..targets import Target, TargetKind
from .compiled import shape
from .filters import FILTER_BYTES, Filters
from .libbpf import Handle, Map

#: Sizes of the tables. Those that can be large take memory only for what is in them.
LIMITS: Final = {
    "MAX_RULES": 16384,
    "MAX_SERVICES": 4096,
    "MAX_LIMITS": 1024,
    "MAX_PEERS": 16384,
    "MAX_LISTS": 1056,
    "MAX_RESOLVED": 65536,
    "MAX_SIGHTINGS": 4096,
    "MAX_PREFIXES": 524288,
    "MAX_PROTECTED": 1024,
    "MAX_NETWORKS": 256,
    "MAX_FLOODS": 8192,
    "MAX_VLANS": 256,
    "MAX_DEVICES": 4096,
    # 65,536 of them and the free places that each CPU keeps for itself
    "MAX_FLOWS": 65536 + 8192,
    "SAMPLE_PAGES": 128,
}

#: The modes that the kernel knows; `audit` is any of them with FLAG_AUDIT.
MODES: Final[Mapping[Mode, int]] = {
    "isolate": 1,
    "no_internet": 2,
    "allow_only": 3,
    "rate_limit": 4,
    "redirect": 5,
}
MODE_NONE: Final = 0
FLAG_AUDIT: Final = 1
FLAG_SERVICES: Final = 2
#: Hooks where a rule looks, by the protocol's word for it.
HOOKS: Final[Mapping[Direction, int]] = {"any": 15, "from_lan": 1, "to_lan": 2, "from_wan": 4}
TRANSPORTS: Final[Mapping[Transport, int]] = {"tcp": 6, "udp": 17, "icmp": 1}
ALLOWANCES: Final[Mapping[Allowance, int]] = {"addressing": 1, "dns": 2, "home_assistant": 4}
#: Rules on prefixes that may lie in one another: the programs ask no more of them.
MAX_NESTED: Final = 4
#: The first slots of the table of lists belong to feeds, the others to blocked domains.
FEED_SLOTS: Final = 32
STATISTICS: Final = (
    "dropped_gate",
    "dropped_ingress",
    "dropped_egress",
    "dropped_wan",
    "dropped_flood",
    "redirected",
    "devices_created",
    "devices_refused",
    "samples_lost",
    "listed",
    "flows_created",
    "samples_limited",
)
SIDES: Final[tuple[Role, ...]] = ("lan", "wan")
FLOOD_KINDS: Final = ("syn", "udp", "icmp")

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

_CONFIG = struct.Struct("<16I")
#: The fields of `struct config`, in its order.
_CONFIG_FIELDS: Final = (
    "mac",
    "ipv4",
    "ipv6",
    "ipv4_network",
    "ipv6_network",
    "home_networks",
    "resolved",
    "feeds",
    "sample",
    *(f"flood_{side}_{kind}" for side in SIDES for kind in FLOOD_KINDS),
    "zero",
)
#: IP version → HOME_IPV4 and HOME_IPV6.
_HOME_FAMILIES: Final = {4: 1, 6: 2}
_RULE = struct.Struct("<QQQQQIIIBBBBB3xI")
_SERVICE = struct.Struct("<IBxH")
_LIMIT = struct.Struct("<7Q")
_FLOOD_KEY = struct.Struct("<16sBBxx")
_FLOOD = struct.Struct("<QQQQQ16s16s")
_SIGHTING_KEY = struct.Struct("<16s6s2x")
_SIGHTING = struct.Struct("<QQQQ16sI4x")
#: `struct device`, without what bounds its samples.
_DEVICE = struct.Struct("<Q12Q")
_DEVICE_BYTES: Final = _DEVICE.size + 8
_DEVICE_KEY = struct.Struct("<6s2xI")
_ROLE = struct.Struct("<I")
_IPV4_PREFIX = struct.Struct("<I4s")
_NETWORK = struct.Struct("<I16s")

#: name → (key size, value size, per CPU), as tables.h declares them; a ring buffer has neither.
TABLES: Final[Mapping[str, tuple[int, int, bool]]] = {
    "config": (4, _CONFIG.size, False),
    "filters": (4, FILTER_BYTES, False),
    "statistics": (4, 8, True),
    "mac_rules": (8, _RULE.size, False),
    "ipv4_rules": (4, _RULE.size, False),
    "ipv6_rules": (16, _RULE.size, False),
    "ipv4_prefixes": (_IPV4_PREFIX.size, _RULE.size, False),
    "ipv6_prefixes": (_NETWORK.size, _RULE.size, False),
    "services": (_SERVICE.size, _RULE.size, False),
    "limits": (4, _LIMIT.size, False),
    "peers": (24, 8, False),
    "list_rules": (4, _RULE.size, False),
    "resolved": (16, 16, False),
    "sightings": (_SIGHTING_KEY.size, _SIGHTING.size, False),
    "feed_ipv4_a": (_IPV4_PREFIX.size, 4, False),
    "feed_ipv4_b": (_IPV4_PREFIX.size, 4, False),
    "feed_ipv6_a": (_NETWORK.size, 4, False),
    "feed_ipv6_b": (_NETWORK.size, 4, False),
    "feed_index": (4, 32, False),
    "feed_index6": (4, 32, False),
    "never_drop_macs": (8, _ROLE.size, False),
    "never_drop_addresses": (16, _ROLE.size, False),
    "home_networks": (_NETWORK.size, 4, False),
    "floods": (_FLOOD_KEY.size, _FLOOD.size, False),
    "vlans": (8, 4, False),
    "devices": (_DEVICE_KEY.size, _DEVICE_BYTES, True),
    "flows": (KEY.size, COUNTED.size, False),
    "samples": (0, 0, False),
    "gate_steps": (4, 4, False),
    "meter_steps": (4, 4, False),
}
#: What programs of an earlier version have not, or shorter. The flows that they counted end with them.
_NEW: Final = ("flows",)
_GROWN: Final = ("devices",)
#: Kind of target → table of rules.
_RULE_TABLES: Final[Mapping[TargetKind, str]] = {
    "mac": "mac_rules",
    "ipv4": "ipv4_rules",
    "ipv6": "ipv6_rules",
    "ipv4_network": "ipv4_prefixes",
    "ipv6_network": "ipv6_prefixes",
}


def boot_ns() -> int:
    """Return the kernel programs' clock: nanoseconds since boot, suspend included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def epoch(nanoseconds: int | None) -> float | None:
    """Return a time since boot as seconds since the epoch, by the clock as it stands now."""
    if nanoseconds is None:
        return None
    return round(time.time() + (nanoseconds - boot_ns()) / 1e9, 3)


def mac_bytes(mac: str) -> bytes:
    """Return a MAC as the key that the kernel's tables use."""
    return bytes.fromhex(mac.replace(":", "")) + b"\0\0"


def mac_text(key: bytes) -> str:
    """Return the MAC at the beginning of a key."""
    return key[:6].hex(":")


def address_text(key: bytes) -> str:
    """Return the address that sixteen bytes mean."""
    address = ipaddress.IPv6Address(key)
    return str(address.ipv4_mapped or address)


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
    flags: int = 0
    hooks: int = 15
    subject: int = 0
    interface: int = 0


class Service(NamedTuple):
    """What a rule on a service looks at: a target's number, an IP protocol and a port, 0 for any."""

    subject: int
    transport: int
    port: int


class Limit(NamedTuple):
    """A rate limit: nanoseconds per 1024 bytes and per packet (0 for no limit), and of burst."""

    byte_cost: int
    packet_cost: int
    tolerance: int


class Sighting(NamedTuple):
    """Who of the home met an address of some feeds; times are nanoseconds since boot."""

    slots: tuple[int, ...]
    mac: str | None
    address: str
    peer: str
    packets: int
    bytes: int
    first: int
    last: int


class Flood(NamedTuple):
    """A source whose packets were dropped above its threshold; times are nanoseconds since boot."""

    side: Role
    kind: str
    mac: str | None
    address: str
    peer: str
    dropped: int
    bytes: int
    first_drop: int
    last_drop: int


@dataclass(slots=True)
class PortCounters:
    """What one device did on one port: per scope (upload bytes, upload packets, download bytes, download packets)."""

    created: int
    scopes: tuple[tuple[int, int, int, int], ...]


class Tables:
    """The open tables of one generation of kernel programs."""

    def __init__(self, directory: str) -> None:
        """Open the maps pinned in directory, of this version or an earlier one; raises OSError."""
        self._maps: dict[str, Map] = {}
        for name in TABLES:
            try:
                self._maps[name] = _opened(directory, name)
            except FileNotFoundError:
                if name not in _NEW:
                    raise
        self._rules = {kind: self._maps[name] for kind, name in _RULE_TABLES.items()}
        self._filters = Filters(self._maps["filters"])
        words = _CONFIG.unpack(self._maps["config"].get(bytes(4)) or bytes(_CONFIG.size))
        self._config: dict[str, int] = dict(zip(_CONFIG_FIELDS, words, strict=True))
        #: How many devices' entries were deleted, in this process's life.
        self.devices_deleted = 0

    def close(self) -> None:
        """Let go of the maps."""
        for each in self._maps.values():
            each.close()

    def map(self, name: str) -> Map:
        """Return one table, for a part of the sensor that has it to itself."""
        return self._maps[name]

    def _configure(self, **words: int) -> None:
        """Change fields of the programs' configuration."""
        if any(self._config[name] != word for name, word in words.items()):
            self._config |= words
            self._maps["config"].put(bytes(4), _CONFIG.pack(*self._config.values()))

    # Rules

    def put_rule(self, target: Target, entry: Entry) -> None:
        """Put a rule in force; raises SensorError `table_full`."""
        self._rules[target.kind].put(_rule_key(target), _rule_value(entry, _length_of(target)))
        self._filters.add(target)

    def delete_rule(self, target: Target) -> None:
        """End a rule."""
        self._rules[target.kind].delete(_rule_key(target))
        self._filters.remove(self._targets())

    def rule(self, target: Target) -> Entry | None:
        """Return the rule that the kernel holds on a target."""
        value = self._rules[target.kind].get(_rule_key(target))
        # A table of prefixes answers with a wider one where it has not the one that was asked for.
        if value is None or _RULE.unpack(value)[-2] != _length_of(target):
            return None
        return _entry(value)

    def rules(self) -> dict[Target, Entry]:
        """Return every rule on a target that the kernel holds, those that have expired too."""
        return {
            _target(kind, key): _entry(value)
            for kind, table in self._rules.items()
            for key, value in table.items()
        }

    def _targets(self) -> Iterator[Target]:
        """Yield the targets that have a rule."""
        for kind, table in self._rules.items():
            for key in dict(table.items()):
                yield _target(kind, key)

    def set_sizes(self, rules: Mapping[TargetKind, int]) -> None:
        """Tell the programs how many rules each table holds: an empty one is not searched."""
        self._configure(**{kind: rules.get(kind, 0) for kind in _RULE_TABLES})

    # Rules on services

    def put_service(self, service: Service, entry: Entry) -> None:
        """Put a rule on a target's service in force; the target's own entry must have FLAG_SERVICES."""
        self._maps["services"].put(_SERVICE.pack(*service), _rule_value(entry))

    def delete_service(self, service: Service) -> None:
        """End a rule on a service."""
        self._maps["services"].delete(_SERVICE.pack(*service))

    def service(self, service: Service) -> Entry | None:
        """Return the rule that the kernel holds on a service."""
        value = self._maps["services"].get(_SERVICE.pack(*service))
        return None if value is None else _entry(value)

    def services(self) -> dict[Service, Entry]:
        """Return every rule on a service that the kernel holds."""
        return {
            Service(*_SERVICE.unpack(key)): _entry(value)
            for key, value in self._maps["services"].items()
        }

    # Rules on lists: feeds and blocked domains

    def put_list_rule(self, slot: int, entry: Entry | None) -> None:
        """Say what becomes of packets to and from the addresses of a list, None for nothing."""
        value = bytes(_RULE.size) if entry is None else _rule_value(entry)
        self._maps["list_rules"].put(struct.pack("<I", slot), value)

    def list_rule(self, slot: int) -> Entry | None:
        """Return a list's rule with what it has counted."""
        value = self._maps["list_rules"].get(struct.pack("<I", slot))
        entry = None if value is None else _entry(value)
        return entry if entry is not None and entry.mode != MODE_NONE else None

    def sightings(self) -> list[Sighting]:
        """Return who of the home met which address of a feed."""
        found = []
        for key, value in self._maps["sightings"].items():
            peer, mac = _SIGHTING_KEY.unpack(key)
            packets, size, first, last, near, feeds = _SIGHTING.unpack(value)
            found.append(
                Sighting(
                    tuple(slot for slot in range(FEED_SLOTS) if feeds >> slot & 1),
                    mac_text(mac) if any(mac) else None,
                    address_text(near),
                    address_text(peer),
                    packets,
                    size,
                    first,
                    last,
                )
            )
        return found

    def set_feeds(self, which: int) -> None:
        """Choose the pair of tries that is in force: 0 for none, 1 for a, 2 for b."""
        self._configure(feeds=which)

    @property
    def feeds(self) -> int:
        """Which pair of tries is in force."""
        return self._config["feeds"]

    def watch_names(self, *, resolved: bool, sample: bool) -> None:
        """Say whether addresses of blocked names are to be judged, and DNS answers to be sampled."""
        self._configure(resolved=int(resolved), sample=int(sample))

    # Limits and floods

    def put_limit(self, rule: int, limit: Limit) -> None:
        """Set the rate limit of a rule, its buckets full."""
        self._maps["limits"].put(struct.pack("<I", rule), _LIMIT.pack(*limit, 0, 0, 0, 0))

    def delete_limit(self, rule: int) -> None:
        """Forget a rule's rate limit."""
        self._maps["limits"].delete(struct.pack("<I", rule))

    def set_flood_thresholds(self, thresholds: Mapping[tuple[Role, str], int]) -> None:
        """Set the packets per second that a source may send, by side and kind; 0 for no limit."""
        self._configure(
            **{
                f"flood_{side}_{kind}": 10**9 // limit
                if (limit := thresholds.get((side, kind), 0))
                else 0
                for side in SIDES
                for kind in FLOOD_KINDS
            }
        )

    def floods(self) -> list[Flood]:
        """Return the sources whose packets were dropped above their threshold."""
        found = []
        for key, value in self._maps["floods"].items():
            source, kind, side = _FLOOD_KEY.unpack(key)
            _, dropped, size, first, last, address, peer = _FLOOD.unpack(value)
            if dropped:
                mac = mac_text(source) if SIDES[side] == "lan" else None
                found.append(
                    Flood(
                        SIDES[side],
                        FLOOD_KINDS[kind],
                        mac,
                        address_text(address),
                        address_text(peer),
                        dropped,
                        size,
                        first,
                        last,
                    )
                )
        return found

    # What is never dropped, and what is home

    def set_protected(self, macs: Mapping[str, int], addresses: Mapping[str, int]) -> None:
        """Make the never-drop set what these say (role bits by MAC and by address)."""
        by_mac = {mac_bytes(mac): _ROLE.pack(role) for mac, role in macs.items()}
        by_address = {
            mapped(ipaddress.ip_address(text)): _ROLE.pack(role) for text, role in addresses.items()
        }
        self._filters.protect((*by_mac, *by_address))
        _replace(self._maps["never_drop_macs"], by_mac)
        _replace(self._maps["never_drop_addresses"], by_address)

    def set_home_networks(self, networks: list[str]) -> None:
        """Tell which public prefixes belong to the home; private ones do anyway."""
        wanted, families = {}, 0
        for text in networks:
            network = ipaddress.ip_network(text, strict=False)
            families |= _HOME_FAMILIES[network.version]
            length = network.prefixlen + (96 if network.version == 4 else 0)
            wanted[_NETWORK.pack(length, mapped(network.network_address))] = b"\1\0\0\0"
        _replace(self._maps["home_networks"], wanted)
        self._configure(home_networks=families)

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

    def forget_host(self, mac: str) -> None:
        """Forget whom of the feeds' addresses a device met, and its floods."""
        host = bytes.fromhex(mac.replace(":", ""))
        for key in list(self._maps["sightings"].keys()):
            if _SIGHTING_KEY.unpack(key)[1] == host:
                self._maps["sightings"].delete(key)
        for key in list(self._maps["floods"].keys()):
            source, _, side = _FLOOD_KEY.unpack(key)
            if SIDES[side] == "lan" and source[:6] == host:
                self._maps["floods"].delete(key)

    def devices(self) -> dict[tuple[str, int], PortCounters]:
        """Return each device's counters by MAC and interface index, summed over the CPUs."""
        found, stride = {}, self._maps["devices"].stride
        for key, value in self._maps["devices"].items():
            mac, interface = _DEVICE_KEY.unpack(key)
            each = (_DEVICE.unpack_from(value, at) for at in range(0, len(value), stride))
            totals = [sum(column) for column in zip(*each, strict=True)]
            # In C: upload[scope] then download[scope], each bytes and packets.
            up, down = totals[1:7], totals[7:13]
            scopes = tuple((up[i], up[i + 1], down[i], down[i + 1]) for i in range(0, 6, 2))
            found[mac.hex(":"), interface] = PortCounters(totals[0], scopes)
        return found


def _opened(directory: str, name: str) -> Map:
    """Open a pinned map; raises OSError, also where it is not as this version knows it."""
    key, value, per_cpu = TABLES[name]
    handle = Handle.pinned(f"{directory}/{name}")
    held = shape(handle.fd)
    if held.key_size != key or (held.value_size != value and name not in _GROWN):
        handle.close()
        raise OSError(errno.EINVAL, f"{name} is of another version")
    return Map(handle.fd, key, held.value_size, per_cpu=per_cpu)


def _rule_key(target: Target) -> bytes:
    """Return a target's key in its table."""
    if target.kind == "mac":
        return mac_bytes(target.value)
    if target.kind in ("ipv4", "ipv6"):
        return ipaddress.ip_address(target.value).packed
    network = ipaddress.ip_network(target.value)
    return struct.pack("<I", network.prefixlen) + network.network_address.packed


def _target(kind: TargetKind, key: bytes) -> Target:
    """Return the target that a key in its table means."""
    if kind == "mac":
        return Target(kind, mac_text(key))
    if kind in ("ipv4", "ipv6"):
        return Target(kind, str(ipaddress.ip_address(key)))
    return Target(kind, f"{ipaddress.ip_address(key[4:])}/{int.from_bytes(key[:4], 'little')}")


def _length_of(target: Target) -> int:
    """Return a prefix's length, 0 for other targets."""
    return int(target.value.split("/")[1]) if target.kind.endswith("_network") else 0


def _rule_value(entry: Entry, prefix_length: int = 0) -> bytes:
    """Return a rule's bytes."""
    packets, size, first, last = entry.counters
    return _RULE.pack(
        entry.expires,
        packets,
        size,
        first,
        last,
        entry.id,
        entry.subject,
        entry.interface,
        entry.mode,
        entry.allow,
        entry.flags,
        entry.hooks,
        prefix_length,
        0,
    )


def _entry(value: bytes) -> Entry:
    """Return what a rule's bytes mean."""
    expires, *counters, identity, subject, interface, mode, allow, flags, hooks = _RULE.unpack(
        value
    )[:-2]
    return Entry(
        identity, mode, allow, expires, Counters(*counters), flags, hooks, subject, interface
    )


def _replace(table: Map, wanted: Mapping[bytes, bytes]) -> None:
    """Make a table hold just wanted, adding before removing."""
    for key, value in wanted.items():
        table.put(key, value)
    for key in list(table.keys()):
        if key not in wanted:
            table.delete(key)
