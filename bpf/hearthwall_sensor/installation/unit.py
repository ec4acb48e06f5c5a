"""The unit by which systemd runs an installed sensor; Debian's package has the same, with its own program."""

from pathlib import Path

from .places import CONFIG, GROUP

TEMPLATE = Path(__file__).with_name("hearthwall-sensor.service.in")


def text(program: Path) -> str:
    """Return the unit that runs this program."""
    words = {"@PROGRAM@": str(program), "@CONFIG@": str(CONFIG), "@GROUP@": GROUP}
    found = TEMPLATE.read_text()
    for word, value in words.items():
        found = found.replace(word, value)
    return found
