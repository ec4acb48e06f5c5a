"""Which interfaces take XDP natively, asked of the kernel's netdev family (Linux 6.3) without attaching anything."""

from collections.abc import Iterable
from typing import Any, Final

from pyroute2.netlink import NLM_F_REQUEST, genlmsg
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.generic import GenericNetlinkSocket

_DEV_GET: Final = 1
_XDP_BASIC: Final = 1


class _Device(genlmsg):  # type: ignore[misc]
    """A netdev message, from linux/netdev.h."""

    nla_map = (
        (1, "NETDEV_A_DEV_IFINDEX", "uint32"),
        (2, "NETDEV_A_DEV_PAD", "none"),
        (3, "NETDEV_A_DEV_XDP_FEATURES", "uint64"),
    )


def native_xdp(interfaces: Iterable[int]) -> dict[int, bool]:
    """Return, by interface index, whether the driver takes XDP; empty where the kernel does not tell."""
    channel: Any = GenericNetlinkSocket()
    try:
        channel.bind("netdev", _Device)
        return {each: _features(channel, each) & _XDP_BASIC != 0 for each in interfaces}
    except (NetlinkError, OSError):  # no such family, or the interface has gone
        return {}
    finally:
        channel.close()


def _features(channel: Any, interface: int) -> int:
    """Return an interface's XDP feature bits."""
    request = _Device()
    request["cmd"], request["version"] = _DEV_GET, 1
    request["attrs"] = [("NETDEV_A_DEV_IFINDEX", interface)]
    answers = channel.nlm_request(request, msg_type=channel.prid, msg_flags=NLM_F_REQUEST)
    return sum(each.get_attr("NETDEV_A_DEV_XDP_FEATURES") or 0 for each in answers)
