"""Compiled programs and the shapes of their tables: out of the compiler's hands, and into the kernel."""

import contextlib
import ctypes
import os
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from ..protocol import SensorError
from . import libbpf

#: Of one instruction, in bytes.
INSTRUCTION: Final = 8
_LICENSE: Final = b"GPL"
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
    for at in range(0, len(instructions), INSTRUCTION):
        if instructions[at] == _LOAD_64 and instructions[at + 1] >> 4 == _PSEUDO_MAP_FD:
            (fd,) = struct.unpack_from("<i", instructions, at + 4)
            found[at // INSTRUCTION] = tables[fd]
            plain[at + 4 : at + 8] = bytes(4)
    return Code(kind, bytes(plain), found, attach_type)


def load(unit: Unit) -> tuple[dict[str, libbpf.Handle], dict[str, libbpf.Handle]]:
    """Make the tables and load the programs into the kernel: all, or none; raises SensorError `kernel_refused`."""
    with contextlib.ExitStack() as undo:
        tables: dict[str, libbpf.Handle] = {}
        for name, table in unit.tables.items():
            tables[name] = _make(name, table)
            undo.callback(tables[name].close)
        # Most of the time is the verifier's, which takes one CPU for each program
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            loading = {
                name: threads.submit(_load, name, program, tables)
                for name, program in unit.programs.items()
            }
        programs = {name: each.result() for name, each in loading.items() if not each.exception()}
        for each in programs.values():
            undo.callback(each.close)
        for refused in loading.values():
            refused.result()
        undo.pop_all()
    return tables, programs


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
        struct.pack_into("<i", instructions, number * INSTRUCTION + 4, tables[table].fd)
    buffer = (ctypes.c_char * len(instructions)).from_buffer(instructions)
    try:
        return libbpf.Handle(
            libbpf.call(
                "bpf_prog_load",
                program.kind,
                name[:15].encode(),
                _LICENSE,
                buffer,
                ctypes.c_size_t(len(instructions) // INSTRUCTION),
                ctypes.byref(options),
            )
        )
    except OSError as error:
        raise SensorError(
            "kernel_refused", f"the kernel does not take the program {name}: {error}"
        ) from error
