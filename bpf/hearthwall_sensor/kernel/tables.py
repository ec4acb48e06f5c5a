"""The kernel's open tables: put into, taken from, read; layouts.py has what their bytes are."""

import errno
import ipaddress
import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..notation import address_text, mac_bytes, mac_text, mapped
from ..protocol import Role
from ..targets import Target, TargetKind
from .compiled import shape
from .filters import Filters
from .layouts import (
    CONFIG,
    CONFIG_FIELDS,
    DEVICE,
    DEVICE_KEY,
    FEED_SLOTS,
    FLOOD,
    FLOOD_KEY,
    FLOOD_KINDS,
    GROWN,
    HOME_FAMILIES,
    IPV4_PREFIX,
    LIMIT,
    MODE_NONE,
    NETWORK,
    NEW,
    ROLE,
    RULE,
    RULE_TABLES,
    SERVICE,
    SIDES,
    SIGHTING,
    SIGHTING_KEY,
    STATISTICS,
    TABLES,
    Entry,
    Flood,
    Limit,
    PortCounters,
    Service,
    Sighting,
    entry_of,
    length_of,
    mac_key,
    rule_key,
    rule_value,
    target_of,
)
from .libbpf import Handle, Map

_MAPPED: Final = bytes(10) + b"\xff\xff"


class _Read(NamedTuple):
    """A device's entry as it was read last."""

    value: bytes
    port: tuple[str, int]
    counters: PortCounters


class Tables:
    """The open tables of one generation of kernel programs."""

    def __init__(self, directory: str) -> None:
        """Open the maps pinned in directory, of this version or an earlier one; raises OSError."""
        self._maps: dict[str, Map] = {}
        for name in TABLES:
            try:
                self._maps[name] = _opened(directory, name)
            except FileNotFoundError:
                if name not in NEW:
                    raise
        self._rules = {kind: self._maps[name] for kind, name in RULE_TABLES.items()}
        self._filters = Filters(self._maps["filters"])
        words = CONFIG.unpack(self._maps["config"].get(bytes(4)) or bytes(CONFIG.size))
        self._config: dict[str, int] = dict(zip(CONFIG_FIELDS, words, strict=True))
        #: How many devices' entries were deleted, in this process's life.
        self.devices_deleted = 0
        self._devices: dict[bytes, _Read] = {}

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
            self._maps["config"].put(bytes(4), CONFIG.pack(*self._config.values()))

    # Rules

    def put_rule(self, target: Target, entry: Entry) -> None:
        """Put a rule in force; raises SensorError `table_full`."""
        self._rules[target.kind].put(rule_key(target), rule_value(entry, length_of(target)))
        self._filters.add(target)

    def delete_rule(self, target: Target) -> None:
        """End a rule."""
        self._rules[target.kind].delete(rule_key(target))
        self._filters.remove(self._targets())

    def rule(self, target: Target) -> Entry | None:
        """Return the rule that the kernel holds on a target."""
        value = self._rules[target.kind].get(rule_key(target))
        # A table of prefixes answers with a wider one where it has not the one that was asked for.
        if value is None or RULE.unpack(value)[-2] != length_of(target):
            return None
        return entry_of(value)

    def rules(self) -> dict[Target, Entry]:
        """Return every rule on a target that the kernel holds, those that have expired too."""
        return {
            target_of(kind, key): entry_of(value)
            for kind, table in self._rules.items()
            for key, value in table.items()
        }

    def _targets(self) -> Iterator[Target]:
        """Yield the targets that have a rule."""
        for kind, table in self._rules.items():
            for key in dict(table.items()):
                yield target_of(kind, key)

    def set_sizes(self, rules: Mapping[TargetKind, int]) -> None:
        """Tell the programs how many rules each table holds: an empty one is not searched."""
        self._configure(**{kind: rules.get(kind, 0) for kind in RULE_TABLES})

    # Rules on services

    def put_service(self, service: Service, entry: Entry) -> None:
        """Put a rule on a target's service in force; the target's own entry must have FLAG_SERVICES."""
        self._maps["services"].put(SERVICE.pack(*service), rule_value(entry))

    def delete_service(self, service: Service) -> None:
        """End a rule on a service."""
        self._maps["services"].delete(SERVICE.pack(*service))

    def service(self, service: Service) -> Entry | None:
        """Return the rule that the kernel holds on a service."""
        value = self._maps["services"].get(SERVICE.pack(*service))
        return None if value is None else entry_of(value)

    def services(self) -> dict[Service, Entry]:
        """Return every rule on a service that the kernel holds."""
        return {
            Service(*SERVICE.unpack(key)): entry_of(value)
            for key, value in self._maps["services"].items()
        }

    # Rules on lists: feeds and blocked domains

    def put_list_rule(self, slot: int, entry: Entry | None) -> None:
        """Say what becomes of packets to and from the addresses of a list, None for nothing."""
        value = bytes(RULE.size) if entry is None else rule_value(entry)
        self._maps["list_rules"].put(struct.pack("<I", slot), value)

    def list_rule(self, slot: int) -> Entry | None:
        """Return a list's rule with what it has counted."""
        value = self._maps["list_rules"].get(struct.pack("<I", slot))
        entry = None if value is None else entry_of(value)
        return entry if entry is not None and entry.mode != MODE_NONE else None

    def sightings(self) -> list[Sighting]:
        """Return who of the home met which address of a feed."""
        found = []
        for key, value in self._maps["sightings"].items():
            peer, mac = SIGHTING_KEY.unpack(key)
            packets, size, first, last, near, feeds, sent = SIGHTING.unpack(value)
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
                    sent,
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

    def feeds_with(self, address: bytes) -> int:
        """Return the feeds that have an address of sixteen bytes, a bit each."""
        which = self._config["feeds"]
        if not which:
            return 0
        suffix = "ab"[which - 1]
        if address.startswith(_MAPPED):
            found = self._maps[f"feed_ipv4_{suffix}"].get(IPV4_PREFIX.pack(32, address[12:]))
        else:
            found = self._maps[f"feed_ipv6_{suffix}"].get(NETWORK.pack(128, address))
        return 0 if found is None else int.from_bytes(found, "little")

    def watch_names(self, *, resolved: bool, sample: bool) -> None:
        """Say whether addresses of blocked names are to be judged, and DNS answers to be sampled."""
        self._configure(resolved=int(resolved), sample=int(sample))

    # Limits and floods

    def put_limit(self, rule: int, limit: Limit) -> None:
        """Set the rate limit of a rule, its buckets full."""
        self._maps["limits"].put(struct.pack("<I", rule), LIMIT.pack(*limit, 0, 0, 0, 0))

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
            source, kind, side = FLOOD_KEY.unpack(key)
            _, dropped, size, first, last, address, peer = FLOOD.unpack(value)
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
        by_mac = {mac_key(mac): ROLE.pack(role) for mac, role in macs.items()}
        by_address = {
            mapped(ipaddress.ip_address(text)): ROLE.pack(role) for text, role in addresses.items()
        }
        self._filters.protect((*by_mac, *by_address))
        _replace(self._maps["never_drop_macs"], by_mac)
        _replace(self._maps["never_drop_addresses"], by_address)

    def set_home_networks(self, networks: list[str]) -> None:
        """Tell which public prefixes belong to the home; private ones do anyway."""
        wanted, families = {}, 0
        for text in networks:
            network = ipaddress.ip_network(text, strict=False)
            families |= HOME_FAMILIES[network.version]
            length = network.prefixlen + (96 if network.version == 4 else 0)
            wanted[NETWORK.pack(length, mapped(network.network_address))] = b"\1\0\0\0"
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
        key = DEVICE_KEY.pack(mac_bytes(mac), interface)
        self.devices_deleted += self._maps["devices"].delete(key)

    def forget_host(self, mac: str) -> None:
        """Forget whom of the feeds' addresses a device met, and its floods."""
        host = mac_bytes(mac)
        for key in list(self._maps["sightings"].keys()):
            if SIGHTING_KEY.unpack(key)[1] == host:
                self._maps["sightings"].delete(key)
        for key in list(self._maps["floods"].keys()):
            source, _, side = FLOOD_KEY.unpack(key)
            if SIDES[side] == "lan" and source[:6] == host:
                self._maps["floods"].delete(key)

    def devices(self) -> dict[tuple[str, int], PortCounters]:
        """Return each device's counters by MAC and interface index, summed over the CPUs.

        What did not count since the last call is the same object: most devices are silent from one second to the next.
        """
        found: dict[tuple[str, int], PortCounters] = {}
        read: dict[bytes, _Read] = {}
        stride = self._maps["devices"].stride
        for key, value in self._maps["devices"].items():
            each = self._devices.get(key)
            if each is None or each.value != value:
                mac, interface = DEVICE_KEY.unpack(key)
                each = _Read(value, (mac.hex(":"), interface), _summed(value, stride))
            read[key] = each
            found[each.port] = each.counters
        self._devices = read
        return found


def _summed(value: bytes, stride: int) -> PortCounters:
    """Return what all CPUs counted of a device on a port."""
    each = (DEVICE.unpack_from(value, at) for at in range(0, len(value), stride))
    totals = [sum(column) for column in zip(*each, strict=True)]
    # In C: upload[scope] then download[scope], each bytes and packets.
    up, down = totals[1:7], totals[7:13]
    scopes = tuple((up[i], up[i + 1], down[i], down[i + 1]) for i in range(0, 6, 2))
    return PortCounters(totals[0], scopes)


def _opened(directory: str, name: str) -> Map:
    """Open a pinned map; raises OSError, also where it is not as this version knows it."""
    key, value, per_cpu = TABLES[name]
    handle = Handle.pinned(f"{directory}/{name}")
    held = shape(handle.fd)
    if held.key_size != key or (held.value_size != value and name not in GROWN):
        handle.close()
        raise OSError(errno.EINVAL, f"{name} is of another version")
    return Map(handle.fd, key, held.value_size, per_cpu=per_cpu)


def _replace(table: Map, wanted: Mapping[bytes, bytes]) -> None:
    """Make a table hold just wanted, adding before removing."""
    for key, value in wanted.items():
        table.put(key, value)
    for key in list(table.keys()):
        if key not in wanted:
            table.delete(key)
