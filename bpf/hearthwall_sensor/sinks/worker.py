"""One thread for calls that a disk may hold up: if it hangs, nobody else's do."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .sink import SinkError

Result = TypeVar("Result")


class Worker:
    """Does one thing at a time. Whoever loses patience finds it busy until that is done."""

    def __init__(self, what: str) -> None:
        """Take what the work is with, for what is said while it hangs."""
        self._what = what
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the last call has not come back yet."""
        return self._thread is not None and self._thread.is_alive()

    async def do(self, call: Callable[[], Result]) -> Result:
        """Return what a call returns; raises what it raises, and SinkError while the one before has not come back."""
        if self.is_busy:
            raise SinkError(f"{self._what} does not answer: its disk hangs")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def settle(set_it: Callable[[Any], None], value: Any) -> None:
            if not done.done():  # else nobody waits any more
                set_it(value)

        def work() -> None:
            try:
                result = call()
            except Exception as error:  # noqa: BLE001, it is raised where it was called
                _hand(loop, settle, done.set_exception, error)
            else:
                _hand(loop, settle, done.set_result, result)

        # It ends with the process, also while it hangs.
        self._thread = threading.Thread(target=work, name=self._what, daemon=True)
        self._thread.start()
        try:
            return await done
        finally:
            if done.done() and not done.cancelled():
                self._thread.join()  # it has nothing left to do


def _hand(loop: asyncio.AbstractEventLoop, *call: Any) -> None:
    """Have the loop call something, if it still runs."""
    try:
        loop.call_soon_threadsafe(*call)
    except RuntimeError:  # it was closed while we hung
        return
