"""Programs of others on an interface: they are left alone, and told of."""

import functools
from collections.abc import Container, Iterator
from typing import Any, Final

from ..kernel.attachment import Classifier, tcx_programs, xdp_state
from ..kernel.hooks import TC_PLACES
from ..kernel.libbpf import Program
from .netlink import IPRoute, NetlinkError

#: Place → what netlink calls a clsact qdisc's list of filters.
PARENTS: Final = {"ingress": 0xFFFFFFF2, "egress": 0xFFFFFFF3}


def foreign(interface: int, own: Container[int]) -> tuple[str, ...]:
    """Return the programs on an interface that are not among `own`, such as `xdp 12 (name)`; none if it has gone."""
    try:
        found = {*_xdp(interface, own), *_tcx(interface, own), *_filters(interface, own)}
    except (OSError, NetlinkError):
        return ()
    return tuple(sorted(found))


def _xdp(interface: int, own: Container[int]) -> Iterator[str]:
    """Yield a foreign XDP program."""
    program, _ = xdp_state(interface)
    if program and program not in own:
        yield f"xdp {_named(program)}"


def _tcx(interface: int, own: Container[int]) -> Iterator[str]:
    """Yield foreign programs in tcx."""
    for place, (attach_type, _) in TC_PLACES.items():
        try:
            programs = tcx_programs(interface, attach_type)
        except OSError:  # a kernel without tcx
            return
        yield from (f"tcx {place} {_named(each)}" for each in programs if each not in own)


def _filters(interface: int, own: Container[int]) -> Iterator[str]:
    """Yield foreign filters on the clsact qdisc, programs or not."""
    with IPRoute() as route:
        for place, (_, attach_point) in TC_PLACES.items():
            ours = Classifier(interface, attach_point).program() in own
            for each in route.get_filters(index=interface, parent=PARENTS[place]):
                priority = each["info"] >> 16
                # The head of a list has no handle of its own.
                if each["handle"] and not (ours and priority == Classifier.PRIORITY):
                    yield f"tc {place} {filter_name(each)}"


def has_filters(interface: int) -> bool:
    """Return whether anybody has a filter on an interface's clsact qdisc; raises NetlinkError if it has gone."""
    with IPRoute() as route:
        return any(
            each["handle"]
            for parent in PARENTS.values()
            for each in route.get_filters(index=interface, parent=parent)
        )


def filter_name(message: Any) -> str:
    """Return what a filter calls itself."""
    options = message.get_attr("TCA_OPTIONS")
    name = options.get_attr("TCA_BPF_NAME") if hasattr(options, "get_attr") else None
    return str(name or message.get_attr("TCA_KIND"))


@functools.lru_cache(maxsize=256)
def _named(program: int) -> str:
    """Return a program's id with its name, which the kernel tells only with CAP_SYS_ADMIN."""
    try:
        handle = Program.by_id(program)
    except OSError:
        return str(program)
    try:
        return f"{program} ({handle.name})"
    finally:
        handle.close()
