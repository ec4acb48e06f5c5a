"""What a sink says while it is at work: how much its receiver has taken, and that it answers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Progress:
    """How far one sink has come with what it was told to do last, and until when the delivery is patient."""

    def __init__(self) -> None:
        """Begin with a receiver of which nothing is known."""
        #: How many of the events that are being sent the receiver has.
        self.taken = 0
        #: When the receiver answered last, None if nobody has tried yet.
        self.reached_at: float | None = None
        self._patience = 0.0
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def work(self, patience: float) -> AsyncIterator[None]:
        """Begin some work, and raise TimeoutError once nothing was heard of it for so many seconds."""
        self.taken = 0
        self._patience = patience
        try:
            async with asyncio.timeout(patience) as self._timeout:
                yield
        finally:
            self._timeout = None

    def took(self, taken: int) -> None:
        """Note how many of the events that are being sent the receiver has, and be patient for as long again."""
        if taken <= self.taken:
            return
        self.taken = taken
        self.reached()
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._patience)

    def reached(self) -> None:
        """Note that the receiver answers."""
        self.reached_at = time.time()
