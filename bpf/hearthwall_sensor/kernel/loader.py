"""The short-lived child that compiles the kernel programs with bcc, pins them and exits.

Only this process maps LLVM (about 120 MB); the sensor itself opens the pins through libbpf.
"""

import asyncio
import ctypes
import hashlib
import json
import os
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

from ..protocol import SensorError
from . import compiled, libbpf
from .pins import publish
from .units import NETWORK, PROCESSES, SOURCES, Unit

_PR_SET_PDEATHSIG: Final = 1
_LOAD_TIMEOUT: Final = 120.0


def generation() -> str:
    """Return a name for what would be loaded now: other sources, sizes or tracepoints give another name."""
    texts = (f"{each.source()}{sorted(each.defines())}" for each in (NETWORK, PROCESSES))
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


def load(directory: str | None) -> dict[str, Any]:
    """Load and pin into a new directory what was compiled before, or now; return what was done.

    With None it compiles and only tries. Runs in the child: compiling imports bcc. Raises SensorError
    `missing_capability` or `kernel_refused`; what keeps the programs on processes from loading is only told.
    """
    loading = _Loading(keep=directory is not None)
    objects = loading.load(NETWORK)
    try:
        objects |= loading.load(PROCESSES)
    except SensorError as error:
        loading.told["processes"] = error.message
    if directory is not None:
        _pin(directory, objects)
    return loading.told


class _Loading:
    """What is loaded one unit after the other, and how long it took."""

    def __init__(self, *, keep: bool) -> None:
        """Take whether compiled programs are taken from the disk and kept there."""
        self._keep = keep
        self._generation = generation()
        self.told: dict[str, Any] = {"from_cache": True, "compile_ms": 0, "load_ms": 0}

    def load(self, source: Unit) -> dict[str, libbpf.Handle]:
        """Load one unit; return what is to be pinned, by name. Raises SensorError."""
        started = time.monotonic()
        unit = self._compiled(source)
        ready = time.monotonic()
        tables, programs = compiled.load(unit)
        for table, steps in source.steps.items():
            places = libbpf.Map(tables[table].fd, 4, 4)
            for place, program in enumerate(steps):
                places.put(struct.pack("<I", place), struct.pack("<i", programs[program].fd))
        self.told["compile_ms"] += round((ready - started) * 1e3)
        self.told["load_ms"] += round((time.monotonic() - ready) * 1e3)
        return {each: tables[each] for each in source.tables} | programs

    def _compiled(self, source: Unit) -> compiled.Unit:
        """Return a unit that was compiled before, or now."""
        name = f"{self._generation}-{source.name}"
        unit = compiled.read(name) if self._keep else None
        if unit is None:
            unit, self.told["bcc"] = _compile(source)
            self.told["from_cache"] = False
            if self._keep:
                compiled.write(name, unit)
        return unit


def _compile(source: Unit) -> tuple[compiled.Unit, str]:
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
        unit = BPF(text=source.source(), cflags=source.defines())
    except Exception as error:  # bcc raises plain Exception for whatever clang refuses
        raise SensorError(
            "kernel_refused", f"the kernel programs do not compile: {error}"
        ) from error
    for name, (key, value, _) in source.tables.items():
        held = compiled.shape(unit[name].map_fd)
        if key and (held.key_size, held.value_size) != (key, value):
            raise SensorError("internal", f"Python and C differ on the layout of {name}: {held}")
    fds = {unit[name].map_fd: name for name in (*source.tables, *source.private, *source.steps)}
    return compiled.Unit(
        {name: compiled.shape(fd) for fd, name in fds.items()},
        {
            name: compiled.code(kind, unit.dump_func(name), fds, attach_type)
            for name, (kind, attach_type) in source.programs().items()
        },
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
