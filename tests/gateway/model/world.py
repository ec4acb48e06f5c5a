"""The hosts that rules and frames of one case have in common, so that they meet often."""

import ipaddress
import random
from typing import Final

from .frame import MAPPED
from .rules import Prefix

_MACS: Final = 5
#: Where what is nobody's on the internet begins and ends.
_EDGES: Final = {
    4: (
        *("9.255.255.255", "11.0.0.0", "172.15.255.255", "172.16.0.0", "172.31.255.255"),
        *("172.32.0.0", "192.167.255.255", "192.169.0.0", "100.63.255.255", "100.64.0.0"),
        *("100.127.255.255", "100.128.0.0", "169.253.255.255", "169.254.0.0", "169.255.0.0"),
        *("126.255.255.255", "128.0.0.0", "223.255.255.255", "0.255.255.255", "1.0.0.0"),
    ),
    6: ("::2", "fbff::", "fc00::", "fe00::", "fe7f::", "fe80::", "febf::", "fec0::", "feff::"),
}


class World:
    """MACs and addresses by number; those that are not well-known follow from the seed."""

    def __init__(self, seed: int) -> None:
        pick = random.Random(seed)
        self.macs = [
            bytes.fromhex("00005e0053") + bytes([number]) for number in pick.sample(range(256), 3)
        ]
        self.macs += [
            bytes([pick.randrange(128) * 2]) + pick.randbytes(5) for _ in range(_MACS - 3)
        ]
        self.group_macs = [bytes.fromhex(each) for each in ("ffffffffffff", "333300000001")]
        remote = pick.randrange(0x0B000000, 0x64000000)
        remote6 = ipaddress.IPv6Address("2a00::") + pick.getrandbits(115)
        self.addresses = {
            4: [
                *(_ipv4("192.168.20.0") + each for each in pick.sample(range(256), 2)),
                _ipv4("10.0.0.0") + pick.getrandbits(24),
                _ipv4("198.51.100.0") + pick.getrandbits(8),
                *(MAPPED | remote ^ 1 << bit for bit in (0, *pick.sample(range(1, 24), 3))),
                _ipv4("203.0.113.0") + pick.getrandbits(8),
            ],
            6: [
                *(_ipv6("2001:db8:20::") + pick.getrandbits(64) for _ in range(2)),
                _ipv6("fe80::") + pick.getrandbits(64),
                _ipv6("fd00::") + pick.getrandbits(100),
                *(int(remote6) ^ 1 << bit for bit in (0, *pick.sample(range(1, 105), 3))),
                _ipv6("2001:db8:ffff::") + pick.getrandbits(80),
            ],
        }
        self.special = {
            4: [_ipv4(each) for each in ("255.255.255.255", "224.0.0.251", "0.0.0.0", "127.0.0.1")],
            6: [_ipv6(each) for each in ("ff02::1", "ff02::1:ff00:1", "ff02::1:2", "::", "::1")],
        }
        self.special[6].append(self.addresses[4][0])  # mapped: nobody's, but anybody may write it
        self.special[4] += map(_ipv4, _EDGES[4])
        self.special[6] += map(_ipv6, _EDGES[6])
        #: What the home may have of its own, beside what is nobody's on the internet.
        self.networks = [
            Prefix.around(6, _ipv6("2001:db8:20::"), 64),
            Prefix.around(4, _ipv4("198.51.100.0"), 24),
        ]


def _ipv4(address: str) -> int:
    return MAPPED | int(ipaddress.IPv4Address(address))


def _ipv6(address: str) -> int:
    return int(ipaddress.IPv6Address(address))
