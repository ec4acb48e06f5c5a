"""The layouts of tables.h in Python, and nothing of what they mean."""

import ipaddress
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..flows.flow import COUNTED, KEY
from ..modes import Allowance, Direction, Mode, Transport
from ..notation import mac_bytes, mac_text
from ..protocol import Role
from ..targets import Target, TargetKind
from .filters import FILTER_BYTES

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
    "ANSWER_PAGES": 32,
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
    "answers_lost",
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

CONFIG = struct.Struct("<16I")
#: The fields of `struct config`, in its order.
CONFIG_FIELDS: Final = (
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
HOME_FAMILIES: Final = {4: 1, 6: 2}
RULE = struct.Struct("<QQQQQIIIBBBBB3xI")
SERVICE = struct.Struct("<IBxH")
LIMIT = struct.Struct("<7Q")
FLOOD_KEY = struct.Struct("<16sBBxx")
FLOOD = struct.Struct("<QQQQQ16s16s")
SIGHTING_KEY = struct.Struct("<16s6s2x")
SIGHTING = struct.Struct("<QQQQ16sII")
#: `struct device`, without what bounds its samples.
DEVICE = struct.Struct("<Q12Q")
DEVICE_BYTES: Final = DEVICE.size + 8
DEVICE_KEY = struct.Struct("<6s2xI")
ROLE = struct.Struct("<I")
IPV4_PREFIX = struct.Struct("<I4s")
NETWORK = struct.Struct("<I16s")

#: name → (key size, value size, per CPU), as tables.h declares them; a ring buffer has neither.
TABLES: Final[Mapping[str, tuple[int, int, bool]]] = {
    "config": (4, CONFIG.size, False),
    "filters": (4, FILTER_BYTES, False),
    "statistics": (4, 8, True),
    "mac_rules": (8, RULE.size, False),
    "ipv4_rules": (4, RULE.size, False),
    "ipv6_rules": (16, RULE.size, False),
    "ipv4_prefixes": (IPV4_PREFIX.size, RULE.size, False),
    "ipv6_prefixes": (NETWORK.size, RULE.size, False),
    "services": (SERVICE.size, RULE.size, False),
    "limits": (4, LIMIT.size, False),
    "peers": (24, 8, False),
    "list_rules": (4, RULE.size, False),
    "resolved": (16, 16, False),
    "sightings": (SIGHTING_KEY.size, SIGHTING.size, False),
    "feed_ipv4_a": (IPV4_PREFIX.size, 4, False),
    "feed_ipv4_b": (IPV4_PREFIX.size, 4, False),
    "feed_ipv6_a": (NETWORK.size, 4, False),
    "feed_ipv6_b": (NETWORK.size, 4, False),
    "feed_index": (4, 32, False),
    "feed_index6": (4, 32, False),
    "never_drop_macs": (8, ROLE.size, False),
    "never_drop_addresses": (16, ROLE.size, False),
    "home_networks": (NETWORK.size, 4, False),
    "floods": (FLOOD_KEY.size, FLOOD.size, False),
    "vlans": (8, 4, False),
    "devices": (DEVICE_KEY.size, DEVICE_BYTES, True),
    "flows": (KEY.size, COUNTED.size, False),
    "samples": (0, 0, False),
    "answers": (0, 0, False),
    "gate_steps": (4, 4, False),
    "meter_steps": (4, 4, False),
}
#: What programs of an earlier version have not, or shorter. The flows that they counted end with them.
NEW: Final = ("flows", "answers")
GROWN: Final = ("devices",)
#: Kind of target → table of rules.
RULE_TABLES: Final[Mapping[TargetKind, str]] = {
    "mac": "mac_rules",
    "ipv4": "ipv4_rules",
    "ipv6": "ipv6_rules",
    "ipv4_network": "ipv4_prefixes",
    "ipv6_network": "ipv6_prefixes",
}


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
    sent: int
    """Of the packets, those to the peer, modulo 2^32."""


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


def mac_key(mac: str) -> bytes:
    """Return the key that a MAC has in the tables of rules and of who is never dropped."""
    return mac_bytes(mac) + b"\0\0"


def rule_key(target: Target) -> bytes:
    """Return a target's key in its table."""
    if target.kind == "mac":
        return mac_key(target.value)
    if target.kind in ("ipv4", "ipv6"):
        return ipaddress.ip_address(target.value).packed
    network = ipaddress.ip_network(target.value)
    return struct.pack("<I", network.prefixlen) + network.network_address.packed


def target_of(kind: TargetKind, key: bytes) -> Target:
    """Return the target that a key in its table means."""
    if kind == "mac":
        return Target(kind, mac_text(key))
    if kind in ("ipv4", "ipv6"):
        return Target(kind, str(ipaddress.ip_address(key)))
    return Target(kind, f"{ipaddress.ip_address(key[4:])}/{int.from_bytes(key[:4], 'little')}")


def length_of(target: Target) -> int:
    """Return a prefix's length, 0 for other targets."""
    return int(target.value.split("/")[1]) if target.kind.endswith("_network") else 0


def rule_value(entry: Entry, prefix_length: int = 0) -> bytes:
    """Return a rule's bytes."""
    packets, size, first, last = entry.counters
    return RULE.pack(
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


def entry_of(value: bytes) -> Entry:
    """Return what a rule's bytes mean."""
    expires, *counters, identity, subject, interface, mode, allow, flags, hooks = RULE.unpack(
        value
    )[:-2]
    return Entry(
        identity, mode, allow, expires, Counters(*counters), flags, hooks, subject, interface
    )
