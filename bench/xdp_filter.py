"""xdp-filter of Debian's xdp-tools, with the same rules: the nearest tool that people have."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from bench import frames
from bench.network import Namespace
from hearthwall_sensor.kernel.libbpf import Map, Program
from hearthwall_sensor.kernel.pins import BPFFS

_FOLDER: Final = BPFFS / "xdp-filter"
#: Its own limit is 10,000 in each table.
RULES: Final = 1000
_OWNED: Final = re.compile(r"hwb(\d+)[a-z]")


class XdpFilter:
    """The tool on interfaces of one namespace; one set of tables serves all of them."""

    def __init__(self, host: Namespace) -> None:
        self._host = host

    @contextmanager
    def on(self, interface: str, features: str) -> Iterator[Program]:
        """Load it with these features and rules in each of its tables; give the program that is attached."""
        self._run("load", "--mode", "native", "--features", features, interface)
        with ExitStack() as stack:
            stack.callback(self._run, "unload", interface)
            self._fill()
            (path,) = Path(_FOLDER, "programs", interface).iterdir()
            program: Program = Program.pinned(str(path))
            stack.callback(program.close)
            yield program

    def _fill(self) -> None:
        """Add the rules of all tables that the loaded features have."""
        rules = {
            "filter_ethernet": ("ether", 6, [frames.mac(i) for i in range(RULES)]),
            "filter_ipv4": ("ip", 4, [frames.ipv4(i) for i in range(RULES)]),
            "filter_ipv6": ("ip", 16, [frames.ipv6(i) for i in range(RULES)]),
            "filter_ports": ("port", 4, [str(10000 + i) for i in range(RULES)]),
        }
        for name, (kind, size, targets) in rules.items():
            if (_FOLDER / name).exists():
                self._add(name, kind, size, targets)

    def _add(self, name: str, kind: str, size: int, targets: list[str]) -> None:
        """Have the tool add one, and do as it did for the others: it takes one in a process."""
        self._run(kind, "--mode", "src", targets[0])
        opened = Map.pinned(str(_FOLDER / name), size, 8)
        table = Map(opened.fd, size, 8, per_cpu=True)
        keys = list(_keys(kind, targets))
        value = table.get(keys[0])
        if not value or not any(value):
            raise OSError(f"xdp-filter added no {kind} {targets[0]}")
        for key in keys[1:]:
            table.put(key, value)
        table.close()

    def _run(self, *arguments: str) -> None:
        self._host.run("xdp-filter", *arguments)


def _keys(kind: str, targets: Iterable[str]) -> Iterator[bytes]:
    """Yield the targets as the tool's tables have them."""
    for target in targets:
        if kind == "ether":
            yield bytes.fromhex(target.replace(":", ""))
        elif kind == "ip":
            yield ip_address(target).packed
        else:
            yield int(target).to_bytes(2, "big") + b"\0\0"


def interface(letter: str) -> str:
    """Return a name for an interface: the tool's pins are the whole host's, and say by it whose they are."""
    return f"hwb{os.getpid()}{letter}"


def clear() -> None:
    """Remove what a killed measurement left; raises OSError where somebody else uses the tool."""
    if not _FOLDER.exists():
        return
    for folder in (_FOLDER / "programs").iterdir():
        match = _OWNED.fullmatch(folder.name)
        if match is None or Path("/proc", match[1]).exists():
            raise OSError(f"xdp-filter is in use on {folder.name}: xdp-filter unload --all")
    shutil.rmtree(_FOLDER)
