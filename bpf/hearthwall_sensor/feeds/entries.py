"""What a list says: prefixes as numbers, names as keyed hashes, and what was not understood or not taken."""

import hashlib
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

from ..protocol import SensorError
from ..targets import SHORTEST_PREFIX

#: As much as one list may hold; more is no list for a home.
MAX_PREFIXES: Final = 1_000_000
MAX_NAMES: Final = 2_000_000
MAX_EXAMPLES: Final = 5
_EXAMPLE_CHARACTERS: Final = 80

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.ASCII)

#: Names that mean something in the home, with all below them: RFC 6761, 6762, 8375, and what routers use.
HOME_NAMES: Final = (
    "localhost",
    "localdomain",
    "local",
    "lan",
    "home",
    "internal",
    "intranet",
    "private",
    "fritz.box",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
)
_BELOW_HOME_NAMES: Final = tuple(f".{name}" for name in HOME_NAMES)

#: A prefix as one number that sorts a prefix before those within it: address, then eight bits of length.
Prefix = int

_LENGTHS: Final = {str(length): length for length in range(129)}
_IPV4_MASKS: Final = tuple((1 << 32) - (1 << 32 - length) for length in range(33))
_MAPPED: Final = bytes(10) + b"\xff\xff"

NameHash = Callable[[str], int]


def name_hash(key: bytes) -> NameHash:
    """Return the hash under which names are kept: `=name` for the name itself, `.name` for all below it too.

    It is keyed so that nobody can write a list whose hashes hit names that it does not show.
    """

    def digest(name: str) -> int:
        return int.from_bytes(
            hashlib.blake2b(name.encode("ascii"), digest_size=8, key=key).digest(), "little"
        )

    return digest


def canonical_name(text: str) -> str | None:
    """Return a domain in lower case and ASCII, or None for what is no domain."""
    name = text.lower().removesuffix(".")
    if len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return name if len(name) <= 253 and _NAME.fullmatch(name) else None


def prefix_text(prefix: Prefix, bits: int) -> str:
    """Return a prefix as people write it; a single address without its length."""
    address, length = prefix >> 8, prefix & 255
    family = AF_INET if bits == 32 else AF_INET6
    text = inet_ntop(family, address.to_bytes(bits // 8, "big"))
    return text if length == bits else f"{text}/{length}"


def parse_prefix(text: str) -> tuple[int, Prefix] | None:
    """Return the family's bits and the prefix, or None; bits of the host are cleared.

    An IPv4 address that is written as an IPv6 one is an IPv4 address.
    """
    address, slash, length = text.partition("/")
    if ":" in address:
        return _parse_ipv6(address, _LENGTHS.get(length, -1) if slash else 128)
    size = _LENGTHS.get(length, -1) if slash else 32
    if not SHORTEST_PREFIX[4] <= size <= 32:
        return None
    try:
        packed = inet_pton(AF_INET, address)
    except (OSError, ValueError):
        return None
    return 32, (int.from_bytes(packed, "big") & _IPV4_MASKS[size]) << 8 | size


def _parse_ipv6(address: str, size: int) -> tuple[int, Prefix] | None:
    """Return what `parse_prefix` does, for an address with colons."""
    if not SHORTEST_PREFIX[6] <= size <= 128:
        return None
    try:
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        return None
    if size >= 96 and packed.startswith(_MAPPED):
        return parse_prefix(f"{inet_ntop(AF_INET, packed[12:])}/{size - 96}")
    host_bits = 128 - size
    return 128, (int.from_bytes(packed, "big") >> host_bits << host_bits) << 8 | size


@dataclass(slots=True)
class Examples:
    """A count, exact, and a few of those that were counted, fit to be shown."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, text: str, number: int = 1) -> None:
        """Count and, while there is room, keep; nothing in it can mean something to a terminal."""
        self.count += number
        if len(self.shown) < MAX_EXAMPLES:
            cut = text[:_EXAMPLE_CHARACTERS]
            self.shown.append("".join(each if each.isprintable() else "?" for each in cut))


class Entries:
    """The entries of one list."""

    def __init__(self, digest: NameHash) -> None:
        """Take the hash for names."""
        self.ipv4: array[int] = array("Q")
        self.ipv6: list[Prefix] = []
        self.names: array[int] = array("Q")
        self.invalid = Examples()
        #: Names that the list may not block; prefixes are subtracted later, as the home then is.
        self.refused = Examples()
        self._digest = digest

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.ipv4) + len(self.ipv6) + len(self.names)

    def prefix(self, text: str) -> bool:
        """Take an address or a prefix; return whether it is one."""
        found = parse_prefix(text)
        if found is None:
            return False
        bits, prefix = found
        (self.ipv4 if bits == 32 else self.ipv6).append(prefix)
        if len(self.ipv4) + len(self.ipv6) > MAX_PREFIXES:
            raise SensorError("feed_failed", f"the list has more than {MAX_PREFIXES:,} addresses")
        return True

    def name(self, text: str, *, below: bool) -> bool:
        """Take a domain, with those below it or without; return whether it is one."""
        name = canonical_name(text)
        if name is None:
            return False
        if "." not in name or name in HOME_NAMES or name.endswith(_BELOW_HOME_NAMES):
            kind = "a top-level domain" if "." not in name else "a name of the home"
            self.refused.add(f"{name}: {'a name of the home' if name in HOME_NAMES else kind}")
            return True
        self.names.append(self._digest(f".{name}" if below else f"={name}"))
        if len(self.names) > MAX_NAMES:
            raise SensorError("feed_failed", f"the list has more than {MAX_NAMES:,} domains")
        return True

    def sort(self) -> None:
        """Bring the entries into order, each once."""
        self.ipv4 = array("Q", sorted(set(self.ipv4)))
        self.ipv6 = sorted(set(self.ipv6))
        self.names = array("Q", sorted(set(self.names)))
