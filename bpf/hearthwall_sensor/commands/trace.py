"""The command that shows system calls of this host's processes as they happen."""

import argparse
import asyncio
import json
import pwd
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from ..protocol import SensorError
from ..requests import Trace, TracedCall
from ..targets import parse_duration
from ..words.amounts import size
from ..words.cells import clean, cut, fill
from .command import Command, Options, converse, whole

if TYPE_CHECKING:
    from ..client import Client

#: Columns: head, width, that on a narrow terminal, and whether it is a number.
_COLUMNS: Final = (
    ("time", 12, 8, False),
    ("pid", 7, 7, True),
    ("user", 10, 6, False),
    ("comm", 15, 10, False),
    ("result", 12, 12, False),
    ("took", 9, 8, True),
)
_COUNTS: Final = (("calls", 7, 5, True), ("bytes", 9, 8, True))
_NARROW: Final = 110
#: Where nobody's terminal is, lines are not cut.
_ENDLESS: Final = 1 << 16
_TOGETHER: Final = ("send", "recv")


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `trace` takes."""
    parser.add_argument(
        "call",
        metavar="CALL",
        choices=get_args(TracedCall),
        help=f"which system calls: {', '.join(get_args(TracedCall))}; open is opening for writing, and renaming;"
        " send and recv are those of sockets, a line for each socket and second",
    )
    parser.add_argument(
        "--pid", metavar="N", type=whole(1, 2**22), help="only of the process with this number"
    )
    parser.add_argument(
        "--uid", metavar="USER", type=_user, help="only of this user's processes, by number or name"
    )
    parser.add_argument(
        "--comm", metavar="NAME", help="only of processes that ps calls so (15 letters at most)"
    )
    parser.add_argument(
        "--exe", metavar="PATH", help="only of processes that run this file, such as /usr/bin/curl"
    )
    parser.add_argument(
        "--port", metavar="N", type=whole(1, 65535), help="only to, from or on this port"
    )
    parser.add_argument("--failed", action="store_true", help="only calls that failed")
    parser.add_argument(
        "--each", action="store_true", help="of send and recv, a line for each call"
    )
    parser.add_argument(
        "--count", metavar="N", type=whole(1, 10**9), help="end after so many lines"
    )
    parser.add_argument(
        "--duration", metavar="TIME", type=parse_duration, help="end after this time, such as 10s"
    )
    parser.epilog = (
        "Ends with Ctrl-C, and takes its programs out of the kernel again. With --json it prints a document on"
        ' each line; {"lost": N} says that N lines were lost, because more came than could be told.'
    )


def _user(text: str) -> int:
    """Read a user, by number or name."""
    if text.isdecimal():
        try:
            return whole(0, 2**32 - 2)(text)
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no user's number") from error
    try:
        return pwd.getpwnam(text).pw_uid
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"there is no user {text[:40]!r}") from None


class _Printer:
    """Prints lines as they come, until there were enough."""

    def __init__(self, options: Options) -> None:
        """Take what was asked for."""
        self._json: bool = options.json
        self._left: int | None = options.count
        self._counts = options.call in _TOGETHER
        self._users: dict[int, str] = {}
        self.lost = 0
        self.done = asyncio.Event()

    def begin(self) -> None:
        """Print the heads of the columns."""
        if not self._json:
            self._print(self._row([name for name, *_ in self._columns], "what"))

    def take(self, lines: Sequence[dict[str, Any]], lost: int) -> None:
        """Print lines, and how many were lost before them."""
        if lost:
            self.lost += lost
            self._print(
                json.dumps({"lost": lost})
                if self._json
                else f"({lost} lines were lost: more came than can be told)"
            )
        for each in lines:
            if self.done.is_set():
                return
            self._print(json.dumps(each) if self._json else self._line(each))
            if self._left is not None:
                self._left -= 1
                if self._left == 0:
                    self.done.set()

    def _print(self, text: str) -> None:
        """Print one line at once; who reads may have had enough."""
        try:
            print(text, flush=True)
        except BrokenPipeError:
            sys.stderr.close()
            self.done.set()

    @property
    def _columns(self) -> tuple[tuple[str, int, int, bool], ...]:
        """The columns of what is traced."""
        return _COLUMNS + (_COUNTS if self._counts else ())

    def _row(self, cells: Sequence[str], rest: str) -> str:
        """Return cells in their columns, cut to the terminal if one reads it."""
        columns = shutil.get_terminal_size()[0] if sys.stdout.isatty() else _ENDLESS
        is_narrow = columns < _NARROW
        filled = (
            fill(
                clean(cell)[: narrow if name == "time" and is_narrow else None],
                narrow if is_narrow else wide,
                right=is_number,
            )
            for (name, wide, narrow, is_number), cell in zip(self._columns, cells, strict=True)
        )
        gap = " " if is_narrow else "  "
        return cut(gap.join((*filled, clean(rest))), columns)

    def _line(self, wire: dict[str, Any]) -> str:
        """Return one line in columns, cut to the terminal if one reads it."""
        begun = datetime.fromtimestamp(wire["time"]).astimezone()
        cells = [
            f"{begun:%H:%M:%S}.{begun.microsecond // 1000:03}",
            str(wire["pid"]),
            self._user(wire["uid"]),
            wire["comm"],
            wire["error"] or _success(wire),
            _took(wire["duration_us"]),
        ]
        if self._counts:
            cells += [str(wire["calls"]), size(wire["bytes"] or 0)]
        return self._row(cells, what(wire))

    def _user(self, uid: int) -> str:
        """Return a user's name here, or the number."""
        if uid not in self._users:
            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except (KeyError, OverflowError):
                self._users[uid] = str(uid)
        return self._users[uid]


def _success(wire: dict[str, Any]) -> str:
    """Return what a call that succeeded returned, where that says something."""
    return f"{wire['result']}" if wire["result"] else "ok"


def _took(microseconds: float) -> str:
    """Return how long a call took."""
    for unit, factor in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= factor:
            return f"{microseconds / factor:.1f} {unit}"
    return f"{microseconds:.1f} µs"


def what(wire: dict[str, Any]) -> str:
    """Return what a call was about: the address or the file, then its details, then who made it."""
    words = [_ends(wire), wire["path"] or "", wire["detail"]]
    if wire["call"] == "exec" and not wire["error"]:
        words.append(_parent(wire))
    elif wire["executable"]:
        container = f"@{wire['container']}" if wire["container"] else ""
        words.append(f"by {wire['executable']}{container}")
    if wire["unit"]:
        words.append(f"({wire['unit']})")
    return "  ".join(filter(None, words))


def _parent(wire: dict[str, Any]) -> str:
    """Return who started a program: its file is said already."""
    who = (
        wire["parent_executable"] or "",
        "" if wire["parent_pid"] is None else f"pid {wire['parent_pid']}",
    )
    said = " ".join(filter(None, who))
    return f"by {said}" if said else ""


def _ends(wire: dict[str, Any]) -> str:
    """Return with whom, and at which of this side's ports."""
    peer = _place(wire["address"], wire["port"])
    own = _place(wire["local_address"], wire["local_port"])
    if not own:
        return peer
    arrow = {"accept": "<-", "recv": "<-"}.get(wire["call"], "->")
    return f"{own} {arrow} {peer or '?'}"


def _place(address: str | None, port: int | None) -> str:
    """Return an address with its port."""
    if address is None:
        return ""
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port or 0}"


def _warn(path: str | None) -> None:
    """Say it if there is no such executable: it may come, or be one of a container."""
    if path is not None and path.startswith("/") and not Path(path).exists():
        print(
            f"There is no file {clean(path)} here: only a program in a container can be it.",
            file=sys.stderr,
        )


async def _trace(client: "Client", options: Options) -> Any:
    """Print what is traced until there was enough of it; the connection's end is the trace's."""
    printer = _Printer(options)
    _warn(options.exe)
    request = Trace(
        call=options.call,
        pid=options.pid,
        uid=options.uid,
        comm=options.comm,
        executable=options.exe,
        port=options.port,
        failed=options.failed,
        each=options.each,
    )
    await client.trace(request, printer.take)
    printer.begin()
    closed = asyncio.ensure_future(client.wait_closed())
    done = asyncio.ensure_future(printer.done.wait())
    await asyncio.wait(
        {closed, done}, timeout=options.duration, return_when=asyncio.FIRST_COMPLETED
    )
    done.cancel()
    if not closed.done():
        closed.cancel()
        return None
    closed.result()
    raise SensorError(
        "not_running", f"the sensor on {options.socket} has ended, so nothing more is told"
    )


COMMANDS: Final = {
    "trace": Command(
        "show system calls of this host's processes as they happen",
        converse(_trace),
        str,
        _arguments,
    )
}
