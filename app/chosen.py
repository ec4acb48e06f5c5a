"""What was chosen for the app: its options, and a file of settings."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SENSOR: Final = "/usr/sbin/hearthwall-sensor"
#: Only this host reaches the sensor, unless it is said otherwise.
LISTEN: Final = "127.0.0.1:8447"
#: Options that are lists → what `run` calls each.
FLAGS: Final = {
    "interfaces": "--interface",
    "wan": "--wan",
    "dns_servers": "--dns-server",
    "floods": "--flood",
}
#: What a container has one of: the settings' file does not change them.
FIXED: Final = {"socket": "/run/hearthwall/sensor.sock", "state_dir": "/var/lib/hearthwall"}


def read_options(data: Path) -> dict[str, Any]:
    """Return what was chosen in Home Assistant, nothing where there is no Supervisor."""
    try:
        options: dict[str, Any] = json.loads((data / "options.json").read_text())
    except FileNotFoundError:
        return {}
    return options


class Chosen:
    """What was chosen: by the options, and by a settings' file, over which they win."""

    def __init__(self, options: Mapping[str, Any], folders: Sequence[Path]) -> None:
        """Take the options, and the folders where settings may be, of which the first that has some counts.

        Raises OSError or ValueError for a file that can't be read.
        """
        self.options = options
        self._file = next((each for f in folders if (each := f / "sensor.toml").is_file()), None)
        self._settings: dict[str, Any] = {}
        if self._file is not None:
            self._settings = tomllib.loads(self._file.read_text())

    @property
    def has_interfaces(self) -> bool:
        """Whether it is said what leads to the home."""
        return bool(self.options.get("interfaces") or self._settings.get("interfaces"))

    @property
    def listen(self) -> str:
        """The address and port at which other hosts reach the sensor, or this one only."""
        return str(self.options.get("listen") or self._settings.get("listen") or LISTEN)

    @property
    def refused(self) -> dict[str, str]:
        """What the settings say of what a container has one of, and what it is in place of that."""
        return {
            name: value for name, value in FIXED.items() if self._settings.get(name, value) != value
        }

    def line(self, *, alone: bool) -> list[str]:
        """Return the command that runs the sensor, which may be its host's only one.

        In a container there are no processes of the host to watch, unless the settings say otherwise.
        """
        line = [SENSOR, "run", "--wait", "--listen", self.listen]
        if alone:
            line.append("--alone")
        if "cgroup" not in self._settings:
            line += ["--cgroup", "none"]
        for name, value in FIXED.items():
            line += [f"--{name.replace('_', '-')}", value]
        if self._file is not None:
            line += ["--config", str(self._file)]
        for option, flag in FLAGS.items():
            line += [f"{flag}={value}" for value in self.options.get(option, ())]
        return line
