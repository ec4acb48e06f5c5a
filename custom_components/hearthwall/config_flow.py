"""Config flow: run the sensor on this host, or connect to one that runs already."""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.core import callback

from .bpf.hearthwall_sensor.protocol import SensorError, Status
from .connection import fetch_status, guarded_interfaces
from .const import CONF_INTERFACES, CONF_SOCKET, CONF_STATE_DIR, CONF_WAN, DOMAIN
from .flow_forms import (
    EXISTING_SCHEMA,
    SECTION_PATHS,
    describe_missing,
    find_input_errors,
    interfaces_schema,
)
from .options_flow import HearthwallOptionsFlow
from .process import LAUNCHER, ProcessError, SensorProcess, run_command


class HearthwallConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up a gateway; nothing is created before its sensor answered."""

    VERSION = 1

    def __init__(self) -> None:
        """Start without a task and without findings."""
        self._task: asyncio.Task[Any] | None = None
        self._report: Mapping[str, Any] = {}
        self._error: SensorError | None = None
        self._input: dict[str, Any] = {}
        self._data: dict[str, Any] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return HearthwallOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer what this Home Assistant can do: only as root it can run the sensor itself."""
        if os.geteuid() != 0:
            return await self.async_step_existing()
        return self.async_show_menu(step_id="user", menu_options=["this_host", "existing"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask again for what the entry was made from."""
        entry = self._get_reconfigure_entry()
        if CONF_INTERFACES not in entry.data:
            return await self.async_step_existing()
        self._input = {
            CONF_INTERFACES: entry.data[CONF_INTERFACES],
            CONF_WAN: entry.data.get(CONF_WAN, []),
            SECTION_PATHS: {key: entry.data[key] for key in (CONF_SOCKET, CONF_STATE_DIR)},
        }
        return await self.async_step_this_host()

    # This host

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
                "message": self._error.message if self._error else "",
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
                await self._async_claim(self._data[CONF_SOCKET])
                return await self.async_step_start()
        elif self._error is not None:
            errors = {"base": self._error.code}
        return self.async_show_form(
            step_id="interfaces",
            data_schema=self.add_suggested_values_to_schema(
                interfaces_schema(self._report["interfaces"]), self._input
            ),
            errors=errors,
            description_placeholders={"message": self._error.message if self._error else ""},
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
        return self._finish(self._data[CONF_INTERFACES])

    # A sensor that runs already

    async def async_step_existing(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the socket of a sensor that someone else runs, and connect to it."""
        errors: dict[str, str] = {}
        message = ""
        if user_input is not None:
            self._data = user_input
            errors = find_input_errors(user_input)
            if not errors:
                await self._async_claim(user_input[CONF_SOCKET])
                try:
                    return self._finish(
                        guarded_interfaces(await fetch_status(user_input[CONF_SOCKET]), "lan")
                    )
                except SensorError as error:
                    errors, message = {"base": error.code}, error.message
        elif self.source == SOURCE_RECONFIGURE:
            user_input = dict(self._get_reconfigure_entry().data)
        return self.async_show_form(
            step_id="existing",
            data_schema=self.add_suggested_values_to_schema(EXISTING_SCHEMA, user_input),
            errors=errors,
            description_placeholders={
                "message": message,
                "command": f"sudo {LAUNCHER.resolve()} run --interface br-lan",
            },
        )

    # What the steps share

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
            await _try_sensor(self._data)
        except SensorError:
            if entry is not None:
                await self.hass.config_entries.async_setup(entry.entry_id)
            raise

    async def _async_claim(self, socket: str) -> None:
        """Abort if another entry has this socket: it is what tells gateways apart."""
        await self.async_set_unique_id(socket)
        if self.source != SOURCE_RECONFIGURE or self._get_reconfigure_entry().unique_id != socket:
            self._abort_if_unique_id_configured()

    def _finish(self, interfaces: list[str]) -> ConfigFlowResult:
        """Create the entry, or update the one that is reconfigured."""
        title = f"Hearthwall ({', '.join(interfaces)})" if interfaces else "Hearthwall"
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(
                self._get_reconfigure_entry(),
                unique_id=self.unique_id,
                title=title,
                data=self._data,
            )
        return self.async_create_entry(title=title, data=self._data)


async def _try_sensor(data: Mapping[str, Any]) -> Status:
    """Start a sensor, ask how it fares and end it; raises SensorError.

    One that runs on the socket already is as good, if it guards what was chosen.
    """
    socket = data[CONF_SOCKET]
    process = SensorProcess(
        interfaces=data[CONF_INTERFACES],
        wan=data[CONF_WAN],
        socket=socket,
        state_dir=data[CONF_STATE_DIR],
    )
    try:
        await process.start()
        return await fetch_status(socket)
    except SensorError as error:
        if error.code != "already_running":
            raise
    finally:
        await process.stop()
    status = await fetch_status(socket)
    home, wan = guarded_interfaces(status, "lan"), guarded_interfaces(status, "wan")
    if not (set(data[CONF_INTERFACES]) <= set(home) and set(data[CONF_WAN]) <= set(wan)):
        raise SensorError("already_running", ", ".join(home + wan))
    return status
