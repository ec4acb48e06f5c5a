"""What a dropped packet costs: frames over a veth, each filter with the same rules, CPU time per packet."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench import frames, netfilter, xdp_filter
from bench.figures import Figure
from bench.generator import Generator
from bench.hearthwall import Programs, attached, loaded
from bench.network import End, Namespace, cable
from bench.reference import Reference
from bench.rounds import Compared, Rounds, alternate_one
from bench.xdp_filter import RULES, XdpFilter

_XDP_FILTER_GOAL: Final = 0.95
_NFT_GOAL: Final = 0.35
#: Frames that do not reach the far end are no dropped ones; the ring may lose a few when it begins.
_LEAST_ARRIVED: Final = 0.999

#: Kind of rule → the target of the rule of a number, which sends the frames.
_SENDERS: Final = {
    "mac": frames.mac,
    "ipv4": frames.ipv4,
    "ipv4_network": frames.ipv4_network,
}

COMPARED: Final = (
    Compared("nothing in the way"),
    Compared("drop-everything XDP program"),
    Compared("mac: xdp-filter -f ethernet"),
    Compared("mac: xdp-filter -f all"),
    Compared("mac: nft netdev set"),
    Compared("mac: Hearthwall", "mac: xdp-filter -f all", _XDP_FILTER_GOAL),
    Compared("mac: Hearthwall", "mac: nft netdev set", _NFT_GOAL),
    Compared("ipv4: xdp-filter -f ipv4"),
    Compared("ipv4: xdp-filter -f all"),
    Compared("ipv4: nft netdev set"),
    Compared("ipv4: nft raw"),
    Compared("ipv4: ipset"),
    Compared("ipv4: Hearthwall", "ipv4: xdp-filter -f all", _XDP_FILTER_GOAL),
    Compared("ipv4: Hearthwall", "ipv4: nft netdev set", _NFT_GOAL),
    Compared("ipv4_network: nft netdev interval set"),
    Compared("ipv4_network: ipset hash:net"),
    Compared("ipv4_network: Hearthwall", "ipv4_network: nft netdev interval set", _NFT_GOAL),
)


class Road(NamedTuple):
    """The cable, its ends, and what is put at the far one."""

    generator: Generator
    receiver: Namespace
    interface: str
    reference: Reference
    hearthwall: Programs

    def filters(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        """Return how each contender is put in the packets' way."""
        here = (self.receiver, self.interface)
        tool = XdpFilter(self.receiver)
        ingress = f"ingress device {self.interface} priority 0"
        drop = self.reference.programs["drop_everything"]
        xdp = {
            f"{kind}: xdp-filter -f {features}": partial(tool.on, self.interface, features)
            for kind, features in (
                ("mac", "ethernet"),
                ("mac", "all"),
                ("ipv4", "ipv4"),
                ("ipv4", "all"),
            )
        }
        nft = partial(netfilter.nft, self.receiver)
        return {
            "nothing in the way": nullcontext,
            "drop-everything XDP program": partial(attached, drop, *here),
            **xdp,
            "mac: nft netdev set": partial(nft, "mac", ingress),
            "ipv4: nft netdev set": partial(nft, "ipv4", ingress),
            "ipv4: nft raw": partial(nft, "ipv4", "prerouting priority raw"),
            "ipv4: ipset": partial(netfilter.ipset, self.receiver, "ipv4"),
            "ipv4_network: nft netdev interval set": partial(nft, "ipv4_network", ingress),
            "ipv4_network: ipset hash:net": partial(netfilter.ipset, self.receiver, "ipv4_network"),
            **{
                f"{kind}: Hearthwall": partial(attached, self.hearthwall.gate, *here)
                for kind in _SENDERS
            },
        }


@contextmanager
def _road(folder: Path) -> Iterator[Road]:
    """Lay the cable."""
    with ExitStack() as stack:
        reference = Reference()
        hearthwall = stack.enter_context(loaded(folder, "drop", RULES))
        sender, receiver = Namespace("sender"), Namespace("receiver")
        interface = xdp_filter.interface("d")
        cable(End(sender, "out", frames.SENDER), End(receiver, interface, frames.RECEIVER))
        receiver.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
        receiver.ip(f"address add {frames.FAR}/24 dev {interface}")
        # It makes the receiving end poll, as a network card's driver does
        receiver.offload(interface, gro=True)
        generator = Generator(reference, sender, "out")
        stack.callback(generator.close)
        yield Road(generator, receiver, interface, reference, hearthwall)


def _nanoseconds(
    road: Road, name: str, place: Callable[[], AbstractContextManager[object]], packets: int
) -> float:
    """Return the CPU time per packet, after seeing that all arrived and a filter let none of them pass."""
    target = _SENDERS.get(name.partition(":")[0], frames.ipv4)
    road.generator.set(frames.hit(target(RULES // 2)))
    with place():
        arrived, passed = road.receiver.received(road.interface), road.receiver.delivered()
        cost = road.generator.send(packets)
        arrived = road.receiver.received(road.interface) - arrived
        passed = road.receiver.delivered() - passed
    if arrived < packets * _LEAST_ARRIVED:
        raise AssertionError(f"{name}: {arrived} of {packets} frames arrived")
    if passed and ":" in name:
        raise AssertionError(f"{name}: {passed} of {packets} frames passed")
    return cost


def measure(folder: Path, rounds: Rounds, packets: int) -> list[Figure]:
    """Return the figures of dropped packets."""
    xdp_filter.clear()
    with _road(folder) as road:
        contenders = {
            name: partial(_nanoseconds, road, name, place, packets)
            for name, place in road.filters().items()
        }
        title = "CPU per dropped packet"
        return alternate_one(title, contenders, "ns", rounds).figures(title, COMPARED)
