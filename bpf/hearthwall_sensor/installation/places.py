"""Where an installed sensor's files lie; nothing else in the program says so."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR

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


@dataclass(frozen=True, slots=True)
class Places:
    """The places below a root folder: `/`, or where a system is being put together."""

    root: Path = Path("/")

    @property
    def is_this_host(self) -> bool:
        """Whether it is the system that runs here."""
        return self.root == Path("/")

    def within(self, path: Path) -> Path:
        """Return where a path of that system is, seen from this one."""
        return self.root / path.relative_to("/")

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
    def record(self) -> Path:
        """What was made at installation and is not plain to see later."""
        return self.copies / "installed.json"

    @property
    def command(self) -> Path:
        """What is found by `PATH`."""
        return self.within(Path("/usr/local/sbin") / PROGRAM)

    @property
    def unit(self) -> Path:
        """The unit, where those of this host's administrator are."""
        return self.within(Path("/etc/systemd/system") / UNIT)

    @property
    def config(self) -> Path:
        """The settings."""
        return self.within(CONFIG)

    @property
    def kept(self) -> tuple[Path, ...]:
        """What an installation is removed without if its state is to be kept."""
        return self.config.parent, self.within(STATE), self.within(LOGS)

    @property
    def passing(self) -> tuple[Path, ...]:
        """What the sensor makes anew."""
        return self.within(CACHE), self.within(RUN)

    def unit_of(self, copy: str) -> Path:
        """Return where a version's unit is kept, so that going back brings it back too."""
        return self.copies / f"{copy}.service"
