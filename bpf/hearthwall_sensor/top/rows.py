"""The rows of the panes, and the orders in which they can stand."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from ..processes.image import PROGRAM
from ..protocol import Device, DeviceRule, Flow, Program
from ..words import naming
from .rates import Rate

#: The upper pane is of devices, or of programs.
Pane = Literal["devices", "programs", "flows"]


class DeviceRow(NamedTuple):
    """A device with its rate."""

    device: Device
    rate: Rate

    @property
    def key(self) -> str:
        """What it is known by."""
        return self.device.mac

    @property
    def name(self) -> str:
        """What it is called."""
        return naming.device_name(self.device)

    @property
    def target(self) -> str:
        """What an order on it names."""
        return self.device.mac

    @property
    def rule(self) -> DeviceRule | None:
        """The rule on it."""
        return self.device.rule

    def texts(self) -> Iterable[str]:
        """Return what a filter looks at."""
        device = self.device
        known = (device.mac, *device.other_macs, *device.addresses, device.hostname, device.vendor)
        yield self.name
        yield from (each for each in known if each)
        if device.rule is not None:
            yield device.rule.mode


class ProgramRow(NamedTuple):
    """A program of the gateway with its rate."""

    program: Program
    rate: Rate

    @property
    def key(self) -> str:
        """What it is known by."""
        return naming.executable(self.program.executable, self.program.container)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.key

    @property
    def target(self) -> str:
        """What an order on it names."""
        return PROGRAM + self.program.executable

    @property
    def rule(self) -> DeviceRule | None:
        """The rule on it."""
        return self.program.rule

    def texts(self) -> Iterable[str]:
        """Return what a filter looks at."""
        program = self.program
        yield from (self.key, program.unit or "", *map(str, program.pids))
        yield from (*program.listens, *program.peers)
        if program.rule is not None:
            yield program.rule.mode


class FlowRow(NamedTuple):
    """A flow with its rate, and the device that it belongs to."""

    flow: Flow
    rate: Rate
    mac: str | None
    device_name: str

    @property
    def program(self) -> str:
        """The program of the gateway whose it is, empty for a device's."""
        return naming.program(self.flow)

    @property
    def key(self) -> tuple[str | None, str]:
        """What it is known by: two devices that talk with each other have a flow each."""
        return flow_key(self.flow)

    def texts(self) -> Iterable[str]:
        """Return what a filter looks at."""
        flow = self.flow
        yield from (self.device_name, naming.peer(flow), flow.peer_address, flow.address)
        yield from (flow.transport, naming.application(flow), naming.outcome(flow))
        yield from (flow.country or "", naming.network(flow))


def flow_key(flow: Flow) -> tuple[str | None, str]:
    """Return what a flow is known by."""
    return flow.mac, flow.community_id


def _rate(row: Any) -> Any:
    """Sort key: what moves most, then what has moved most."""
    return -row.rate.both, -_moved(row), str(row.key)


def _moved(row: Any) -> int:
    """Return the bytes of both ways."""
    counted = row[0]
    return int(counted.upload_bytes + counted.download_bytes)


def _total(row: Any) -> Any:
    """Sort key: what has moved most."""
    return -_moved(row), str(row.key)


def _name(row: Any) -> Any:
    """Sort key: the name, or the peer's."""
    is_flow = isinstance(row, FlowRow)
    text = row.flow.peer_name or row.flow.peer_address if is_flow else row.name
    return text.casefold(), str(row.key)


def _rule(row: DeviceRow | ProgramRow) -> Any:
    """Sort key: what has a rule, then what moves most."""
    return row.rule is None, *_rate(row)


def _seen(row: Any) -> Any:
    """Sort key: what moved last."""
    return -row.flow.last_seen, str(row.key)


#: By pane: what rows can be sorted by, the first unless told otherwise.
SORTS: Final[Mapping[Pane, Mapping[str, Callable[[Any], Any]]]] = {
    "devices": {"rate": _rate, "total": _total, "name": _name, "rule": _rule},
    "programs": {"rate": _rate, "total": _total, "name": _name, "rule": _rule},
    "flows": {"rate": _rate, "total": _total, "peer": _name, "last seen": _seen},
}


def matches(row: DeviceRow | ProgramRow | FlowRow, wanted: str) -> bool:
    """Return whether any of a row's texts holds what a filter wants."""
    folded = wanted.casefold()
    return any(folded in each.casefold() for each in row.texts())
