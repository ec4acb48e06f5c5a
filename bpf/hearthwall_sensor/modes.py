"""The words that rules are ordered in, and what each mode of a rule needs, takes and is for."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Mode = Literal["isolate", "no_internet", "allow_only", "rate_limit", "audit", "redirect"]
#: What each mode of a rule does, in a person's words.
MODES: Final[Mapping[Mode, str]] = {
    "isolate": "nothing passes but what the rule allows",
    "no_internet": "the home stays reachable, the internet does not",
    "allow_only": "nothing passes but to and from the named peers, and what the rule allows",
    "rate_limit": "no more passes than so many bytes or packets a second, each way",
    "audit": "everything passes; what another mode would drop is counted",
    "redirect": "what would be dropped goes out of another interface instead",
}
#: The modes that `audit` can count for.
AUDITABLE: Final[tuple[Mode, ...]] = ("isolate", "no_internet", "allow_only")

Transport = Literal["tcp", "udp", "icmp"]
TRANSPORTS: Final[tuple[Transport, ...]] = typing.get_args(Transport)

Direction = Literal["any", "from_lan", "to_lan", "from_wan"]
#: Where a rule looks, in a person's words.
DIRECTIONS: Final[Mapping[Direction, str]] = {
    "any": "everywhere",
    "from_lan": "what enters the gateway from the home",
    "to_lan": "what leaves the gateway towards the home",
    "from_wan": "what enters the gateway from the internet's side, where that is guarded too",
}

Allowance = Literal["addressing", "dns", "home_assistant"]
#: What a rule may let through, in a person's words.
ALLOWANCES: Final[Mapping[Allowance, str]] = {
    "addressing": "ARP, neighbour discovery and DHCP as a client",
    "dns": "DNS to a server in the home",
    "home_assistant": "Home Assistant",
}

#: The fields of an order that belong to some modes only, with what they say.
FIELDS: Final[Mapping[str, str]] = {
    "peers": "whom the target may talk to",
    "bytes_per_second": "how many bytes may pass in a second, each way",
    "packets_per_second": "how many packets may pass in a second, each way",
    "redirect_to": "the interface where packets go instead",
    "audits": "the mode whose drops are counted",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order in one mode may say: its own `FIELDS`, one of which it `needs`, and whom it is for."""

    allow: tuple[Allowance, ...] = ("addressing",)
    fields: tuple[str, ...] = ()
    needs: bool = True
    home_only: bool = False
    domains: bool = False
    processes: bool = False


#: `audit` takes the fields of the mode that it counts for as well, and is for the same targets.
TERMS: Final[Mapping[Mode, Terms]] = {
    "isolate": Terms(domains=True, processes=True),
    "no_internet": Terms(home_only=True),
    "allow_only": Terms(
        allow=("addressing", "dns"), fields=("peers",), home_only=True, processes=True
    ),
    "rate_limit": Terms(fields=("bytes_per_second", "packets_per_second")),
    "audit": Terms(fields=("audits",), needs=False, domains=True, processes=True),
    "redirect": Terms(fields=("redirect_to",)),
}

MAX_PEERS: Final = 256
#: Bounds of a rate limit; the lower ones still let a device hold a connection.
MIN_BYTES_PER_SECOND: Final = 1_000
MAX_BYTES_PER_SECOND: Final = 12_500_000_000
MIN_PACKETS_PER_SECOND: Final = 1
MAX_PACKETS_PER_SECOND: Final = 100_000_000
