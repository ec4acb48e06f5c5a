"""What Hearthwall has on an interface: two programs in tc and one in XDP, each attached in the way that was chosen.

Everything here may be said again at any time: what is in place already is left as it is.
"""

import contextlib
import errno
import socket
from collections.abc import Mapping
from typing import Final, Literal

from . import attachment
from .attachment import Classifier, PinnedLink, xdp_state
from .libbpf import Program
from .ownership import OwnPrograms
from .pins import Pins, link_name

TcWay = Literal["tcx", "clsact"]
XdpWay = Literal["link", "netlink", "off"]
TC_WAYS: Final[tuple[TcWay, ...]] = ("tcx", "clsact")
XDP_WAYS: Final[tuple[XdpWay, ...]] = ("link", "netlink", "off")

#: Place → (tcx attach type, clsact attach point).
TC_PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "ingress": (attachment.ATTACH_TCX_INGRESS, attachment.TC_INGRESS),
    "egress": (attachment.ATTACH_TCX_EGRESS, attachment.TC_EGRESS),
}
XDP_PLACE: Final = "gate"

_XDP_FLAGS: Final = {
    "native": attachment.XDP_FLAGS_DRV_MODE,
    "generic": attachment.XDP_FLAGS_SKB_MODE,
}
_OCCUPIED: Final = (errno.EBUSY, errno.EEXIST)


def probe_tc() -> TcWay:
    """Return the better way into tc that this kernel has."""
    return "tcx" if attachment.probe_tcx() else "clsact"


def probe_xdp() -> XdpWay:
    """Return the better way into XDP that this kernel has."""
    return "link" if attachment.probe_xdp_link() else "netlink"


class Meters:
    """A sensor's programs in tc."""

    def __init__(self, pins: Pins, way: TcWay, own: OwnPrograms) -> None:
        """Take where links are pinned, how programs are attached, and which are this sensor's."""
        self._pins = pins
        self.way: Final = way
        self._own = own

    def keep(self, interface: int, programs: Mapping[str, Program]) -> None:
        """Have these programs, by place, on an interface, and none of ours in the other way; raises OSError."""
        for place, program in programs.items():
            link, classifier = self._places(interface, place)
            used, other = (link, classifier) if self.way == "tcx" else (classifier, link)
            if used.program() != program.id:
                used.attach(program)
                if classifier.made_qdisc:
                    self._pins.note_qdisc(interface)
            if other.program() in self._own:
                other.detach()

    def clear(self, interface: int) -> None:
        """Take this sensor's programs off an interface, which may have gone."""
        for place in TC_PLACES:
            link, classifier = self._places(interface, place)
            link.detach()
            if classifier.program() in self._own:
                classifier.detach()

    def _places(self, interface: int, place: str) -> tuple[PinnedLink, Classifier]:
        """Return one place in both ways."""
        attach_type, attach_point = TC_PLACES[place]
        path = self._pins.links / link_name(interface, place)
        return PinnedLink(path, interface, attach_type), Classifier(interface, attach_point)


class Gates:
    """A sensor's programs in XDP."""

    def __init__(self, pins: Pins, way: XdpWay, own: OwnPrograms) -> None:
        """Take where links are pinned, how programs are attached, and which are this sensor's."""
        self._pins = pins
        self.way: Final = way
        self._own = own

    def keep(self, interface: int, program: Program) -> str:
        """Have a program on an interface, natively where the driver can and else generically; return how it is.

        That is `native`, `generic`, `foreign` where somebody else's program holds the place, or
        `unavailable`. Raises OSError for an interface that has gone.
        """
        present, mode = xdp_state(interface)
        by_link = self._link(interface).program() != 0
        if present == program.id and by_link == (self.way == "link"):
            return mode
        if present and present not in self._own:
            return "foreign"
        if present and by_link != (self.way == "link"):
            self.clear(interface)  # tc drops in the meantime
            present = 0
        return self._put(interface, program, present, mode)

    def _put(self, interface: int, program: Program, present: int, mode: str) -> str:
        """Attach a program, or put it in the place of one of ours that is present in this mode."""
        for each in (mode,) if present else _XDP_FLAGS:
            try:
                if self.way == "link":
                    self._link(interface, _XDP_FLAGS[each]).attach(program)
                elif present:
                    with self._own.opened(present) as old:
                        attachment.replace_xdp(interface, program, _XDP_FLAGS[each], old)
                else:
                    attachment.set_xdp(interface, program, _XDP_FLAGS[each])
            except OSError as error:
                if error.errno in _OCCUPIED:
                    return "foreign"
            else:
                return each
        socket.if_indextoname(interface)  # raises if the reason is that it has gone
        return "unavailable"

    def clear(self, interface: int) -> None:
        """Take this sensor's program off an interface, which may have gone, and nobody else's."""
        self._link(interface).detach()
        with contextlib.suppress(OSError):  # it has gone, or another has taken the place by now
            present, mode = xdp_state(interface)
            if present in self._own:
                with self._own.opened(present) as old:
                    attachment.clear_xdp(interface, old, _XDP_FLAGS[mode])

    def _link(self, interface: int, flags: int = 0) -> PinnedLink:
        """Return the place of the link."""
        path = self._pins.links / link_name(interface, XDP_PLACE)
        return PinnedLink(path, interface, attachment.ATTACH_XDP, flags)
