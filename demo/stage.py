"""What the demo builds on this machine, and its way back: also after a crash, by whoever comes next."""

import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from demo.errors import DemoError
from demo.gateway import ROOT
from lab import Lab, tools

FOLDER: Final = Path("/run/hearthwall-demo")
SENSOR: Final = ROOT / "bpf" / "hearthwall-sensor"
UNLOAD_SECONDS: Final = 60


class Stage:
    """A lab of the demo's own, and a folder that is there for as long as anything else of it is."""

    def __init__(self, name: str) -> None:
        self.lab = Lab(name)
        self.folder = FOLDER / name
        self.config = self.folder / "config"
        self.socket = self.folder / "sensor.sock"
        self.state = self.folder / "state"
        self._claim: socket.socket | None = None

    def claim(self) -> None:
        """Keep others off this name. An abstract socket ends with its process, however that ends."""
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0{self.folder}")
        except OSError:
            claim.close()
            raise DemoError(
                f"A demo with the name {self.lab.name} runs already: end it, or use --name for a second one."
            ) from None
        self._claim = claim

    def is_left(self) -> bool:
        """Tell whether an earlier demo left something; somebody else's lab of this name is none of ours."""
        if self.folder.exists():
            return True
        if self.lab.status().state != "down":
            name = self.lab.name
            raise DemoError(
                f"There is a lab {name} that no demo made: scripts/lab down --name {name}, or use another --name."
            )
        return False

    def build(self) -> None:
        """Make the folder, first of all, and the lab."""
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o700)
        self.lab.up()

    def clear(self, log: BinaryIO) -> None:
        """Take everything down, whatever there is of it."""
        # A second Ctrl-C must not end the tools that this needs
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            unloaded = self._unload(log)
            self.lab.down()
            shutil.rmtree(self.folder)
            with suppress(OSError):  # other demos are still there
                FOLDER.rmdir()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        if not unloaded:
            raise DemoError(
                "The sensor did not leave the kernel: see scripts/sensor unload --help and"
                f" use --socket {self.socket}."
            )

    def _unload(self, log: BinaryIO) -> bool:
        """Take the sensor out of the kernel, from the gateway if that still stands; return whether it went."""
        argv = [
            tools.PYTHON,
            *("-I", str(SENSOR), "unload", "--forget"),
            *("--socket", str(self.socket)),
        ]
        if self.lab.netns("gateway").is_mount():
            argv = self.lab.argv("gateway", argv)
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=UNLOAD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
