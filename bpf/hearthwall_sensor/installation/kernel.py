"""What an installation knows of the kernel: whether its sensor guards there, and how that ends."""

from typing import Protocol


class Kernel(Protocol):
    """What the installed sensor has in the kernel."""

    @property
    def guards(self) -> bool:
        """Whether anything of it is there; raises SensorError where that can't be told."""

    def unload(self) -> bool:
        """Take it out; return whether it was there. Raises SensorError."""
