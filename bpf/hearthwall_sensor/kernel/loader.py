"""The short-lived child that loads the kernel programs, pins them and exits; where there are none yet, it compiles.

Only this process, and only then, maps LLVM (about 120 MB); the sensor itself opens the pins through libbpf.
"""

import asyncio
import ctypes
import hashlib
import json
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

from ..protocol import SensorError
from . import cache, compiled, compiler, held, libbpf
from .pins import complete, publish
from .units import NETWORK, PROCESSES, SOURCES, Unit

_PR_SET_PDEATHSIG: Final = 1
_LOAD_TIMEOUT: Final = 120.0
#: Tables and programs by name.
Objects = tuple[dict[str, libbpf.Handle], dict[str, libbpf.Handle]]


def generation() -> str:
    """Return a name for what would be loaded now: other sources, sizes or tracepoints give another name."""
    texts = (each.digest() for each in (NETWORK, PROCESSES))
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


def load(directory: str | None, *, anew: bool = False) -> dict[str, Any]:
    """Load and pin into a new directory what comes compiled, was compiled before, or is now; return what was done.

    With None it only tries, and keeps nothing; `anew` compiles in any case. Runs in the child: compiling imports bcc.
    Raises SensorError `missing_capability` or `kernel_refused`; what keeps the programs on processes from loading is
    only told.
    """
    loading = _Loading(keep=directory is not None, anew=anew)
    objects = loading.load(NETWORK)
    try:
        objects |= loading.load(PROCESSES)
    except SensorError as error:
        loading.told["processes"] = error.message
    if directory is not None:
        _pin(directory, objects)
    return loading.told


def compile_into(folder: Path) -> dict[str, Any]:
    """Compile for machines without a compiler, once this kernel has taken the programs; raises SensorError."""
    loading = _Loading(keep=False, anew=True)
    files = []
    for source in (NETWORK, PROCESSES):
        loading.load(source)
        files.append(str(cache.ship(source, loading.loaded[source.name], folder)))
    return loading.told | {"files": files}


class _Loading:
    """What is loaded one unit after the other, and how long it took."""

    def __init__(self, *, keep: bool, anew: bool) -> None:
        """Take whether what is compiled is kept on disk, and whether to compile in any case."""
        self._keep = keep
        self._anew = anew
        self.loaded: dict[str, compiled.Unit] = {}
        self._doubts: list[str] = []
        self.told: dict[str, Any] = {
            "from_cache": True,
            "compile_ms": 0,
            "load_ms": 0,
            "doubts": self._doubts,
        }

    def load(self, source: Unit) -> dict[str, libbpf.Handle]:
        """Load one unit; return what is to be pinned, by name. Raises SensorError."""
        tables, programs = self._found(source) or self._compiled(source)
        for table, steps in source.steps.items():
            places = libbpf.Map(tables[table].fd, 4, 4)
            for place, program in enumerate(steps):
                places.put(struct.pack("<I", place), struct.pack("<i", programs[program].fd))
        return {each: tables[each] for each in source.tables} | programs

    def _found(self, source: Unit) -> Objects | None:
        """Load what need not be compiled; what the kernel does not take is compiled anew."""
        for unit in () if self._anew else cache.found(source, self._doubts):
            try:
                return self._into_kernel(source, unit)
            except (SensorError, ArithmeticError, LookupError, TypeError, struct.error) as error:
                self._doubts.append(f"the programs of {source.name} on disk are not used: {error}")
        return None

    def _compiled(self, source: Unit) -> Objects:
        """Compile, load, and keep what the kernel took."""
        started = time.monotonic()
        try:
            unit, self.told["bcc"] = compiler.compile_unit(source)
        except SensorError as error:
            raise SensorError(error.code, "; ".join((error.message, *self._doubts))) from error
        self.told["compile_ms"] += round((time.monotonic() - started) * 1e3)
        self.told["from_cache"] = False
        objects = self._into_kernel(source, unit)
        if self._keep:
            cache.keep(source, unit)
        return objects

    def _into_kernel(self, source: Unit, unit: compiled.Unit) -> Objects:
        """Load a unit."""
        started = time.monotonic()
        objects = compiled.load(unit)
        self.told["load_ms"] += round((time.monotonic() - started) * 1e3)
        self.loaded[source.name] = unit
        return objects


def _pin(directory: str, objects: dict[str, libbpf.Handle]) -> None:
    """Pin all objects into directory, which appears complete or not at all; without bpffs the parent gets them."""
    if held.is_held(directory):
        with socket.socket(fileno=os.dup(sys.stdin.fileno())) as channel:
            held.give(channel, {name: each.fd for name, each in objects.items()})
        return
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
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            answer = await _loaded(directory, theirs)
        if directory is not None and held.is_held(directory):
            held.take(ours, directory)
            complete(Path(directory))
    return answer


async def _loaded(directory: str | None, channel: socket.socket) -> dict[str, Any]:
    """Run `load` with a channel on which it hands over what it can't pin."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(SOURCES / "hearthwall-sensor"),
        "load",
        "--json",
        *([] if directory is None else ["--pins", directory]),
        stdin=channel.fileno(),
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
