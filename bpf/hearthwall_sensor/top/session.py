"""A person at the screen: keys in, pictures out, until it is left."""

import asyncio
import signal
import socket
import sys
from typing import Any, Final

from ..client import unix_session
from .follower import Follower
from .layout import frame
from .screen import Screen
from .view import Order, View

#: Where nothing happens the clock goes on, in seconds.
_TICK: Final = 1.0


async def watch(path: str, interval: float) -> int:
    """Show the sensor on this socket until the view is left; return the exit status. Raises SensorError."""
    view, dirty = View(socket.gethostname()), asyncio.Event()
    async with unix_session(path) as session:
        follower = Follower(session, view, interval, dirty.set)
        await follower.connect()  # a sensor that is not there is told before the screen is taken
        following = asyncio.ensure_future(follower.keep_following())
        try:
            with Screen() as screen:
                return await _Session(view, follower, screen, dirty).run(following)
        finally:
            following.cancel()
            await asyncio.wait([following])
            await follower.close()


class _Session:
    """The view on a screen."""

    def __init__(
        self, view: View, follower: Follower, screen: Screen, dirty: asyncio.Event
    ) -> None:
        """Take the parts; `dirty` is set when there is something new to draw."""
        self._view = view
        self._follower = follower
        self._screen = screen
        self._dirty = dirty
        self._left: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._orders: set[asyncio.Task[None]] = set()

    async def run(self, following: asyncio.Future[None]) -> int:
        """Draw whatever is new until the person leaves; raises what ended the following."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(each, self._leave, 128 + each)
        loop.add_signal_handler(signal.SIGWINCH, self._resize)
        keyboard = sys.stdin.fileno()
        loop.add_reader(keyboard, self._take_keys)
        try:
            while not self._left.done():
                await self._show(following)
        finally:
            loop.remove_reader(keyboard)
            loop.remove_signal_handler(signal.SIGWINCH)
            if self._orders:  # what was ordered is in force before the shell is back
                await asyncio.wait(self._orders)
        return self._left.result()

    async def _show(self, following: asyncio.Future[None]) -> None:
        """Draw, and wait until there is something new."""
        self._dirty.clear()
        self._screen.draw(lambda width, height: frame(self._view, width, height))
        rung = asyncio.ensure_future(self._dirty.wait())
        waited: set[asyncio.Future[Any]] = {rung, following, self._left}
        await asyncio.wait(waited, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
        rung.cancel()
        if following.done():
            following.result()

    def _leave(self, status: int) -> None:
        """End the view."""
        if not self._left.done():
            self._left.set_result(status)

    def _resize(self) -> None:
        """Take over the terminal's new size."""
        self._screen.resize()
        self._dirty.set()

    def _take_keys(self) -> None:
        """Carry out what was typed."""
        chosen = self._view.upper, self._view.chosen_key
        try:
            for key in self._screen.pressed():
                self._carry_out(self._view.press(key))
        except EOFError:
            self._leave(0)
        if (self._view.upper, self._view.chosen_key) != chosen:
            self._follower.hurry()
        self._dirty.set()

    def _carry_out(self, order: Order | None) -> None:
        """Do what a key asks for beyond the view."""
        if order == "redraw":
            self._screen.redraw()
        elif order == "quit":
            self._leave(0)
        elif order is not None and not isinstance(order, str):
            task = asyncio.ensure_future(self._follower.order(order))
            self._orders.add(task)
            task.add_done_callback(self._orders.discard)
