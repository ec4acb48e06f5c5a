"""The config flow's steps for a sensor that Home Assistant runs itself, on its own host."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant

from .bpf.hearthwall_sensor.protocol import Hello, SensorError, Status
from .connection import guarded_interfaces, probe
from .const import CONF_INTERFACES, CONF_SOCKET, CONF_STATE_DIR, CONF_WAN
from .errors import detail_of
from .flow_finish import FinishingFlow
from .flow_forms import SECTION_PATHS, describe_missing, find_input_errors, interfaces_schema
from .process import ProcessError, SensorProcess, run_command


class ThisHostFlow(FinishingFlow):
    """Looks at this host, asks what to guard, and starts the sensor on it."""

    def __init__(self) -> None:
        """Start without a task and without findings."""
        self._task: asyncio.Task[Any] | None = None
        self._report: Mapping[str, Any] = {}
        self._error: SensorError | None = None
        self._input: dict[str, Any] = {}
        self._data: dict[str, Any] = {}
        self._hello: Hello | None = None

    async def async_step_this_host(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Run the sensor's check, which tells the interfaces and what is missing."""
        return await self._async_progress("this_host", "check", self._async_check(), "checked")

    async def async_step_checked(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on to the interfaces, or to what stands in the way."""
        if self._error is None and self._report.get("ok") and self._report.get("interfaces"):
            return await self.async_step_interfaces()
        return await self.async_step_not_ready()

    async def async_step_not_ready(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is missing on this host and how to get it, and try again."""
        if user_input is not None:
            return await self.async_step_this_host()
        if self._error is not None:
            reason = self._error.code
        else:
            reason = "no_interfaces" if self._report.get("ok") else "parts_missing"
        return self.async_show_form(
            step_id="not_ready",
            data_schema=vol.Schema({}),
            errors={"base": reason},
            description_placeholders={
                "parts": describe_missing(self._report),
                "message": detail_of(self._error) if self._error else "",
            },
        )

    async def async_step_interfaces(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what to guard, and start the sensor on it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._error = None
            self._input = user_input
            self._data = {
                CONF_INTERFACES: user_input[CONF_INTERFACES],
                CONF_WAN: user_input.get(CONF_WAN, []),
                **user_input[SECTION_PATHS],
            }
            errors = find_input_errors(self._data)
            if not errors:
                self._abort_if_place_configured(self._data, CONF_SOCKET)
                return await self.async_step_start()
        elif self._error is not None:
            errors = {"base": self._error.code}
        return self.async_show_form(
            step_id="interfaces",
            data_schema=self.add_suggested_values_to_schema(
                interfaces_schema(self._report["interfaces"]), self._input
            ),
            errors=errors,
            description_placeholders={"message": detail_of(self._error) if self._error else ""},
        )

    async def async_step_start(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Start the sensor as the entry will, so that what fails fails here."""
        return await self._async_progress("start", "start", self._async_try(), "started")

    async def async_step_started(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create the entry, or go back to the interfaces with the reason."""
        if self._error is not None:
            return await self.async_step_interfaces()
        return await self._async_finish(
            self._data, self._hello, ", ".join(self._data[CONF_INTERFACES])
        )

    async def _async_progress(
        self, step: str, action: str, work: Coroutine[Any, Any, None], next_step: str
    ) -> ConfigFlowResult:
        """Show progress while work runs, then go on; a SensorError waits in `_error`."""
        if self._task is None:
            self._error = None
            self._task = self.hass.async_create_task(work)
        else:
            work.close()
        if not self._task.done():
            return self.async_show_progress(
                step_id=step, progress_action=action, progress_task=self._task
            )
        task, self._task = self._task, None
        try:
            await task
        except SensorError as error:
            self._error = error
        return self.async_show_progress_done(next_step_id=next_step)

    async def _async_check(self) -> None:
        """Run the sensor's check."""
        self._report = {}
        report = await run_command("check")
        if not isinstance(report, dict):
            raise ProcessError("unreadable_output")
        self._report = report

    async def _async_try(self) -> None:
        """Start the sensor on what was chosen, and end it again: the entry starts its own.

        While an entry is reconfigured its sensor steps aside, and comes back if the new one fails.
        """
        entry = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        if entry is not None and entry.state is ConfigEntryState.LOADED:
            await self.hass.config_entries.async_unload(entry.entry_id)
        try:
            self._hello, _ = await _try_sensor(self.hass, self._data)
        except SensorError:
            if entry is not None:
                await self.hass.config_entries.async_setup(entry.entry_id)
            raise


async def _try_sensor(hass: HomeAssistant, data: Mapping[str, Any]) -> tuple[Hello, Status]:
    """Start a sensor, ask who it is and how it fares, and end it; raises SensorError.

    One that runs on the socket already is as good, if it guards what was chosen.
    """
    process = SensorProcess(
        interfaces=data[CONF_INTERFACES],
        wan=data[CONF_WAN],
        socket=data[CONF_SOCKET],
        state_dir=data[CONF_STATE_DIR],
    )
    try:
        await process.start()
        return await probe(hass, data)
    except SensorError as error:
        if error.code != "already_running":
            raise
    finally:
        await process.stop()
    hello, status = await probe(hass, data)
    home, wan = guarded_interfaces(status, "lan"), guarded_interfaces(status, "wan")
    if not (set(data[CONF_INTERFACES]) <= set(home) and set(data[CONF_WAN]) <= set(wan)):
        raise SensorError("already_running", ", ".join(home + wan))
    return hello, status
