"""Compiled programs and the shapes of their tables, kept on disk: only the first start of a version compiles.

A compiler takes seconds and 150 MB on a small gateway, and a gateway that boots is not guarded meanwhile.
"""

import base64
import ctypes
import dataclasses
import hashlib
import json
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .. import files
from ..protocol import SensorError
from . import libbpf

FOLDER: Final = Path("/var/cache/hearthwall")
_KEPT: Final = 8

_LICENSE: Final = b"GPL"
_INSTRUCTION: Final = 8
#: From linux/bpf.h: the instruction that loads 64 bits, and the register number that makes them a table.
_LOAD_64: Final = 0x18
_PSEUDO_MAP_FD: Final = 1
_MAP_INFO: Final = struct.Struct("<IIIIII")


@dataclass(frozen=True, slots=True)
class Table:
    """A table's shape; `kind` and `flags` are the kernel's numbers, sizes are bytes."""

    kind: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int


@dataclass(frozen=True, slots=True)
class Code:
    """A program's instructions, and which of them name which table."""

    kind: int
    instructions: bytes
    tables: Mapping[int, str]
    attach_type: int = 0
    """The hook that a cgroup's program is made for."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything that was compiled together."""

    tables: Mapping[str, Table]
    programs: Mapping[str, Code]


def shape(fd: int) -> Table:
    """Return an open table's shape."""
    kind, _, key, value, entries, flags = _MAP_INFO.unpack_from(libbpf.object_info(fd))
    return Table(kind, key, value, entries, flags)


def code(kind: int, instructions: bytes, tables: Mapping[int, str], attach_type: int = 0) -> Code:
    """Return a program whose tables are named, not numbered; tables are by file descriptor."""
    found = {}
    plain = bytearray(instructions)
    for at in range(0, len(instructions), _INSTRUCTION):
        if instructions[at] == _LOAD_64 and instructions[at + 1] >> 4 == _PSEUDO_MAP_FD:
            (fd,) = struct.unpack_from("<i", instructions, at + 4)
            found[at // _INSTRUCTION] = tables[fd]
            plain[at + 4 : at + 8] = bytes(4)
    return Code(kind, bytes(plain), found, attach_type)


def load(unit: Unit) -> tuple[dict[str, libbpf.Handle], dict[str, libbpf.Handle]]:
    """Make the tables and load the programs into the kernel; raises SensorError `kernel_refused`."""
    tables = {name: _make(name, each) for name, each in unit.tables.items()}
    return tables, {name: _load(name, each, tables) for name, each in unit.programs.items()}


def _make(name: str, table: Table) -> libbpf.Handle:
    """Make one table."""

    class Options(ctypes.Structure):
        """`struct bpf_map_create_opts` up to what is used."""

        _fields_ = (
            ("size", ctypes.c_size_t),
            ("btf", ctypes.c_uint32 * 4),
            ("inner", ctypes.c_uint32),
            ("flags", ctypes.c_uint32),
        )

    options = Options(size=ctypes.sizeof(Options), flags=table.flags)
    try:
        return libbpf.Handle(
            libbpf.call(
                "bpf_map_create",
                table.kind,
                name[:15].encode(),
                table.key_size,
                table.value_size,
                table.max_entries,
                ctypes.byref(options),
            )
        )
    except OSError as error:
        raise SensorError(
            "kernel_refused", f"the kernel does not make the table {name}: {error}"
        ) from error


class _LoadOptions(ctypes.Structure):
    """`struct bpf_prog_load_opts` up to what is used; libbpf reads no further than `size`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("attempts", ctypes.c_int),
        ("attach_type", ctypes.c_uint32),
    )


def _load(name: str, program: Code, tables: Mapping[str, libbpf.Handle]) -> libbpf.Handle:
    """Load one program."""
    options = _LoadOptions(size=ctypes.sizeof(_LoadOptions), attach_type=program.attach_type)
    instructions = bytearray(program.instructions)
    for number, table in program.tables.items():
        struct.pack_into("<i", instructions, number * _INSTRUCTION + 4, tables[table].fd)
    buffer = (ctypes.c_char * len(instructions)).from_buffer(instructions)
    try:
        return libbpf.Handle(
            libbpf.call(
                "bpf_prog_load",
                program.kind,
                name[:15].encode(),
                _LICENSE,
                buffer,
                ctypes.c_size_t(len(instructions) // _INSTRUCTION),
                ctypes.byref(options),
            )
        )
    except OSError as error:
        raise SensorError(
            "kernel_refused", f"the kernel does not take the program {name}: {error}"
        ) from error


# On disk


def _path(generation: str) -> Path:
    """Return where a generation is kept: another kernel may be compiled for otherwise."""
    return FOLDER / f"{generation}-{platform.machine()}-{platform.release()}.json"


def read(generation: str) -> Unit | None:
    """Return what was compiled before, None where nothing is kept that can be trusted."""
    try:
        files.private_folder(FOLDER)
        digest, _, text = _path(generation).read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            return None
        return _unit(json.loads(text))
    except (OSError, SensorError, ValueError, KeyError, TypeError):
        return None


def write(generation: str, unit: Unit) -> None:
    """Keep what was compiled; a disk that takes nothing only costs time at the next start."""
    text = json.dumps(dataclasses.asdict(unit), default=_as_text).encode()
    digest = hashlib.sha256(text).hexdigest().encode()
    try:
        files.private_folder(FOLDER)
        files.write(_path(generation), digest + b"\n" + text)
        kept = sorted(FOLDER.glob("*.json*"), key=lambda each: each.stat().st_mtime_ns)
        for each in kept[:-_KEPT]:
            each.unlink(missing_ok=True)
    except (OSError, SensorError):
        return


def _as_text(value: object) -> str:
    """Return bytes as JSON has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError


def _unit(kept: Any) -> Unit:
    """Read a unit."""
    return Unit(
        {name: Table(**each) for name, each in kept["tables"].items()},
        {
            name: Code(
                each["kind"],
                base64.b64decode(each["instructions"]),
                {int(number): table for number, table in each["tables"].items()},
                each["attach_type"],
            )
            for name, each in kept["programs"].items()
        },
    )
