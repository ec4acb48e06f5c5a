"""Which programs are on interfaces, whosever they are."""

import contextlib
from collections.abc import Iterable, Iterator

from ..kernel.attachment import Classifier, tcx_programs, xdp_state
from ..kernel.hooks import TC_PLACES


def programs_on(interface: int) -> Iterator[int]:
    """Yield the ids of the programs on an interface, 0 for a place that is empty; raises OSError if it has gone."""
    yield xdp_state(interface)[0]
    for attach_type, point in TC_PLACES.values():
        yield Classifier(interface, point).program()
        try:
            yield from tcx_programs(interface, attach_type)
        except OSError:  # a kernel without tcx
            continue


def programs_on_all(interfaces: Iterable[int]) -> set[int]:
    """Return the ids of all programs on interfaces, of which some may have gone."""
    found: set[int] = set()
    for index in interfaces:
        with contextlib.suppress(OSError):
            found.update(programs_on(index))
    return found - {0}
