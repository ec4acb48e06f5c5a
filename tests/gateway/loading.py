"""The loader on a machine of its own: its cache, its compiler or none, and no other sensor's."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from hearthwall_sensor.kernel.pins import Pins, mount
from tests.gateway.sensor_process import LAUNCHER, command

#: Where Debian has bcc for Python.
BCC = "/usr/lib/python3/dist-packages/bcc"
#: Runs the very command, and then tells what it has mapped and imported.
_WATCHED = """
import sys
sys.path.insert(0, sys.argv[1])
from hearthwall_sensor.cli import main
status = main(sys.argv[2:])
maps = open("/proc/self/maps").read()
print("LLVM" in maps or "libbcc" in maps, "bcc" in sys.modules, file=sys.stderr)
sys.exit(status)
"""


class Machine:
    """A private mount namespace for each command: /var/cache is a folder of the test's."""

    def __init__(self, folder: Path, *, compiler: bool = True, launcher: Path = LAUNCHER) -> None:
        self._var_cache = folder / "cache"
        self._var_cache.mkdir(exist_ok=True)
        self._compiler = compiler
        self._launcher = launcher
        self._own = Pins(str(folder / "s.sock"))
        mount()
        self._own.make(folder)

    @property
    def cache(self) -> Path:
        """What the sensor sees as /var/cache/hearthwall."""
        return self._var_cache / "hearthwall"

    def inside(self, line: list[str]) -> list[str]:
        """Return a command line as it runs there."""
        hidden = "" if self._compiler else f"mount -t tmpfs none {BCC};"
        script = f'mount --bind "$0" /var/cache; {hidden} exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(self._var_cache), *line]

    def line(self, name: str, *options: str) -> list[str]:
        """Return what loads into a new folder of bpffs."""
        pins = str(self._own.path / name)
        return self.inside(
            command("load", "--json", "--pins", pins, *options, launcher=self._launcher)
        )

    def load(self, name: str, *options: str) -> dict[str, Any]:
        """Load; return what was done, or the error."""
        done = subprocess.run(
            self.line(name, *options), capture_output=True, text=True, timeout=90, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer.get("error", answer)

    def maps_compiler(self, name: str, *options: str) -> list[str]:
        """Load; return whether LLVM or bcc's library was mapped, and whether bcc was imported."""
        pins = str(self._own.path / name)
        line = ["/usr/bin/python3", "-I", "-c", _WATCHED, str(self._launcher.parent)]
        line += ["load", "--json", "--pins", pins, *options]
        done = subprocess.run(
            self.inside(line), capture_output=True, text=True, timeout=90, check=True
        )
        return done.stderr.split()

    def clean(self) -> None:
        """Leave nothing in the kernel."""
        self._own.remove()


def rewrite(path: Path, change: dict[str, Any]) -> None:
    """Change a file of compiled programs as someone does who knows how it is made: its digest is right."""
    held = json.loads(path.read_bytes().partition(b"\n")[2])
    text = json.dumps(held | change).encode()
    path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def held(path: Path) -> dict[str, Any]:
    """Return what is in a file of compiled programs."""
    document: dict[str, Any] = json.loads(path.read_bytes().partition(b"\n")[2])
    return document
