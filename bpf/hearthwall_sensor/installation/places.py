"""Where an installed sensor's files lie; nothing else in the program says so."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR, SensorError

#: The group whose members may talk to the sensor.
GROUP: Final = "hearthwall"
UNIT: Final = "hearthwall-sensor.service"
PROGRAM: Final = "hearthwall-sensor"

CONFIG: Final = Path("/etc/hearthwall/sensor.toml")
STATE: Final = Path(DEFAULT_STATE_DIR)
CACHE: Final = Path("/var/cache/hearthwall")
LOGS: Final = Path("/var/log/hearthwall")
RUN: Final = Path(DEFAULT_SOCKET).parent

#: Of Debian's package, which dpkg puts in place and takes away.
PACKAGED: Final = Path("/usr/lib/hearthwall")
#: Of `install`.
COPIES: Final = Path("/usr/local/lib/hearthwall")
#: The version that is in use, and the one before it, among the copies.
CURRENT: Final = "current"
PREVIOUS: Final = "previous"
#: Where the command's link leads.
COMMAND: Final = f"../lib/{COPIES.name}/{CURRENT}/{PROGRAM}"
#: Links in links, as many as the kernel follows.
_MOST_LINKS: Final = 40


@dataclass(frozen=True, slots=True)
class Places:
    """The places below a root folder: `/`, or where a system is being put together."""

    root: Path = Path("/")

    @property
    def is_this_host(self) -> bool:
        """Whether it is the system that runs here."""
        return self.root == Path("/")

    def within(self, path: Path) -> Path:
        """Return where a path of that system leads to, seen from this one; raises SensorError `unsafe_files`."""
        return path if self.root == Path("/") else _beneath(self.root, path)

    def entry(self, path: Path) -> Path:
        """Return where something of that system itself is, seen from this one, though it be a link."""
        return self.within(path.parent) / path.name

    @property
    def copies(self) -> Path:
        """The folder of versions."""
        return self.within(COPIES)

    @property
    def current(self) -> Path:
        """The link to the version in use."""
        return self.copies / CURRENT

    @property
    def previous(self) -> Path:
        """The link to the version before it."""
        return self.copies / PREVIOUS

    @property
    def unfinished(self) -> Path:
        """What names the version before, while an upgrade is on its way."""
        return self.copies / "unfinished"

    @property
    def record(self) -> Path:
        """What was made at installation and is not plain to see later."""
        return self.copies / "installed.json"

    @property
    def kept_record(self) -> Path:
        """What of it is kept with the state, for the next installation."""
        return self.state[0] / "installed.json"

    @property
    def command(self) -> Path:
        """What is found by `PATH`."""
        return self.entry(Path("/usr/local/sbin") / PROGRAM)

    @property
    def unit(self) -> Path:
        """The unit, where those of this host's administrator are."""
        return self.entry(Path("/etc/systemd/system") / UNIT)

    @property
    def config(self) -> Path:
        """The settings."""
        return self.entry(CONFIG)

    @property
    def state(self) -> tuple[Path, ...]:
        """What was learnt, ordered and logged."""
        return self.entry(STATE), self.entry(LOGS)

    @property
    def cache(self) -> Path:
        """What the sensor makes anew."""
        return self.entry(CACHE)

    @property
    def run(self) -> Path:
        """Where the socket is, and those of other sensors may be."""
        return self.entry(RUN)

    @property
    def is_package(self) -> bool:
        """Whether Debian's package is installed there."""
        return self.within(PACKAGED).is_dir()

    @property
    def is_installed(self) -> bool:
        """Whether there is an installation, or a part of one."""
        return self.copies.is_dir() and any(self.copies.iterdir())

    def unit_of(self, copy: str) -> Path:
        """Return where a version's unit is kept, so that going back brings it back too."""
        return self.copies / f"{copy}.service"


def _beneath(root: Path, path: Path) -> Path:
    """Return where a path leads if root were `/`: a link of that system's must not lead to this one's files."""
    at, left, links = root, list(path.parts[1:]), 0
    while left:
        part = left.pop(0)
        if part == "..":
            at = at if at == root else at.parent
            continue
        at /= part
        if not at.is_symlink():
            continue
        links += 1
        if links > _MOST_LINKS:
            raise SensorError(
                "unsafe_files", f"{root / path.relative_to('/')} is links in a circle"
            )
        target = at.readlink()
        at = root if target.is_absolute() else at.parent
        left = [*target.parts[target.is_absolute() :], *left]
    return at
