"""The kernel programs, loaded as the sensor loads them and attached to nothing, to be run over single frames."""

import ctypes
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hearthwall_sensor.kernel import loader, pins
from hearthwall_sensor.kernel.libbpf import PROG_TYPE_XDP, Program, _TestRunOptions, call
from hearthwall_sensor.kernel.tables import Tables
from hearthwall_sensor.kernel.units import NETWORK
from tests.gateway.sensor_process import LAUNCHER, command

#: What a program's number means, by its type; TC_ACT_NEXT is -1.
_XDP: Final = {1: "drop", 2: "pass"}
_TC: Final = {2: "drop", 0xFFFFFFFF: "pass", 7: "redirect"}
_MAX_FRAME: Final = 4096
#: As much of `struct __sk_buff` as reaches behind gso_size, and where that stands.
_SKB: Final = 192
_GSO_SIZE: Final = 176


class Bench:
    """One program, and a frame's place before it: made once, because a test may run 100,000 frames."""

    def __init__(self, program: Program, kind: int) -> None:
        self._program = program
        self._meaning = _XDP if kind == PROG_TYPE_XDP else _TC
        self._frame = ctypes.create_string_buffer(_MAX_FRAME)
        self._skb = ctypes.create_string_buffer(_SKB)
        self._options = _TestRunOptions(
            size=ctypes.sizeof(_TestRunOptions),
            data_in=ctypes.cast(self._frame, ctypes.c_void_p),
            repeat=1,
        )

    def verdict(self, frame: bytes, segment: int = 0) -> str:
        """Return what the program does with a frame; in tc it may stand for many of one segment each."""
        ctypes.memmove(self._frame, frame, len(frame))
        options = self._options
        options.data_size_in = len(frame)
        options.data_size_out = options.ctx_size_out = 0  # the call before has written there
        options.ctx_in = ctypes.cast(self._skb, ctypes.c_void_p) if segment else None
        options.ctx_size_in = _SKB if segment else 0
        struct.pack_into("<I", self._skb, _GSO_SIZE, segment)
        call("bpf_prog_test_run_opts", self._program.fd, ctypes.byref(options))
        return self._meaning[options.retval]


class Programs:
    """All programs of one generation and their tables."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tables = Tables(str(directory))
        self.benches = {
            name: Bench(Program.pinned(str(directory / name)), kind)
            for name, (kind, _) in NETWORK.programs().items()
        }


@contextmanager
def loaded(folder: Path, launcher: Path = LAUNCHER) -> Iterator[Programs]:
    """Give the programs beside a launcher, pinned under a name of their own while they are in use."""
    pins.mount()
    own = pins.Pins(str(folder / "s.sock"))
    own.make(folder)
    directory = own.generation(loader.generation())
    load = command("load", "--json", "--pins", str(directory), launcher=launcher)
    try:
        subprocess.run(load, check=True, capture_output=True)
        yield Programs(directory)
    finally:
        own.remove()
