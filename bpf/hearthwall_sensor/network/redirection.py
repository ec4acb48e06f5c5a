"""Where a rule may send packets instead: to an interface beside the guarded ones, or they would come round again."""

from collections.abc import Collection

from ..protocol import SensorError
from .topology import Network


def check_redirection(name: str, network: Network, guarded: Collection[int]) -> None:
    """Raise SensorError `unknown_interface` if packets can't be redirected to this interface."""
    interface = network.by_name(name)
    if interface is None:
        raise SensorError(
            "unknown_interface", f"there is no interface {name[:40]!r} to redirect to"
        )
    bridges = {network.interfaces[index].bridge for index in guarded if index in network.interfaces}
    why = None
    if interface.index in guarded:
        why = "is guarded itself"
    elif interface.index in bridges:
        why = "is the bridge of guarded ports"
    elif interface.default_route:
        why = "leads to the internet"
    elif name == "lo":
        why = "leads back to this host"
    if why is not None:
        raise SensorError(
            "unknown_interface",
            f"{name} {why}, so what is redirected there would not be gone: choose another interface",
        )
