"""The short-lived child that compiles the kernel programs with bcc, pins them and exits.

Only this process maps LLVM (about 120 MB); the sensor itself opens the pins through libbpf.
"""

import asyncio
import ctypes
import hashlib
import json
import os
import re
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

from ..protocol import SensorError
from . import compiled, libbpf
from .layouts import LIMITS, TABLES
from .pins import publish

SOURCES: Final = Path(__file__).resolve().parents[2]
#: The one translation unit, in this order: bcc gives maps of one unit to all its programs.
UNIT: Final = ("gate.c", "meter.c")
#: Program → its type. `tables.TABLES` says which maps are pinned beside them.
PROGRAMS: Final = {
    "gate": libbpf.PROG_TYPE_XDP,
    "gate_wan": libbpf.PROG_TYPE_XDP,
    "gate_vlan": libbpf.PROG_TYPE_XDP,
    "gate_judge": libbpf.PROG_TYPE_XDP,
    "meter_ingress": libbpf.PROG_TYPE_SCHED_CLS,
    "meter_egress": libbpf.PROG_TYPE_SCHED_CLS,
    "wan_ingress": libbpf.PROG_TYPE_SCHED_CLS,
    "wan_egress": libbpf.PROG_TYPE_SCHED_CLS,
    "meter_judge": libbpf.PROG_TYPE_SCHED_CLS,
    "meter_observe": libbpf.PROG_TYPE_SCHED_CLS,
}

#: Table of programs that others go on with → the programs, by their places in it.
_STEPS: Final = {"gate_steps": ("gate_judge",), "meter_steps": ("meter_judge", "meter_observe")}
#: Tables that only the programs use.
_PRIVATE: Final = ("scenes", "drafts")

_PR_SET_PDEATHSIG: Final = 1
_LOAD_TIMEOUT: Final = 120.0
_INCLUDE: Final = re.compile(r'#include "([a-z_]+\.h)"')


def _inline(name: str, seen: set[str]) -> list[str]:
    """Return a source's lines with our own headers in place: bcc rewrites map accesses in the main text only."""
    seen.add(name)
    lines = [f'#line 1 "{name}"']
    for number, line in enumerate((SOURCES / name).read_text().splitlines(), 1):
        include = _INCLUDE.fullmatch(line)
        if include is None:
            lines.append(line)
        elif include[1] not in seen:
            lines += [*_inline(include[1], seen), f'#line {number + 1} "{name}"']
    return lines


def source() -> str:
    """Return the text that is compiled."""
    seen: set[str] = set()
    return "\n".join(line for name in UNIT for line in _inline(name, seen)) + "\n"


def generation() -> str:
    """Return a name for what would be loaded now: other sources or sizes give another name."""
    return hashlib.sha256(f"{source()}{sorted(LIMITS.items())}".encode()).hexdigest()[:12]


def load(directory: str | None) -> dict[str, Any]:
    """Load and pin into a new directory what was compiled before, or now; return what was done.

    With None it compiles and only tries. Runs in the child: compiling imports bcc. Raises SensorError
    `missing_capability` or `kernel_refused`.
    """
    started = time.monotonic()
    name = generation()
    unit = compiled.read(name) if directory is not None else None
    told: dict[str, Any] = {"from_cache": unit is not None}
    if unit is None:
        unit, told["bcc"] = _compile()
        if directory is not None:
            compiled.write(name, unit)
    ready = time.monotonic()
    tables, programs = compiled.load(unit)
    for table, steps in _STEPS.items():
        places = libbpf.Map(tables[table].fd, 4, 4)
        for place, program in enumerate(steps):
            places.put(struct.pack("<I", place), struct.pack("<i", programs[program].fd))
    done = time.monotonic()
    if directory is not None:
        _pin(directory, {each: tables[each] for each in TABLES} | programs)
    return told | {
        "compile_ms": round((ready - started) * 1e3),
        "load_ms": round((done - ready) * 1e3),
    }


def _compile() -> tuple[compiled.Unit, str]:
    """Compile with bcc; return what came of it, and bcc's version."""
    # bcc looks for the kernel's headers here first, and then needs no others.
    os.environ["BCC_KERNEL_SOURCE"] = str(SOURCES)
    try:
        from bcc import BPF, __version__
    except ImportError as error:
        raise SensorError(
            "missing_capability", f"bcc is missing: apt-get install python3-bpfcc ({error})"
        ) from error
    try:
        unit = BPF(text=source(), cflags=[f"-D{name}={size}" for name, size in LIMITS.items()])
    except Exception as error:  # bcc raises plain Exception for whatever clang refuses
        raise SensorError(
            "kernel_refused", f"the kernel programs do not compile: {error}"
        ) from error
    for name, (key, value, _) in TABLES.items():
        held = compiled.shape(unit[name].map_fd)
        if key and (held.key_size, held.value_size) != (key, value):
            raise SensorError(
                "internal", f"tables.py and tables.h differ on the layout of {name}: {held}"
            )
    fds = {unit[name].map_fd: name for name in (*TABLES, *_PRIVATE)}
    return compiled.Unit(
        {name: compiled.shape(fd) for fd, name in fds.items()},
        {name: compiled.code(kind, unit.dump_func(name), fds) for name, kind in PROGRAMS.items()},
    ), __version__.decode() if isinstance(__version__, bytes) else str(__version__)


def _pin(directory: str, objects: dict[str, libbpf.Handle]) -> None:
    """Pin all objects into directory, which appears complete or not at all."""
    partial = Path(f"{directory}-{os.getpid()}-partial")
    partial.mkdir(0o700)
    for name, each in objects.items():
        each.pin(str(partial / name))
    publish(partial, Path(directory))


def die_with_parent() -> None:
    """End this process when the sensor that started it does: nobody waits for what it makes any more."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def load_in_child(directory: str | None) -> dict[str, Any]:
    """Run `load` in a process of its own; raises what it raised."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(SOURCES / "hearthwall-sensor"),
        "load",
        "--json",
        *([] if directory is None else ["--pins", directory]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LOAD_TIMEOUT):
            output, noise = await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
        raise SensorError("timeout", f"bcc did not finish in {_LOAD_TIMEOUT:.0f} s") from None
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        last = noise.decode(errors="replace").strip()[-400:]
        raise SensorError("internal", f"the loader ended with {child.returncode}: {last}") from None
    if "error" in answer:
        raise SensorError(answer["error"]["code"], answer["error"]["message"])
    return answer
