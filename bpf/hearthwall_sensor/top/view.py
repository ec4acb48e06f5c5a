"""What a person sees and has chosen, and what each key does to it. No terminal is needed for it."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from ..modes import Mode
from ..protocol import Device, DeviceRule, Flow, Program, Status
from ..requests import AddBlock, RemoveBlock
from ..words import naming
from ..words.amounts import span
from .rates import Rate
from .rows import SORTS, DeviceRow, FlowRow, Pane, ProgramRow, flow_key, matches

#: What a device can be cut off by, what a program, and for how long (seconds, None for good).
MODES: Final[tuple[Mode, ...]] = ("isolate", "no_internet")
_OF_PROGRAM: Final[tuple[Mode, ...]] = ("isolate",)
DURATIONS: Final[tuple[float | None, ...]] = (600.0, 3600.0, 8 * 3600.0, None)
_USUAL: Final = DURATIONS.index(3600.0)
#: A message stands for so many seconds.
_MESSAGE: Final = 8.0
#: What a page is where nobody knows the pane's height.
_PAGE: Final = 10
_LONGEST_FILTER: Final = 60

Tone = Literal["good", "bad", "plain"]
Order = AddBlock | RemoveBlock | Literal["quit", "redraw"]


class Message(NamedTuple):
    """What came of an order."""

    text: str
    tone: Tone
    until: float


@dataclasses.dataclass(slots=True)
class Question:
    """Whether to cut a device or a program off, how and for how long."""

    target: str
    name: str
    modes: tuple[Mode, ...] = MODES
    mode: int = 0
    duration: int = _USUAL

    @property
    def order(self) -> AddBlock:
        """The order that a yes gives."""
        return AddBlock(
            self.target,
            mode=self.modes[self.mode],
            duration=DURATIONS[self.duration],
            reason="by hand, in top",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Whether to end the rule on a device or a program."""

    target: str
    name: str
    rule: DeviceRule

    @property
    def order(self) -> RemoveBlock:
        """The order that a yes gives."""
        return RemoveBlock(str(self.rule.id))


def duration_text(seconds: float | None) -> str:
    """Return how long a rule holds, in words."""
    return "for good" if seconds is None else f"for {span(seconds)}"


class View:
    """The state of the view. `mac` is the chosen device, None for all; `program` alike; `flow` the chosen flow.

    `upper` is what stands in the upper pane: devices or programs.
    """

    def __init__(self, gateway: str) -> None:
        """Begin with nothing read; all devices are chosen."""
        self.gateway = gateway
        self.status: Status | None = None
        self.trouble: str | None = None
        self.paused = False
        self.help = False
        self.focus: Pane = "devices"
        self.upper: Pane = "devices"
        self.mac: str | None = None
        self.program: str | None = None
        self.flow: tuple[str | None, str] | None = None
        self.sorts: dict[Pane, str] = {pane: next(iter(sorts)) for pane, sorts in SORTS.items()}
        self.filters: dict[Pane, str] = dict.fromkeys(SORTS, "")
        self.question: Question | Release | None = None
        self.editing = False
        self.page = _PAGE
        self.message: Message | None = None
        self._before_editing = ""
        self._devices: tuple[DeviceRow, ...] = ()
        self._programs: tuple[ProgramRow, ...] = ()
        self._flows: tuple[FlowRow, ...] = ()

    # What was read

    def take(
        self,
        devices: Sequence[Device],
        flows: Iterable[Flow],
        device_rates: Mapping[Any, Rate],
        flow_rates: Mapping[Any, Rate],
    ) -> None:
        """Take what was read, unless the view is paused."""
        if self.paused:
            self.take_rules({each.mac: each.rule for each in devices})
            return
        self._devices = tuple(
            DeviceRow(each, device_rates.get(each.mac, Rate())) for each in devices
        )
        owners = {mac: row for row in self._devices for mac in (row.key, *row.device.other_macs)}
        self._flows = tuple(
            _flow_row(each, flow_rates.get(flow_key(each), Rate()), owners) for each in flows
        )
        if self.mac is not None and all(row.key != self.mac for row in self._devices):
            self.mac = None

    def take_programs(self, programs: Iterable[Program], rates: Mapping[Any, Rate]) -> None:
        """Take the gateway's programs, unless the view is paused."""
        if not self.paused:
            rows = (ProgramRow(each, Rate()) for each in programs)
            self._programs = tuple(row._replace(rate=rates.get(row.key, Rate())) for row in rows)

    def take_rules(self, rules: Mapping[str, DeviceRule | None]) -> None:
        """Take the rules alone: those show at once, also while the view is paused."""
        self._devices = tuple(
            row._replace(device=dataclasses.replace(row.device, rule=rules[row.key]))
            if row.key in rules and row.device.rule != rules[row.key]
            else row
            for row in self._devices
        )

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Show a message for a while."""
        self.message = Message(text, tone, time.monotonic() + _MESSAGE)

    # What is shown

    @property
    def rate(self) -> Rate:
        """The rate of all devices together."""
        return _together(self._devices)

    @property
    def program_rate(self) -> Rate:
        """The rate of all programs together."""
        return _together(self._programs)

    @property
    def device_count(self) -> int:
        """How many devices there are, whatever the filter."""
        return len(self._devices)

    @property
    def program_count(self) -> int:
        """How many of the gateway's programs there are, as far as they were read."""
        return len(self._programs) or len({row.program for row in self._flows if row.program})

    @property
    def flow_count(self) -> int:
        """How many flows there are, also those that were not read of devices."""
        own = sum(bool(row.program) for row in self._flows)
        return len(self._flows) if self.status is None else self.status.flows + own

    def devices(self) -> list[DeviceRow]:
        """Return the devices that the filter lets through, in order."""
        return self._arranged("devices", self._devices)

    def programs(self) -> list[ProgramRow]:
        """Return the programs that the filter lets through, in order."""
        return self._arranged("programs", self._programs)

    def who(self) -> list[DeviceRow] | list[ProgramRow]:
        """Return the rows of the upper pane."""
        return self.programs() if self.upper == "programs" else self.devices()

    @property
    def chosen_key(self) -> str | None:
        """What is chosen in the upper pane, None for all."""
        return self.program if self.upper == "programs" else self.mac

    def flows(self) -> list[FlowRow]:
        """Return the flows of what is chosen that the filter lets through, in order."""
        return self._arranged("flows", filter(self._is_of_chosen, self._flows))

    def _is_of_chosen(self, row: FlowRow) -> bool:
        """Return whether a flow is of what is chosen in the upper pane."""
        if self.upper == "programs":
            return row.program == self.program if self.program is not None else bool(row.program)
        return self.mac is None or row.mac == self.mac

    def to_wire(self) -> dict[str, Any]:
        """Return what is shown as the JSON object that `top --once --json` prints."""
        return {
            "gateway": self.gateway,
            **self.rate.to_wire(),
            "lost": {} if self.status is None else dict(self.status.lost),
            "devices": [row.device.to_wire() | row.rate.to_wire() for row in self.devices()],
            "flows": [row.flow.to_wire() | row.rate.to_wire() for row in self.flows()],
        }

    def _arranged(self, pane: Pane, rows: Iterable[Any]) -> list[Any]:
        """Return what a pane's filter lets through, in its order."""
        wanted = self.filters[pane]
        kept = [row for row in rows if not wanted or matches(row, wanted)]
        return sorted(kept, key=SORTS[pane][self.sorts[pane]])

    def chosen(self) -> DeviceRow | ProgramRow | None:
        """Return the device, or the program, that an order would be for."""
        key = self.chosen_key
        if self.focus == "flows" and (flow := self.chosen_flow()) is not None:
            key = flow.program if self.upper == "programs" else flow.mac
        rows: tuple[DeviceRow | ProgramRow, ...] = (
            self._programs if self.upper == "programs" else self._devices
        )
        return next((row for row in rows if row.key == key), None)

    def chosen_flow(self) -> FlowRow | None:
        """Return the chosen flow, the first one unless another was chosen."""
        flows = self.flows()
        return next((row for row in flows if row.key == self.flow), flows[0] if flows else None)

    # What keys do

    def press(self, key: str) -> Order | None:
        """Carry out a key: a character, or a name such as `up`; return what someone else must do."""
        if key == "redraw":
            return "redraw"
        if self.help:
            self.help = False
            return None
        if self.question is not None:
            return self._answer(self.question, key)
        if self.editing:
            self._edit(key)
            return None
        self.message = None
        action = _KEYS.get(key)
        return action(self) if action is not None else None

    def _answer(self, question: Question | Release, key: str) -> Order | None:
        """Carry out a key while there is a question."""
        if key in {"n", "N", "q", "escape"}:
            self.question = None
        elif key in {"y", "Y"}:
            self.question = None
            return question.order
        elif isinstance(question, Question):
            self._change(question, key)
        return None

    @staticmethod
    def _change(question: Question, key: str) -> None:
        """Change how, or for how long, somebody would be cut off."""
        if key in {"m", "left", "right"}:
            question.mode = (question.mode + 1) % len(question.modes)
        elif key in {"d", "down", "up"}:
            step = -1 if key == "up" else 1
            question.duration = (question.duration + step) % len(DURATIONS)

    def _edit(self, key: str) -> None:
        """Carry out a key while the filter is written."""
        text = self.filters[self.focus]
        if key == "enter":
            self.editing = False
        elif key == "escape":
            self.filters[self.focus] = self._before_editing
            self.editing = False
        elif key == "backspace":
            self.filters[self.focus] = text[:-1]
        elif len(key) == 1 and key.isprintable() and len(text) < _LONGEST_FILTER:
            self.filters[self.focus] = text + key

    def quit(self) -> Order:
        """End the view."""
        return "quit"

    def cut_off(self) -> None:
        """Ask whether to cut off what is chosen."""
        row = self.chosen()
        if row is None:
            self.say(f"Choose a {self.upper[:-1]} first: {self._way()}.")
        else:
            modes = MODES if isinstance(row, DeviceRow) else _OF_PROGRAM
            self.question = Question(row.target, row.name, modes)

    def _way(self) -> str:
        """Return which keys choose in the upper pane from here."""
        return "arrow keys" if self.focus != "flows" else "Tab, then arrow keys"

    def release(self) -> None:
        """Ask whether to end the rule on what is chosen."""
        row = self.chosen()
        if row is None or row.rule is None:
            first = f"Choose a {self.upper[:-1]} with a rule first: {self._way()}."
            self.say(first if row is None else "There is no rule.")
        else:
            self.question = Release(row.target, row.name, row.rule)

    def move(self, step: int) -> None:
        """Choose the row so many further down in the pane that has the focus."""
        keys: list[Any] = [row.key for row in self.flows()]
        chosen: Any = self.flow
        if self.focus != "flows":
            keys, chosen = [None, *(row.key for row in self.who())], self.chosen_key
        if not keys:
            return
        index = keys.index(chosen) if chosen in keys else 0
        key = keys[min(max(index + step, 0), len(keys) - 1)]
        if self.focus == "flows":
            self.flow = key
        elif self.upper == "programs":
            self.program = key
        else:
            self.mac = key

    def turn(self) -> None:
        """Give the other pane the focus."""
        self.focus = "flows" if self.focus != "flows" else self.upper

    def change(self) -> None:
        """Have programs in place of devices, or devices again."""
        self.upper = "programs" if self.upper == "devices" else "devices"
        self.focus = self.upper

    def sort(self) -> None:
        """Sort the focused pane by the next thing."""
        names = list(SORTS[self.focus])
        self.sorts[self.focus] = names[(names.index(self.sorts[self.focus]) + 1) % len(names)]

    def begin_filter(self) -> None:
        """Begin to write the focused pane's filter."""
        self._before_editing = self.filters[self.focus]
        self.editing = True

    def clear_filter(self) -> None:
        """Let everything through the focused pane's filter."""
        self.filters[self.focus] = ""

    def pause(self) -> None:
        """Stand still, or go on."""
        self.paused = not self.paused

    def show_help(self) -> None:
        """Show what the keys do, until the next one."""
        self.help = True


def _together(rows: Iterable[DeviceRow | ProgramRow]) -> Rate:
    """Return the rate of several together."""
    rates = [row.rate for row in rows]
    return Rate(sum(each.upload for each in rates), sum(each.download for each in rates))


def _flow_row(flow: Flow, rate: Rate, owners: Mapping[str, DeviceRow]) -> FlowRow:
    """Return a flow as a row, with the device that has its MAC."""
    owner = owners.get(flow.mac or "")
    if owner is None:
        name = naming.program(flow) or flow.mac or flow.address
        return FlowRow(flow, rate, flow.mac, name)
    return FlowRow(flow, rate, owner.key, owner.name)


_FAR: Final = 1_000_000
_KEYS: Final[Mapping[str, Callable[[View], Order | None]]] = {
    "up": lambda view: view.move(-1),
    "k": lambda view: view.move(-1),
    "down": lambda view: view.move(1),
    "j": lambda view: view.move(1),
    "pageup": lambda view: view.move(-view.page),
    "pagedown": lambda view: view.move(view.page),
    "home": lambda view: view.move(-_FAR),
    "end": lambda view: view.move(_FAR),
    "tab": View.turn,
    "enter": View.turn,
    "s": View.sort,
    "/": View.begin_filter,
    "escape": View.clear_filter,
    "b": View.cut_off,
    "u": View.release,
    "o": View.change,
    "p": View.pause,
    "?": View.show_help,
    "h": View.show_help,
    "q": View.quit,
}
