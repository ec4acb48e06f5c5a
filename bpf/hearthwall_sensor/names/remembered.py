"""Answers that came in the last hour: a rule that is ordered then takes hold of them."""

from collections import OrderedDict
from collections.abc import Iterator, Set
from typing import Final, NamedTuple

from ..dissect import dns as answers

_SECOND: Final = 10**9
#: A new rule takes hold of what was resolved so long ago, as far as it is remembered.
MEMORY: Final = 3600 * _SECOND
MAX_REMEMBERED: Final = 4096
_MAX_CHAIN: Final = 512
_MAX_ADDRESSES: Final = 32

#: The kind of an answer, and its names, the one that was asked for first.
Chain = tuple[int, str]


class Resolved(NamedTuple):
    """An answer that is remembered: its addresses one after the other, when it came, and when it ends."""

    addresses: bytes
    seen: int
    expires: int

    def each(self) -> list[bytes]:
        """Return the addresses."""
        return [self.addresses[at : at + 16] for at in range(0, len(self.addresses), 16)]


class Remembered:
    """The answers by their chains of names; memory is bounded, so the oldest gives way."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._answers: OrderedDict[Chain, Resolved] = OrderedDict()
        #: How many were forgotten before their time.
        self.forgotten = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._answers)

    def __iter__(self) -> Iterator[Chain]:
        """Yield their chains, that of the oldest first."""
        return iter(self._answers)

    def add(self, answer: answers.Answer, now: int, expires: int) -> None:
        """Remember an answer."""
        chain = " ".join(answer.names)
        if len(chain) > _MAX_CHAIN:
            self.forgotten += 1
            return
        packed = b"".join(address for address, _ in answer.addresses[:_MAX_ADDRESSES])
        self._answers[answer.kind, chain] = Resolved(packed, now, expires)
        self._answers.move_to_end((answer.kind, chain))
        if len(self._answers) > MAX_REMEMBERED:
            _, oldest = self._answers.popitem(last=False)
            self.forgotten += oldest.seen + MEMORY > now

    def find(self, chain: Chain, now: int) -> Resolved | None:
        """Return an answer, None where it is too old or was forgotten."""
        known = self._answers.get(chain)
        return None if known is None or known.seen + MEMORY <= now else known

    def leading_to(self, addresses: Set[bytes]) -> list[Chain]:
        """Return the chains that led to one of these addresses."""
        return [
            chain
            for chain, known in self._answers.items()
            if not addresses.isdisjoint(known.each())
        ]

    def sweep(self, now: int) -> None:
        """Forget what is too old."""
        while self._answers and next(iter(self._answers.values())).seen + MEMORY <= now:
            self._answers.popitem(last=False)
