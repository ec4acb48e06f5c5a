"""The terminal: curses draws the lines and says which keys were pressed."""

import contextlib
import curses
import locale
import os
import select
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

from ..errors import SensorError
from ..words.cells import fill, width
from .layout import Line, Style

#: An Esc alone is told from a key that sends more by this pause, in milliseconds: time for a slow line.
_ESCAPE_DELAY: Final = 50

_NAMES: Final[Mapping[int | str, str]] = {
    curses.KEY_UP: "up",
    curses.KEY_DOWN: "down",
    curses.KEY_LEFT: "left",
    curses.KEY_RIGHT: "right",
    curses.KEY_PPAGE: "pageup",
    curses.KEY_NPAGE: "pagedown",
    curses.KEY_HOME: "home",
    curses.KEY_END: "end",
    curses.KEY_BTAB: "tab",
    curses.KEY_ENTER: "enter",
    curses.KEY_BACKSPACE: "backspace",
    "\t": "tab",
    "\n": "enter",
    "\r": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    "\x0c": "redraw",
}

#: What a style is without colours, and the colour that it has besides where there are some.
_STYLES: Final[Mapping[Style, tuple[int, int | None]]] = {
    "plain": (curses.A_NORMAL, None),
    "title": (curses.A_BOLD, None),
    "head": (curses.A_REVERSE | curses.A_BOLD, None),
    "other_head": (curses.A_UNDERLINE, None),
    "chosen": (curses.A_REVERSE, None),
    "marked": (curses.A_BOLD, curses.COLOR_CYAN),
    "idle": (curses.A_DIM, None),
    "bad": (curses.A_BOLD, curses.COLOR_RED),
    "good": (curses.A_BOLD, curses.COLOR_GREEN),
}
#: Styles that reach to the edge of the screen.
_BARS: Final = frozenset({"head", "other_head", "chosen"})


def require_terminal() -> None:
    """Raise SensorError `missing_capability` where there is no terminal that a view can be drawn on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SensorError(
            "missing_capability", "top needs a terminal; `top --once` prints one picture of it"
        )
    kind = os.environ.get("TERM") or "dumb"
    try:
        curses.setupterm(kind, sys.stdout.fileno())
        movable = curses.tigetstr("cup")
    except curses.error:
        movable = None
    if movable is None:
        raise SensorError(
            "missing_capability",
            f"a terminal of the kind {kind!r} can't be drawn on: try TERM=xterm, or `top --once`",
        )


class Screen:
    """The terminal while the view is on it; it is as before when the `with` ends, however it ends."""

    def __init__(self) -> None:
        """Touch nothing yet."""
        self._window: Any = None
        self._attributes: dict[Style, int] = {}
        self._encoding = "utf-8"

    def __enter__(self) -> Self:
        """Take the terminal."""
        locale.setlocale(locale.LC_CTYPE, "")
        self._window = curses.initscr()
        try:
            curses.noecho()
            curses.cbreak()
            curses.set_escdelay(_ESCAPE_DELAY)
            self._window.keypad(True)
            self._window.nodelay(True)
            self._encoding = self._window.encoding
            self._choose_attributes()
            _hide_cursor()
            self.resize()
        except BaseException:
            curses.endwin()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self._window.keypad(False)
        curses.nocbreak()
        curses.echo()
        curses.endwin()

    def _choose_attributes(self) -> None:
        """Find out how each style looks here; NO_COLOR is what people set who want no colours."""
        coloured = curses.has_colors() and not os.environ.get("NO_COLOR")
        if coloured:
            curses.start_color()
            curses.use_default_colors()
        for i, (style, (attribute, colour)) in enumerate(_STYLES.items(), 1):
            if coloured and colour is not None:
                curses.init_pair(i, colour, -1)
                self._attributes[style] = attribute | curses.color_pair(i)
            else:
                self._attributes[style] = attribute

    def resize(self) -> None:
        """Take over the terminal's size, and draw everything anew."""
        size = os.get_terminal_size(sys.stdout.fileno())
        curses.resizeterm(max(1, size.lines), max(1, size.columns))
        self.redraw()

    def redraw(self) -> None:
        """Draw everything anew the next time, whatever is on the terminal."""
        self._window.clearok(True)

    def draw(self, make: Callable[[int, int], Sequence[Line]]) -> None:
        """Draw what `make` returns for a width and a height; curses sends only what has changed."""
        height, columns = self._window.getmaxyx()
        self._window.erase()
        for y, each in enumerate(make(columns, height)[:height]):
            text = fill(each.text, columns) if each.style in _BARS else each.text
            self._put(
                y, self._shown(text.rstrip() if each.style not in _BARS else text), each.style
            )
        self._window.refresh()

    def _put(self, y: int, text: str, style: Style) -> None:
        """Write one line."""
        # The last column of the last line is written, but then the cursor can't go on from there.
        with contextlib.suppress(curses.error):
            self._window.addstr(y, 0, text, self._attributes[style])

    def _shown(self, text: str) -> str:
        """Return text with what this terminal's characters can't say replaced."""
        if text.isascii() or self._encoding.lower().replace("-", "") == "utf8":
            return text
        return "".join(each if self._can_say(each) else "?" * width(each) for each in text)

    def _can_say(self, character: str) -> bool:
        """Return whether this terminal's encoding has a character."""
        try:
            character.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def pressed(self) -> list[str]:
        """Return the keys that were pressed since the last call, by their names; raises EOFError at the end."""
        names: list[str] = []
        while True:
            try:
                key = self._window.get_wch()
            except curses.error:
                break
            name = _NAMES.get(key, key if isinstance(key, str) else "")
            if name:
                names.append(name)
        if not names and _has_ended(sys.stdin.fileno()):
            raise EOFError
        return names


def _hide_cursor() -> None:
    """Hide the cursor, on terminals that can."""
    with contextlib.suppress(curses.error):  # vt100 can't
        curses.curs_set(0)


def _has_ended(descriptor: int) -> bool:
    """Return whether the terminal's other end is closed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return any(
        events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0)
    )
