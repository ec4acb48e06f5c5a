"""The unit by which systemd runs an installed sensor; Debian's package has the same, with its own program."""

from pathlib import Path
from typing import Final

from .places import CONFIG, COPIES, CURRENT, GROUP, PROGRAM

_TEMPLATE: Final = Path(__file__).with_name("hearthwall-sensor.service.in")
#: Where a copy of the programs has its own.
_WITHIN: Final = Path(__package__.partition(".")[0], "installation", _TEMPLATE.name)
_INSTALLED: Final = COPIES / CURRENT / PROGRAM


def text(program: Path, template: Path = _TEMPLATE) -> str:
    """Return the unit that runs this program."""
    words = {"@PROGRAM@": str(program), "@CONFIG@": str(CONFIG), "@GROUP@": GROUP}
    found = template.read_text()
    for word, value in words.items():
        found = found.replace(word, value)
    return found


def text_of(copy: Path) -> str:
    """Return the unit that a copy comes with: the copy was judged, and what it was made from may have changed."""
    return text(_INSTALLED, copy / _WITHIN)


def is_ours(said: str | None) -> bool:
    """Return whether a unit runs what is installed: another one of this name is somebody else's."""
    return said is not None and str(_INSTALLED) in said
