"""What is on interfaces without a pin: found again by number, when the sensor has gone and comes back."""

import logging
from collections.abc import Mapping
from pathlib import Path

from .kernel import interface_programs, ownership, pins
from .kernel.libbpf import Program
from .kernel.pins import Pins
from .kernel.presence import Presence
from .network.occupied import programs_on_all
from .network.topology import Network
from .ports import METERS, Ports

_LOGGER = logging.getLogger(__name__)


class Unpinned:
    """One sensor's programs, where no pins tell of them."""

    def __init__(self, own: Pins, ports: Ports, state: Path) -> None:
        """Take the sensor's pins, its interfaces, and the folder where it keeps what lasts."""
        self._pins = own
        self._ports = ports
        self._state = state
        self._presence = Presence()

    def take_over(self) -> None:
        """Mount bpffs; where that can't be, interfaces have to keep the programs. Raises SensorError.

        What an earlier run left there without bpffs, or in it by another socket, is this sensor's in either case.
        """
        self._ports.adopt(interface_programs.kept(self._state))
        if (reason := pins.mount()) is not None:
            _LOGGER.warning("%s: %s", reason, pins.LOST)
            self._ports.keep_on_interfaces()
        ownership.take_over(self._pins, self._state)

    def say(self, programs: Mapping[str, Program]) -> None:
        """Say that the sensor runs to those that see its programs and nothing else of it."""
        places = (each for role in METERS.values() for each in role.values())
        self._presence.say(programs[each].id for each in places)

    def left_on(self, seen: Network) -> frozenset[int]:
        """Return which of the programs that were noted are on interfaces: they guard, whoever put them there."""
        return interface_programs.kept(self._state) & programs_on_all(seen.interfaces)

    def note(self, programs: Mapping[str, Program], seen: Network) -> None:
        """Note which programs are, or will soon be, on the interfaces; raises OSError."""
        held = {each.id for each in programs.values()} if self._pins.are_held else set()
        interface_programs.keep(self._state, held | self.left_on(seen))

    def end(self) -> None:
        """Say it no longer."""
        self._presence.end()
