"""Processes of this host, as a sensor has them: attributed, restricted and traced, or not watched at all."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import NOT_WATCHED, SensorError
from .kernel.process_rules import ProcessRules
from .patterns.pattern import Pattern
from .patterns.reading import needed_calls
from .processes import inventory
from .processes.attribution import Attribution
from .processes.processes import Processes
from .requests import Trace
from .tracing.tracing import Tracing

#: Takes lines of a trace and how many were lost; returns whether it could.
Tell = Callable[[Sequence[dict[str, Any]], int], bool]


@dataclass(frozen=True, slots=True)
class OwnProcesses:
    """The parts that there are for it."""

    attribution: Attribution
    known: Processes
    rules: ProcessRules
    tracing: Tracing

    def begin(self, patterns: Iterable[Pattern], *, has_rules: bool) -> None:
        """Let the programs see what happens, with what runs already first: rules hold before anything is seen."""
        self.tracing.stage()
        self.follow_policy(patterns)
        self.attribution.attach_lives()
        inventory.take(
            self.attribution.tables,
            self.attribution.cgroup,
            self.known.images.of,
            self.known.bound_before,
        )
        self.rules.refresh()
        self.attribution.attach_hooks(has_rules=has_rules)

    def listen(self) -> None:
        """Take what the programs tell, in a running event loop."""
        self.attribution.listen(self.known.take)

    async def look(self) -> Processes:
        """Take what connections have counted until now; return all that is known."""
        await self.known.look(self.attribution.sockets(), self.attribution.exchanges())
        return self.known

    def follow_policy(self, patterns: Iterable[Pattern]) -> None:
        """Trace the system calls that patterns need, and no others."""
        self.tracing.watch(needed_calls(tuple(patterns)))

    async def trace(self, request: Trace, tell: Tell) -> Callable[[], None]:
        """Tell of system calls from now on; return what ends it. Raises SensorError."""
        return await self.tracing.begin(request, tell)

    @property
    def lost(self) -> dict[str, int]:
        """What did not reach its table or its reader, by cause."""
        counted = self.attribution.tables.statistics()
        return {
            "process_records_lost": counted["records_lost"],
            "processes_lost": counted["processes_lost"],
            "processes_unknown": counted["unknown"],
            "sockets_lost": counted["sockets_lost"],
            "connections_forgotten": self.known.forgotten,
            "programs_evicted": self.known.evicted,
            "process_flows_untold": self.known.untold,
        }

    def stop(self) -> None:
        """End the reading; the kernel goes on enforcing."""
        self.tracing.close()
        self.attribution.stop()


def required(own: OwnProcesses | None) -> OwnProcesses:
    """Return what there is, or raise SensorError `missing_capability`."""
    if own is None:
        raise SensorError("missing_capability", NOT_WATCHED)
    return own


def looking(own: OwnProcesses | None) -> Callable[[], Awaitable[object]]:
    """Return what looks at the connections of processes, if they are watched."""

    async def nothing() -> None:
        """There is nothing to look at."""

    return nothing if own is None else own.look
