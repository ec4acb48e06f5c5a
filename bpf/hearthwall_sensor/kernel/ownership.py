"""Whose programs these are: this sensor's, or another sensor's on the same host."""

import contextlib
import fcntl
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from .attachment import Link
from .libbpf import Program
from .pins import LINKS, Pins, root, socket_of
from .presence import is_running

_LOGGER = logging.getLogger(__name__)


class OwnPrograms:
    """A sensor's programs by id, with those of its earlier generations."""

    def __init__(self, pins: Pins) -> None:
        """Take the sensor's pins; nothing is known before `read`."""
        self._pins = pins
        #: Where to find a program again; None for one that only its link holds.
        self._paths: dict[int, Path | None] = {}
        self._adopted: set[int] = set()

    def read(self) -> None:
        """Take over what is pinned now; what was known before stays known."""
        self._paths |= _programs_in(self._pins.path)

    def adopt(self, programs: Iterable[int]) -> None:
        """Take over programs that this sensor has left on interfaces, and that nothing opens any more."""
        self._adopted |= set(programs)

    def __contains__(self, program: object) -> bool:
        """Return whether a program is this sensor's, by its id."""
        return program in self._paths or program in self._adopted

    @contextlib.contextmanager
    def opened(self, program: int) -> Iterator[Program | None]:
        """Open a program by its id, None for one that was adopted; raises OSError if its pin has gone."""
        path = self._paths.get(program)
        if path is None and program in self._adopted:
            yield None
            return
        if path is None:
            raise FileNotFoundError(f"the program {program} is not pinned")
        handle: Program = Program.pinned(str(path))
        try:
            yield handle
        finally:
            handle.close()


def others(own: Pins) -> dict[int, str]:
    """Return the programs of all other sensors by id, with the sensor's socket."""
    found: dict[int, str] = {}
    for folder in _entries(root()):
        if folder != own.path:
            found |= dict.fromkeys((each for each, _ in _programs_in(folder)), socket_of(folder))
    return found


def take_over(own: Pins, state: Path) -> None:
    """Take over what this sensor left when its settings named another socket: by the state folder it is its own.

    Raises SensorError `unsafe_files`.
    """
    if own.are_held or own.path.exists():
        return
    for folder in _entries(root()):
        former = Pins(socket_of(folder))
        if former.path == folder and former.state == state.absolute() and not _runs(former):
            folder.rename(own.path)
            _LOGGER.warning(
                "What guards was put there by way of %s, and is now known by %s",
                *(former.socket, own.socket),
            )
            return


def _runs(sensor: Pins) -> bool:
    """Return whether a sensor runs, also one whose socket can't be seen from here."""
    try:
        with Path(f"{sensor.socket}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # its folder may have gone since, or be hidden
        pass
    return any(is_running(program) for program, _ in _programs_in(sensor.path))


def all_programs() -> set[int]:
    """Return the ids of every sensor's programs on this host."""
    return {program for folder in _entries(root()) for program, _ in _programs_in(folder)}


def _programs_in(folder: Path) -> Iterator[tuple[int, Path | None]]:
    """Yield the ids of a sensor's programs: those that its links hold, and those that are pinned."""
    # What is attached is ours even where its own pin went in an unload that was cut short.
    for path in _entries(folder / LINKS):
        with contextlib.suppress(FileNotFoundError):
            link: Link = Link.pinned(str(path))
            yield link.program, None
            link.close()
    for path in (
        path for each in _entries(folder) if each.name != LINKS for path in _entries(each)
    ):
        with contextlib.suppress(FileNotFoundError):
            program: Program = Program.pinned(str(path))
            if program.is_program:  # a generation's maps are beside its programs
                yield program.id, path
            program.close()


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder, nothing if there is no such folder."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [each for each in folder.iterdir() if not each.is_symlink()]
