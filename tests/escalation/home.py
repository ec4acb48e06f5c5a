"""A gateway on which Home Assistant runs as an unprivileged user, who wants to be root.

The user owns its configuration with the integration's folder in it, and may talk to the sensor. It leaves its mark
wherever root would run what it wrote.
"""

import json
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any, Final

from lab import Lab
from tests.gateway.sensor_process import LAUNCHER, command, until
from tests.rootfs.made import made, packed
from tests.rootfs.system import System

USER: Final = "homeassistant"
HOME: Final = f"/home/{USER}"
INTEGRATION: Final = f"{HOME}/.homeassistant/custom_components/hearthwall"
#: Where the administrator unpacked the release, and what the integration's zip holds of it.
RELEASE: Final = "/root/release"
CONFIG: Final = "/etc/hearthwall/sensor.toml"
#: Only root can write it, and what only root can read.
MARK: Final = "/root/owned"
SECRET: Final = "only-root-reads-this"
SECRET_FILE: Final = "/root/secret"
#: Python that leaves the mark if root runs it, and does nothing else.
PAYLOAD: Final = f"\nimport os as _os\nif _os.geteuid() == 0: open({MARK!r}, 'w').close()\n"
LISTEN: Final = "127.0.0.1:8447"


class Home:
    """The gateway, with the sensor installed and running."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        tree = made("bookworm")
        self._folder = folder
        self.system = System(tree, folder, lab)
        self._unpack(folder)
        self.run("useradd", "--create-home", "--shell", "/bin/sh", USER)
        self.run("chown", "-R", f"{USER}:{USER}", HOME)
        self.path(SECRET_FILE).write_text(f"{SECRET}\n{SECRET}.example\n203.0.113.77\n")
        self.path(SECRET_FILE).chmod(0o600)
        installer = f"{RELEASE}/bpf/hearthwall-sensor"
        self.run(installer, "install", "--interface", "br-lan", "--user", USER, "--no-start")
        with self.path(CONFIG).open("a") as config:
            config.write(f'listen = "{LISTEN}"\ncgroup = "none"\n')
        self.token = json.loads(self.run("hearthwall-sensor", "token", "--json", "mine"))
        self.start()

    def _unpack(self, folder: Path) -> None:
        """Put the release where the administrator has it, and where the user has it."""
        release = packed(folder / "hearthwall.zip", "1.0.0")
        for place in (RELEASE, INTEGRATION):
            with zipfile.ZipFile(release) as archive:
                archive.extractall(self.path(place))
            # Compiled once for all: the same kernel is below
            shutil.copytree(compiled(folder), self.path(f"{place}/bpf/compiled"))
        self.path(f"{RELEASE}/bpf/hearthwall-sensor").chmod(0o755)

    def start(self) -> None:
        """Start the sensor as the unit does, and wait until it answers."""
        log = self._folder / "sensor.log"
        self._sensor = self.system.popen("hearthwall-sensor", "run", "--config", CONFIG, log=log)
        assert until(lambda: self.status() is not None, 30), log.read_text()

    def restart(self) -> None:
        """Restart the sensor."""
        self._sensor.terminate()
        self._sensor.wait(20)
        self.start()

    def status(self) -> dict[str, Any] | None:
        """Return what the sensor says to root, None if none runs."""
        done = self.system.run("hearthwall-sensor", "status", "--json", check=False)
        document: dict[str, Any] = json.loads(done.stdout)
        return None if "error" in document else document

    @property
    def pid(self) -> int:
        """The sensor's process, which took over the one that entered the gateway."""
        return self._sensor.pid

    @property
    def is_running(self) -> bool:
        """Whether the sensor that was started still runs."""
        return self._sensor.poll() is None

    def path(self, path: str) -> Path:
        """Return where a path of the gateway is, seen from here."""
        return self.system.path(path)

    def run(self, *line: str, check: bool = True) -> str:
        """Run a command as root; return what it prints."""
        return self.system.run(*line, check=check).stdout

    def attempt(self, *line: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the user."""
        become = (
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--init-groups",
            "env",
            f"HOME={HOME}",
        )
        return self.system.run(*become, *line, check=False)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as the user."""
        return self.attempt("sh", "-c", script)

    def ask(self, *words: str) -> Any:
        """Say a command to the sensor as the user; return its document."""
        return json.loads(self.attempt("hearthwall-sensor", *words, "--json").stdout)

    def plant(self, path: str, text: str) -> None:
        """Write a file as the user."""
        done = self.system.run(
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--init-groups",
            "sh",
            "-c",
            'mkdir -p "$(dirname "$1")" && printf %s "$2" >> "$1"',
            "sh",
            path,
            text,
        )
        assert done.returncode == 0

    @property
    def is_owned(self) -> bool:
        """Whether root has run what the user wrote; asked once, the mark is gone."""
        mark = self.path(MARK)
        found = mark.exists()
        mark.unlink(missing_ok=True)
        return found

    def close(self) -> None:
        """End all of it."""
        self.system.__exit__(None, None, None)


def compiled(folder: Path) -> Path:
    """Return a folder with the compiled programs."""
    to = folder / "compiled"
    if not to.is_dir():
        line = command("load", "--json", "--compile-into", str(to), launcher=LAUNCHER)
        subprocess.run(line, check=True, capture_output=True, timeout=90)
    return to


def changed_since(home: Home, moment: float) -> list[str]:
    """Return root's files that were made or changed since a time, but for the sensor's own."""
    own = ("/var/lib/hearthwall", "/var/cache/hearthwall", "/run/hearthwall", "/tmp", "/home")
    line = ["find", "/", "-xdev", "-newermt", f"@{moment:.3f}", "-type", "f"]
    for each in own:
        line += ["-not", "-path", f"{each}/*"]
    return home.run(*line).split()


def now() -> float:
    """Return the time, a moment later than anything before."""
    time.sleep(0.05)
    return time.time()
