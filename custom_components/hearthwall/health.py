"""Keeps an eye on a gateway, and on why it can't be reached: its repair issues come and go by it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import time
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from .bpf.hearthwall_sensor.protocol import SensorError, Status
from .bpf.hearthwall_sensor.requests import GetStatus
from .const import DOMAIN
from .flow_forms import describe_missing
from .hub import HearthwallConfigEntry, Hub
from .issues import Board, async_delete_issues, async_raise
from .problems import (
    CLOCK_TOLERANCE,
    CONNECTION_ISSUES,
    OF_PACKAGES,
    STATUS_ISSUES,
    Look,
    connection_problem,
    is_ours,
    slow_interfaces,
    status_problems,
)
from .process import run_command

JUDGE_INTERVAL: Final = timedelta(seconds=10)
#: Of a sensor to which nothing happens; what changes is told by itself.
ASK_INTERVAL: Final = 60.0
#: How long a lost event, and a clock that was set, are worth telling of.
LOSS_REMEMBERED: Final = 3600.0
JUMPS_REMEMBERED: Final = 86400.0

#: Since when an entry can't be set up; its hub does not outlive the attempt.
_FAILING: HassKey[dict[str, float]] = HassKey("hearthwall_failing_since")


async def async_ask(hub: Hub) -> tuple[Status, float | None]:
    """Return how a sensor fares, and how far its clock is ahead; raises SensorError.

    Of the offset goes what the answer's way leaves open: a slow answer tells of no wrong clock.
    """
    began, ticked = time(), hub.hass.loop.time()
    status = Status.from_wire(await hub.call(GetStatus()))
    way = hub.hass.loop.time() - ticked
    hub.status = status
    if status.time is None:
        return status, None
    offset = status.time - (began + way / 2)
    return status, max(0.0, abs(offset) - way / 2) * (1 if offset > 0 else -1)


class Health:
    """One loaded gateway's health, for as long as it is loaded."""

    def __init__(self, hass: HomeAssistant, entry: HearthwallConfigEntry, hub: Hub) -> None:
        """Take the gateway."""
        self._hass = hass
        self._entry = entry
        self._hub = hub
        self._board = Board(
            hass, entry, CONNECTION_ISSUES | STATUS_ISSUES, lambda: hub.is_read_only
        )
        self._asked = 0.0
        self._is_asking = False
        self._judged: tuple[bool, Status | None] | None = None
        self._offset: float | None = None
        self._slow: dict[str, str] = {}
        self._jumps: list[float] = []
        self._booted: tuple[int, float] | None = None
        self._lost: list[tuple[float, int]] = []
        self._counted: tuple[int, int] | None = None

    @callback
    def async_follow(self) -> CALLBACK_TYPE:
        """Judge at each change of the status, and every few seconds; return what ends that."""
        ends: list[Callable[[], None]] = [
            self._hub.async_subscribe(None, self._async_changed),
            async_track_time_interval(self._hass, self._async_look, JUDGE_INTERVAL),
        ]
        self._async_judge()

        @callback
        def end() -> None:
            for each in ends:
                each()

        return end

    @callback
    def _async_changed(self) -> None:
        """Judge if what is known of the sensor itself has changed, not only of devices."""
        if (self._hub.available, self._hub.status) != self._judged:
            self._async_judge()

    @callback
    def _async_look(self, _now: datetime) -> None:
        """Judge again what needs patience, and ask if nothing was told for long."""
        if self._hub.available and self._hass.loop.time() - self._asked >= ASK_INTERVAL:
            self._async_begin_asking()
        self._async_judge()

    @callback
    def _async_begin_asking(self) -> None:
        """Ask how the sensor fares, unless that is asked already."""
        if not self._is_asking:
            self._is_asking = True
            self._entry.async_create_background_task(
                self._hass, self._ask(), name="hearthwall health"
            )

    async def _ask(self) -> None:
        """Take the status and the clock."""
        try:
            self._asked = self._hass.loop.time()
            status, self._offset = await async_ask(self._hub)
            self._note_clock(status)
        except SensorError:
            return  # the link says so, and tries again
        finally:
            self._is_asking = False
        self._async_judge()

    def _note_clock(self, status: Status) -> None:
        """Note whether the clock was set since the look before: its time of start would be another."""
        if status.time is None:
            return
        began = status.time - status.uptime_s
        pid, before = self._booted or (0, 0.0)
        if pid == status.pid and abs(began - before) > CLOCK_TOLERANCE:
            self._jumps.append(self._hass.loop.time())
        self._booted = (status.pid, began)

    def _note_losses(self, status: Status) -> None:
        """Note events that were lost since the look before."""
        count = status.lost.get("events_lost", 0)
        before = self._counted[1] if self._counted and self._counted[0] == status.pid else 0
        if count > before:
            self._lost.append((self._hass.loop.time(), count - before))
        self._counted = (status.pid, count)

    @callback
    def _async_judge(self) -> None:
        """Raise what is wrong, and drop what is so no more; what can't be known stays as it is."""
        hub, now = self._hub, self._hass.loop.time()
        self._judged = (hub.available, hub.status)
        if not hub.available or hub.status is None:
            self._async_judge_loss()
            return
        self._slow = slow_interfaces(self._slow, hub.status)
        self._note_losses(hub.status)
        self._jumps = [each for each in self._jumps if now - each < JUMPS_REMEMBERED]
        self._lost = [each for each in self._lost if now - each[0] < LOSS_REMEMBERED]
        look = Look(
            self._entry,
            hub.status,
            self._offset,
            self._slow,
            len(self._jumps),
            sum(count for _, count in self._lost),
        )
        self._board.async_show(status_problems(look))

    @callback
    def _async_judge_loss(self) -> None:
        """Say why there is no connection, once that has been so for long enough."""
        error = self._hub.failure or SensorError("not_running")
        self._offset = None
        problem = connection_problem(self._entry, error, self._hub.last_words)
        self._board.async_show([problem] if problem else [], unknown=STATUS_ISSUES)


@callback
def async_follow_entries(hass: HomeAssistant) -> None:
    """Drop the issues of a gateway that its user has disabled."""
    hass.data[_FAILING] = {}

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look whether an entry of ours was disabled."""
        if entry.domain == DOMAIN and entry.disabled_by is not None:
            hass.data[_FAILING].pop(entry.entry_id, None)
            async_delete_issues(hass, entry)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def async_follow_health(
    hass: HomeAssistant, entry: HearthwallConfigEntry, hub: Hub
) -> CALLBACK_TYPE:
    """Keep an eye on a gateway that was set up; return what ends that."""
    hass.data[_FAILING].pop(entry.entry_id, None)
    return Health(hass, entry, hub).async_follow()


async def async_note_failure(
    hass: HomeAssistant, entry: HearthwallConfigEntry, hub: Hub, error: SensorError
) -> None:
    """Say why a gateway can't be set up, once that has been so for long enough."""
    now = hass.loop.time()
    since = hass.data[_FAILING].setdefault(entry.entry_id, now)
    is_ours_to_check = error.code in OF_PACKAGES and is_ours(entry)
    parts = await async_missing_parts() if is_ours_to_check else ""
    problem = connection_problem(entry, error, hub.last_words, parts)
    if problem is None or now - since < problem.patience:
        return
    async_delete_issues(hass, entry, CONNECTION_ISSUES - {problem.key})
    async_raise(hass, entry, problem)


async def async_missing_parts() -> str:
    """Return what this host lacks for a sensor and how to get it, as a list; nothing if it lacks nothing."""
    try:
        report = await run_command("check")
    except SensorError as error:
        return error.message
    return describe_missing(report) if isinstance(report, dict) else ""
