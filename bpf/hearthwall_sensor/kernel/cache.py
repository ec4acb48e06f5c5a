"""Compiled programs on disk: only the first start of a version compiles, and none where they come compiled.

A compiler takes seconds and 150 MB on a small gateway, and a gateway that boots is not guarded meanwhile.

    <beside the sources>/compiled/<unit>-<digest>-<machine>.json      came with the sensor
    /var/cache/hearthwall/<unit>-<digest>-<machine>-<compiler>.json   was compiled here

What is in these files runs in the kernel. So a file counts only if nobody but root can have written it, if it is
whole, and if it was made of these very sources; else the programs are compiled anew. `Unit.digest` says what they are
made of. What came with the sensor was compiled elsewhere, on a kernel that may be another: that is what the digest has
the layouts of tracepoints for. What was compiled here is also asked for the compiler and the kernel's release, so
that a newer one of either compiles anew; where no compiler is left, it is good enough.
"""

import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from .. import files
from ..protocol import SensorError
from ..trust import Trust
from . import compiled, compiler
from .units import SOURCES, Unit

FOLDER: Final = Path("/var/cache/hearthwall")
SHIPPED: Final = SOURCES / "compiled"
#: How such a file is written; a change makes all others strangers.
_FORMAT: Final = 2
_KEPT: Final = 8
_LARGEST: Final = 16 << 20
_DIGITS: Final = 16
#: bpf_probe_read and bpf_probe_read_str: bcc takes them where it may not look which helpers the kernel has.
_OLD_HELPERS: Final = (4, 45)
#: From linux/bpf.h: the instruction that calls.
_CALL: Final = 0x85


def found(source: Unit, doubts: list[str]) -> Iterator[compiled.Unit]:
    """Yield what may be loaded in place of compiling, best first; why something is not goes into doubts."""
    made_for, made_by = _made_for(source), _made_by()
    places: tuple[tuple[Path, Callable[[int], list[str]], dict[str, Any]], ...] = (
        (SHIPPED, lambda _: [_shipped(source)], made_for),
        (FOLDER, lambda within: _kept(source, made_by, within), made_for | made_by),
    )
    for folder, names, wanted in places:
        try:
            with _opened(folder) as within:
                for name in names(within):
                    with _doubted(folder / name, doubts):
                        yield _read(within, name, source, wanted)
        except FileNotFoundError:
            continue
        except (OSError, SensorError) as error:
            doubts.append(f"{folder} is not used: {error}")


def keep(source: Unit, unit: compiled.Unit) -> None:
    """Keep what was compiled here; a disk that takes nothing only costs time at the next start."""
    made_for, made_by = _made_for(source), _made_by()
    try:
        files.private_folder(FOLDER)
        with _opened(FOLDER) as within:
            _write(within, _own(source, made_by), _packed(made_for | made_by, unit), 0o600)
            _forget_oldest(within)
    except (OSError, SensorError):
        return


def ship(source: Unit, unit: compiled.Unit, folder: Path) -> Path:
    """Put what was compiled into a folder that goes with the sources; return the file.

    Raises SensorError `storage_failed` or `unsafe_files`, or `kernel_refused` for what other kernels would not take.
    """
    if any(_calls(code.instructions) & {*_OLD_HELPERS} for code in unit.programs.values()):
        raise SensorError(
            "kernel_refused",
            "bcc could not read /proc/kallsyms and took helpers that not every kernel has: compile as root",
        )
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _opened(folder) as within:
            _write(within, _shipped(source), _packed(_made_for(source), unit), 0o644)
    except OSError as error:
        raise SensorError("storage_failed", f"{folder} can't be written: {error}") from error
    return folder / _shipped(source)


def _machine() -> str:
    """Return the processor: byte order and conventions of system calls follow from it."""
    return platform.machine()


def _made_for(source: Unit) -> dict[str, Any]:
    """Return what a file must have been made for."""
    return {
        "format": _FORMAT,
        "unit": source.name,
        "digest": source.digest(),
        "machine": _machine(),
    }


def _made_by() -> dict[str, Any]:
    """Return what compiles here now; nothing where nothing does."""
    known = compiler.identity()
    return {} if known is None else {"compiler": known, "release": platform.release()}


def _shipped(source: Unit) -> str:
    """Return the name of a unit's file that came with the sensor."""
    return f"{source.name}-{source.digest()[:_DIGITS]}-{_machine()}.json"


def _own(source: Unit, made_by: dict[str, Any]) -> str:
    """Return the name of a unit's file that was made here."""
    maker = hashlib.sha256(json.dumps(made_by).encode()).hexdigest()[:_DIGITS]
    return f"{_shipped(source).removesuffix('.json')}-{maker}.json"


def _kept(source: Unit, made_by: dict[str, Any], within: int) -> list[str]:
    """Return the names of the files that count: one, or any where there is no compiler to make it."""
    if made_by:
        return [_own(source, made_by)]
    beginning = _shipped(source).removesuffix(".json") + "-"
    return sorted(name for name in _names(within) if name.startswith(beginning))


# Files that only root can have written


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open a folder of root's; from then on it stays that folder, whatever is put in its place."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        Trust.own().require(fd, folder)
        yield fd
    finally:
        os.close(fd)


def _content(within: int, name: str) -> bytes:
    """Read a file of root's in an open folder; raises SensorError or OSError."""
    # A link is refused, and a pipe does not make anyone wait
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=within)
    with os.fdopen(fd, "rb") as file:
        Trust.own().require(fd, name)
        said = os.fstat(fd)
        if not stat.S_ISREG(said.st_mode) or said.st_size > _LARGEST:
            raise SensorError("unsafe_files", f"{name} is no file of compiled programs")
        return file.read(_LARGEST)


def _names(within: int) -> list[str]:
    """Return what is in an open folder."""
    with os.scandir(within) as entries:
        return [each.name for each in entries]


def _write(within: int, name: str, content: bytes, mode: int) -> None:
    """Put a file in place at once: whoever reads meanwhile, or writes the same, gets the old one or a new one."""
    files.put(within, name, content, mode, fresh=f"{name}.{os.getpid()}")


def _forget_oldest(within: int) -> None:
    """Leave the newest files only."""
    by_age = sorted(
        _names(within),
        key=lambda name: os.stat(name, dir_fd=within, follow_symlinks=False).st_mtime_ns,
    )
    for name in by_age[:-_KEPT]:
        os.unlink(name, dir_fd=within)


# What is in them


def _packed(made: dict[str, Any], unit: compiled.Unit) -> bytes:
    """Return a file's content: a digest, and on the next line what it is of."""
    text = json.dumps(made | dataclasses.asdict(unit), default=_as_text).encode()
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def _as_text(value: object) -> str:
    """Return bytes as JSON has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError


def _read(within: int, name: str, source: Unit, wanted: dict[str, Any]) -> compiled.Unit:
    """Return a file's unit; raises OSError, ValueError, or SensorError for one that is not to be loaded."""
    digest, _, text = _content(within, name).partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise ValueError("it is damaged")
    held = json.loads(text)
    if {each: held.get(each) for each in wanted} != wanted:
        raise ValueError("it was made of something else")
    unit = compiled.Unit(
        {each: compiled.Table(**shape) for each, shape in held["tables"].items()},
        {each: _code(code) for each, code in held["programs"].items()},
    )
    if (wrong := source.differs(unit)) is not None:
        raise ValueError(wrong)
    return unit


def _code(held: dict[str, Any]) -> compiled.Code:
    """Read a program."""
    return compiled.Code(
        held["kind"],
        base64.b64decode(held["instructions"], validate=True),
        {int(number): table for number, table in held["tables"].items()},
        held["attach_type"],
    )


@contextlib.contextmanager
def _doubted(path: Path, doubts: list[str]) -> Iterator[None]:
    """Note why a file is not used; that there is none needs no reason."""
    try:
        yield
    except FileNotFoundError:
        pass
    except (OSError, SensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        doubts.append(f"{path} is not used: {error}")


def _calls(instructions: bytes) -> set[int]:
    """Return the numbers of the kernel's helpers that a program calls."""
    calls = range(0, len(instructions), compiled.INSTRUCTION)
    return {
        int.from_bytes(instructions[at + 4 : at + 8], "little")
        for at in calls
        if instructions[at] == _CALL and instructions[at + 1] >> 4 == 0
    }
