"""Bytes that nobody vouches for: random ones, and valid messages that were changed; and how they are taken."""

import gc
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from hypothesis import strategies as st

from hearthwall_sensor.dissect import signatures

#: Seconds of the processor for one call: a thousand times what a usual message takes, on a busy machine too.
MAX_TIME = 0.1
#: What all conversations have in common.
_SHARED = {id(signatures.TCP), id(signatures.UDP)}


def soon[**P, R](function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function, which must be done soon."""
    started = time.process_time()
    result = function(*args, **kwargs)
    assert time.process_time() - started < MAX_TIME
    return result


def _change(data: bytes, change: tuple[str, int, int, bytes]) -> bytes:
    """Return bytes with one change made to them."""
    kind, at, size, new = change
    at %= len(data) + 1
    match kind:
        case "replace":
            return data[:at] + new + data[at + len(new) :]
        case "insert":
            return data[:at] + new + data[at:]
        case "remove":
            return data[:at] + data[at + size :]
        case "repeat":
            return data[:at] + data[at : at + size] * 3 + data[at + size :]
        case _:
            return data[:at]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("replace", "replace", "insert", "remove", "repeat", "cut")),
        st.integers(0, 4095),
        st.integers(1, 64),
        st.one_of(
            st.binary(min_size=1, max_size=8),
            st.sampled_from((b"\0", b"\xff", b"\xff\xff", b"\0\0", b"\xc0\x0c", b"\x80", b"\r\n")),
        ),
    ),
    min_size=1,
    max_size=6,
)


def changed(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy for valid messages with a few changes."""

    def change(data: bytes, changes: Iterable[tuple[str, int, int, bytes]]) -> bytes:
        for each in changes:
            data = _change(data, each)
        return data[:9000]

    return st.builds(change, st.sampled_from(valid), CHANGES)


def hostile(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy for anything: random bytes, changed messages, and random bytes behind a valid beginning."""
    return st.one_of(
        st.binary(max_size=1472),
        changed(valid),
        st.builds(
            lambda data, size, rest: data[:size] + rest,
            st.sampled_from(valid),
            st.integers(0, 300),
            st.binary(max_size=600),
        ),
    )


@st.composite
def pieces(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Draw where a stream of this size is cut: from and to, overlapping, twice, in any order, and complete."""
    cuts = draw(st.lists(st.integers(0, size), max_size=14, unique=True))
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < size), size]
    found = [
        (max(0, start - draw(st.integers(0, 40))), end) for start, end in itertools.pairwise(edges)
    ]
    found += draw(st.lists(st.sampled_from(found), max_size=3))
    return draw(st.permutations(found))


def held(thing: Any) -> int:
    """Return the bytes of everything that only this thing keeps in memory."""
    seen: dict[int, Any] = {}
    waiting = [thing]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, (type, ModuleType, FunctionType)):
            continue
        seen[id(each)] = each
        waiting += (other for other in gc.get_referents(each) if id(other) not in _SHARED)
    return sum(sys.getsizeof(each) for each in seen.values())
