"""Which devices are at home: those that the kernel heard of lately."""

from collections.abc import Mapping

from .bpf.hearthwall_sensor.protocol import Device


class Presence:
    """The devices at home, and who came or went."""

    def __init__(self) -> None:
        """Start with an empty house."""
        self.online: set[str] = set()

    def update(
        self, devices: Mapping[str, Device], *, now: float, consider_home: float
    ) -> set[str]:
        """Judge by when each device was last seen; return those that came or went."""
        online = {mac for mac, device in devices.items() if now - device.last_seen < consider_home}
        changed = online ^ self.online
        self.online = online
        return changed
