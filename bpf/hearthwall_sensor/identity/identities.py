"""Who a device is: the addresses, names and DHCP habits that it showed, kept by its MAC.

Nobody vouches for what packets say, so a host may only name itself: a claim counts for the MAC that
the frame came from. MACs have six bytes here and addresses sixteen, as packets hold them.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from ..dissect import nd
from ..dissect.dhcp import BY_SERVERS, Lease
from ..notation import address_text, mac_bytes, mapped
from ..protocol import Fingerprint

#: More MACs than any home has: a flood of invented ones pushes out itself.
MAX_IDENTITIES: Final = 1024
#: Addresses of one device; those that were not seen for the longest time go.
MAX_ADDRESSES: Final = 64
#: Of a MAC that has not stayed for long there are not so many.
_MAX_OF_STRANGER: Final = 8
_SETTLED: Final = 300.0
#: How many go at once when there are too many: looking who must go takes a while.
_BATCH: Final = 64
#: An address that its device has not used for so long, while it used others, is its no more.
_STALE: Final = 86_400.0
#: An address that was claimed in so many words is not taken away by mere traffic for this long.
_CLAIM_HOLDS: Final = 3600.0
#: Addresses that were found to be nobody's here, remembered to spare looking again.
_MAX_FOREIGN: Final = 4096
_MAX_NAME: Final = 64
_MAX_OPTIONS: Final = 64

HostnameSource = Literal["mdns", "dhcp", "upnp"]
#: Where a hostname comes from, the strongest first.
SOURCES: Final[tuple[HostnameSource, ...]] = ("mdns", "dhcp", "upnp")

#: Letters that show nothing: Hangul's fillers and Braille's blank.
_BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_NO_MAC: Final = bytes(6)
_IPV4: Final = bytes(10) + b"\xff\xff"
_UNSPECIFIED: Final = (bytes(16), _IPV4 + bytes(4))


class Known(NamedTuple):
    """What is known of a device beside its traffic, as the protocol tells it."""

    addresses: tuple[str, ...] = ()
    hostname: str | None = None
    vendor: str | None = None
    fingerprint: Fingerprint | None = None
    name: str | None = None


@dataclass(slots=True)
class Sighting:
    """An address of a device: when it was seen last (epoch), and whether the device claimed it or only used it."""

    last_seen: float
    claimed: bool


@dataclass(slots=True)
class Identity:
    """One MAC's."""

    mac: str
    first_seen: float
    last_seen: float
    addresses: dict[bytes, Sighting] = field(default_factory=dict)
    hostnames: dict[HostnameSource, str] = field(default_factory=dict)
    options: tuple[int, ...] = ()
    vendor_class: str | None = None
    mud_url: str | None = None
    """Where it says that it is described; not kept on disk, since it says so with each lease."""
    saved: bool = False

    @property
    def hostname(self) -> str | None:
        """The name of the strongest source."""
        return next((self.hostnames[each] for each in SOURCES if each in self.hostnames), None)

    @property
    def fingerprint(self) -> Fingerprint | None:
        """How it asks for an address, None if that was not seen."""
        if not self.options and self.vendor_class is None:
            return None
        return Fingerprint(self.options, self.vendor_class)

    @property
    def is_settled(self) -> bool:
        """Whether it has been there for a while."""
        return self.last_seen - self.first_seen > _SETTLED

    def current(self) -> list[bytes]:
        """Return the addresses that it still has."""
        newest = max((each.last_seen for each in self.addresses.values()), default=0.0)
        return [
            address for address, each in self.addresses.items() if newest - each.last_seen <= _STALE
        ]


def cleaned(text: str) -> str | None:
    """Return what a device calls itself, fit to be shown: one line, printable, bounded; None if nothing is left."""
    # isprintable is false for controls, for what turns the direction of writing, and for odd spaces.
    printable = "".join(
        each if each.isprintable() and each not in _BLANKS else " "
        for each in text[: 16 * _MAX_NAME]
    )
    return " ".join(printable.split())[:_MAX_NAME].rstrip() or None


class Identities:
    """What is known of each MAC, in bounded memory."""

    def __init__(
        self,
        is_home: Callable[[str], bool],
        known: Iterable[Identity] = (),
        *,
        keep: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Take what tells addresses of the home, what was kept on disk, and which MACs must not be forgotten.

        Only addresses of the home are a device's: behind the MAC of a router is the whole internet.
        """
        self._is_home = is_home
        self._keep = keep
        self._known: dict[str, Identity] = {each.mac: each for each in known}
        self._owners: dict[bytes, str] = {}
        self._foreign: set[bytes] = set()
        self._neighbours: dict[tuple[str, str], None] = {}
        self._changed: set[str] = set()
        #: How many were forgotten because there were too many.
        self.evicted = 0
        for each in self._known.values():
            self._take_over(each)

    def _take_over(self, identity: Identity) -> None:
        """Take over the addresses of what was kept on disk: one that two had is whose it was last."""
        for address, seen in list(identity.addresses.items()):
            owner = self._known.get(self._owners.get(address, ""))
            if owner is not None and owner.addresses[address].last_seen >= seen.last_seen:
                del identity.addresses[address]
                continue
            if owner is not None:
                del owner.addresses[address]
            self._owners[address] = identity.mac

    # What packets say

    def take_arp(self, mac: bytes, address: bytes, now: float) -> None:
        """Learn that a MAC claims an address by ARP; now is in seconds since the epoch."""
        self._claim(mac, address, now)

    def take_nd(self, mac: bytes, source: bytes, message: nd.Message, now: float) -> None:
        """Learn from neighbour discovery; source is the packet's source address."""
        if message.kind == nd.REDIRECT or message.mac not in (None, mac):
            return  # it speaks of or for somebody else
        if source not in _UNSPECIFIED:
            self._claim(mac, source, now)
        is_own = message.kind == nd.NEIGHBOUR_ADVERTISEMENT or (
            message.kind == nd.NEIGHBOUR_SOLICITATION and source in _UNSPECIFIED
        )
        if is_own and message.address is not None:
            self._claim(mac, message.address, now)

    def take_traffic(self, mac: bytes, address: bytes, now: float) -> None:
        """Learn that a MAC sends from an address."""
        self._claim(mac, address, now, claimed=False)

    def take_dhcp(self, lease: Lease, sender: bytes, now: float) -> None:
        """Learn from what a DHCP client says in its own frame."""
        if lease.mac != sender and (lease.mac is not None or lease.kind in BY_SERVERS):
            return  # a server or a relay, or a client that may be somebody else
        identity = self._identity(sender, now)
        if identity is None:
            return
        for address in lease.given_up:
            if self._owners.get(address) == identity.mac:
                self._take_away(address)
        for address in lease.addresses:
            # It asks for an address, and may not get it: nobody else's is taken away by that.
            if address not in self._owners:
                self._claim(sender, address, now, claimed=False)
        if lease.hostname is not None:
            self._set_hostname(identity, "dhcp", lease.hostname)
        if _is_fingerprint(lease):
            self._set_fingerprint(identity, lease)
        if lease.mud_url is not None:
            identity.mud_url = lease.mud_url

    def take_mdns(
        self, mac: bytes, source: bytes, announced: Iterable[tuple[str, bytes]], now: float
    ) -> None:
        """Learn from the names that a host announces by multicast DNS or LLMNR, each with an address of its own.

        It has the address that it speaks from; what else it says is whose must be so already.
        """
        self._claim(mac, source, now, claimed=False)
        identity = self._known.get(mac.hex(":"))
        for name, address in announced:
            if identity is not None and self._owners.get(address) == identity.mac:
                self._set_hostname(identity, "mdns", name.removesuffix(".local"))
                return

    def take_upnp(self, mac: bytes, friendly_name: str) -> None:
        """Learn what a device calls itself by UPnP; one of which nothing else is known yet will say it again."""
        identity = self._known.get(mac.hex(":"))
        if identity is not None:
            self._set_hostname(identity, "upnp", friendly_name)

    def take_neighbours(self, found: Mapping[str, Iterable[str]], now: float) -> None:
        """Learn from this host's own neighbour tables: MAC → addresses. Only what is new there counts as seen now."""
        before = self._neighbours
        self._neighbours = dict.fromkeys(
            (mac, address) for mac, addresses in found.items() for address in addresses
        )
        self._foreign.clear()  # what is home may have changed with them
        for mac, address in self._neighbours:
            if (mac, address) not in before:
                self._claim(
                    mac_bytes(mac), mapped(ipaddress.ip_address(address.partition("%")[0])), now
                )

    # What is remembered

    def _identity(self, mac: bytes, now: float) -> Identity | None:
        """Return the entry of a MAC that was seen now, made if need be; None for what is no device's."""
        if mac == _NO_MAC or mac[0] & 1:
            return None
        text = mac.hex(":")
        identity = self._known.get(text)
        if identity is None:
            self._make_room()
            identity = self._known[text] = Identity(text, now, now)
        identity.last_seen = max(identity.last_seen, now)
        return identity

    def _claim(self, mac: bytes, address: bytes, now: float, *, claimed: bool = True) -> None:
        """Give an address to a MAC, unless it is none of the home's or somebody else's in so many words."""
        identity = self._known.get(mac.hex(":"))
        seen = None if identity is None else identity.addresses.get(address)
        if identity is not None and seen is not None:
            identity.last_seen = max(identity.last_seen, now)
            seen.last_seen = max(seen.last_seen, now)
            seen.claimed = seen.claimed or claimed
            return
        if not self._is_of_home(address) or not self._gives_way(address, now, claimed=claimed):
            return
        identity = self._identity(mac, now)
        if identity is None:
            return
        self._take_away(address)
        identity.addresses[address] = Sighting(now, claimed)
        self._owners[address] = identity.mac
        most = MAX_ADDRESSES if identity.is_settled else _MAX_OF_STRANGER
        while len(identity.addresses) > most:
            oldest = min(
                identity.addresses, key=lambda each: (identity.addresses[each].last_seen, each)
            )
            del identity.addresses[oldest], self._owners[oldest]
        self._note(identity)

    def _is_of_home(self, address: bytes) -> bool:
        """Return whether a single host of the home may have an address."""
        if address in self._foreign:
            return False
        parsed = ipaddress.IPv6Address(address)
        host = parsed.ipv4_mapped or parsed
        nobody = host.is_multicast or host.is_unspecified or host.is_loopback
        nobody = nobody or (host.version == 4 and int(host) >> 24 in (0, 255))
        if not nobody and self._is_home(str(host)):
            return True
        if len(self._foreign) >= _MAX_FOREIGN:
            self._foreign.clear()
        self._foreign.add(address)
        return False

    def _gives_way(self, address: bytes, now: float, *, claimed: bool) -> bool:
        """Return whether an address may go to somebody else: a router forwards what other MACs have claimed."""
        owner = self._known.get(self._owners.get(address, ""))
        if owner is None or claimed:
            return True
        held = owner.addresses[address]
        return not held.claimed or now - held.last_seen > _CLAIM_HOLDS

    def _take_away(self, address: bytes) -> None:
        """Take an address from whoever has it."""
        owner = self._known.get(self._owners.pop(address, ""))
        if owner is not None:
            owner.addresses.pop(address, None)
            self._note(owner)

    def _set_hostname(self, identity: Identity, source: HostnameSource, text: str) -> None:
        """Keep a name, and tell if it is the one that is shown."""
        name = cleaned(text)
        if name is None or identity.hostnames.get(source) == name:
            return
        identity.hostnames[source] = name
        self._note(identity)

    def _set_fingerprint(self, identity: Identity, lease: Lease) -> None:
        """Keep how a device asks for an address."""
        options = tuple(lease.options[:_MAX_OPTIONS]) or identity.options
        vendor_class = cleaned(lease.vendor_class or "") or identity.vendor_class
        if (options, vendor_class) != (identity.options, identity.vendor_class):
            identity.options, identity.vendor_class = options, vendor_class
            self._note(identity)

    def _note(self, identity: Identity) -> None:
        """Note that what is told of a MAC has changed."""
        identity.saved = False
        self._changed.add(identity.mac)

    def _make_room(self) -> None:
        """Forget strangers where there are too many, those that were silent for the longest time first."""
        if len(self._known) < MAX_IDENTITIES:
            return
        kept = self._keep()
        candidates = [each for each in self._known.values() if each.mac not in kept]
        candidates.sort(key=lambda each: (each.is_settled, each.last_seen))
        for each in candidates[:_BATCH]:
            self.forget(each.mac)
            self.evicted += 1

    def forget(self, mac: str) -> None:
        """Forget all that is known of a MAC."""
        identity = self._known.pop(mac, None)
        if identity is not None:
            for address in identity.addresses:
                self._owners.pop(address, None)
        self._changed.discard(mac)
        # Else what this host's tables hold of it would be no news.
        self._neighbours = {key: None for key in self._neighbours if key[0] != mac}

    # What is told

    def drain(self) -> set[str]:
        """Return the MACs of which something else is to be told than at the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def unsaved(self) -> list[Identity]:
        """Return those that changed since they were saved."""
        return [each for each in self._known.values() if not each.saved]

    def known(self, *macs: str) -> Known:
        """Return what is known of a device by all of its MACs, the one that stands for it at the head."""
        found = [each for mac in macs if (each := self._known.get(mac)) is not None]
        addresses = sorted({each for identity in found for each in identity.current()}, key=_order)
        return Known(
            addresses=tuple(map(address_text, addresses)),
            hostname=next((each.hostname for each in found if each.hostname), None),
            fingerprint=next((each.fingerprint for each in found if each.fingerprint), None),
        )

    def addresses(self, macs: Iterable[str]) -> frozenset[bytes]:
        """Return all addresses that are remembered of a device, those of old too, by all of its MACs."""
        known = filter(None, map(self._known.get, macs))
        return frozenset(address for each in known for address in each.addresses)

    def mud_url(self, macs: Iterable[str]) -> str | None:
        """Return where a device says that it is described, by any of its MACs."""
        known = filter(None, map(self._known.get, macs))
        return next((each.mud_url for each in known if each.mud_url is not None), None)

    def owner(self, address: bytes) -> str | None:
        """Return the MAC that has an address."""
        return self._owners.get(address)


def _is_fingerprint(lease: Lease) -> bool:
    """Return whether a message tells options 55 and 60: DHCP's, since DHCPv6's have numbers of their own."""
    is_request = lease.kind == "request" and any(map(_is_ipv4, lease.addresses))
    told = bool(lease.options) or lease.vendor_class is not None
    return told and (is_request or lease.kind in {"discover", "inform"})


def _is_ipv4(address: bytes) -> bool:
    """Return whether sixteen bytes are an IPv4 address."""
    return address[:12] == _IPV4


def _order(address: bytes) -> tuple[bool, bool, bytes]:
    """Sort key: IPv4 first, link-local last, number."""
    is_ipv4 = _is_ipv4(address)
    is_link_local = address[12:14] == b"\xa9\xfe" if is_ipv4 else address[:2] == b"\xfe\x80"
    return not is_ipv4, is_link_local, address
