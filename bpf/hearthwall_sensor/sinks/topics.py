"""The topics of a sensor at an MQTT broker: nothing that came from the network can add a level or a wildcard."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

#: What stays as it is in a level, beside letters, digits, `_`, `.`, `-` and `~`: MACs are easier to read so.
_PLAIN: Final = ":"
_LONGEST_LEVEL: Final = 100


def level(text: str) -> str:
    """Return a text as one level of a topic."""
    return quote(text[:_LONGEST_LEVEL], safe=_PLAIN) or "%"


@dataclass(frozen=True, slots=True)
class Topics:
    """One sensor's."""

    root: str

    @classmethod
    def of(cls, prefix: str, sensor: str) -> "Topics":
        """Return the topics below a prefix, which may be several levels."""
        return cls("/".join(map(level, (*prefix.split("/"), sensor))))

    @property
    def event(self) -> str:
        """Where each event is told."""
        return f"{self.root}/event"

    @property
    def status(self) -> str:
        """Where it stands whether events are told."""
        return f"{self.root}/status"

    @property
    def command(self) -> str:
        """Where orders come."""
        return f"{self.root}/command"

    @property
    def result(self) -> str:
        """Where each order is answered."""
        return f"{self.root}/command/result"

    def rate(self, mac: str) -> str:
        """Return where it is told how much a device moves."""
        return f"{self.root}/device/{level(mac)}/rate"
