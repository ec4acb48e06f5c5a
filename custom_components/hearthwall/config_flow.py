"""Config flow: run the sensor on this host, or connect to one that runs already."""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import UnitOfTime
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .bpf.hearthwall_sensor.protocol import DEFAULT_SOCKET, SensorError, Status
from .connection import fetch_status, guarded_interfaces
from .const import (
    CONF_CONSIDER_HOME,
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WRITE_INTERVAL,
    DEFAULT_CONSIDER_HOME,
    DEFAULT_STATE_DIR,
    DEFAULT_WRITE_INTERVAL,
    DOMAIN,
)
from .process import LAUNCHER, ProcessError, SensorProcess, run_command

SECTION_PATHS: Final = "paths"

#: A unix socket's path does not hold more (sun_path, with its closing zero).
MAX_SOCKET_PATH: Final = 107

PATHS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_SOCKET, default=DEFAULT_SOCKET): TextSelector(),
        vol.Required(CONF_STATE_DIR, default=DEFAULT_STATE_DIR): TextSelector(),
    }
)
EXISTING_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_SOCKET, default=DEFAULT_SOCKET): TextSelector()}
)
OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(key, default=default): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=least,
                    max=most,
                    step=1,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfTime.SECONDS,
                )
            ),
            vol.Coerce(int),
        )
        for key, default, least, most in (
            (CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL, 1, 3600),
            (CONF_CONSIDER_HOME, DEFAULT_CONSIDER_HOME, 15, 86400),
        )
    }
)

KINDS: Final[Mapping[str, str]] = {
    "bridge": "bridge",
    "ethernet": "Ethernet",
    "wifi": "Wi-Fi",
    "veth": "virtual Ethernet",
    "vlan": "VLAN",
}


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
                "parts": _describe_missing(self._report),
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
            self._data = {CONF_INTERFACES: user_input[CONF_INTERFACES], **user_input[SECTION_PATHS]}
            errors = _find_input_errors(self._data)
            if not errors:
                await self._async_claim(self._data[CONF_SOCKET])
                return await self.async_step_start()
        elif self._error is not None:
            errors = {"base": self._error.code}
        return self.async_show_form(
            step_id="interfaces",
            data_schema=self.add_suggested_values_to_schema(
                _interfaces_schema(self._report["interfaces"]), self._input
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
            errors = _find_input_errors(user_input)
            if not errors:
                await self._async_claim(user_input[CONF_SOCKET])
                try:
                    return self._finish(
                        guarded_interfaces(await fetch_status(user_input[CONF_SOCKET]))
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


class HearthwallOptionsFlow(OptionsFlow):
    """How often states are written and how long a silent device counts as at home.

    The hub asks the entry each time, so a change needs no reload, which would restart the sensor.
    """

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for both."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, self.config_entry.options
            ),
        )


async def _try_sensor(data: Mapping[str, Any]) -> Status:
    """Start a sensor, ask how it fares and end it; raises SensorError.

    One that runs on the socket already is as good, if it guards what was chosen.
    """
    socket = data[CONF_SOCKET]
    process = SensorProcess(
        interfaces=data[CONF_INTERFACES], socket=socket, state_dir=data[CONF_STATE_DIR]
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
    guarded = guarded_interfaces(status)
    if not set(data[CONF_INTERFACES]) <= set(guarded):
        raise SensorError("already_running", ", ".join(guarded))
    return status


def _find_input_errors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the fields, before anything is run with them."""
    errors: dict[str, str] = {}
    if CONF_INTERFACES in data and not data[CONF_INTERFACES]:
        errors[CONF_INTERFACES] = "no_interface_chosen"
    for key in (CONF_SOCKET, CONF_STATE_DIR):
        # Errors inside a section cannot be shown at the field.
        if key in data and not PurePosixPath(data[key]).is_absolute():
            errors["base"] = "path_not_absolute"
    if len(os.fsencode(data[CONF_SOCKET])) > MAX_SOCKET_PATH:
        errors["base"] = "path_too_long"
    return errors


def _interfaces_schema(interfaces: list[dict[str, Any]]) -> vol.Schema:
    """Return the form of this host's interfaces, the proposed ones chosen."""
    ordered = sorted(interfaces, key=lambda each: (not each.get("proposed"), bool(each["bridge"])))
    proposed = [each["name"] for each in ordered if each.get("proposed")]
    return vol.Schema(
        {
            vol.Required(CONF_INTERFACES, default=proposed): SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=each["name"], label=_describe_interface(each))
                        for each in ordered
                    ],
                    multiple=True,
                    mode=SelectSelectorMode.LIST,
                )
            ),
            vol.Required(SECTION_PATHS): section(PATHS_SCHEMA, {"collapsed": True}),
        }
    )


def _describe_interface(interface: Mapping[str, Any]) -> str:
    """Return an interface in a line: what it is, where it belongs, its addresses."""
    words = [KINDS.get(interface["kind"], interface["kind"])]
    if interface["bridge"]:
        words.append(f"port of {interface['bridge']}")
    if interface["default_route"]:
        words.append("leads to the internet")
    words.extend(interface["addresses"])
    return f"{interface['name']} ({', '.join(words)})"


def _describe_missing(report: Mapping[str, Any]) -> str:
    """Return what a check found missing, as a list: what it is, what is lost, how to get it."""
    return "\n".join(
        f"- **{part['name']}**: {part['detail']}. Without it: {part['lost']}. What to do: {part['fix']}"
        for part in report.get("parts", [])
        if part["required"] and not part["ok"]
    )
