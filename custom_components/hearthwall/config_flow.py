"""Config flow: run the sensor on this host, or connect to one that runs already, here or on another host."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, override

import voluptuous as vol
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .bpf.hearthwall_sensor.notation import plain_address
from .bpf.hearthwall_sensor.protocol import SensorError
from .connection import guarded_interfaces, probe
from .const import (
    CONF_FINGERPRINT,
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WAN,
    DOMAIN,
    LOGGER,
)
from .errors import detail_of
from .flow_forms import (
    EXISTING_SCHEMA,
    REMOTE_SCHEMA,
    SECRETS_SCHEMA,
    SECTION_PATHS,
    find_input_errors,
    find_remote_errors,
    remote_data,
    shown_fingerprint,
)
from .flow_this_host import ThisHostFlow
from .issues import LEARN_MORE_OTHER_HOSTS
from .options_flow import HearthwallOptionsFlow
from .process import LAUNCHER

#: What a sensor calls itself; whatever else is announced is none.
_IDENTITY: Final = re.compile(r"[0-9a-f]{32}")


class HearthwallConfigFlow(ThisHostFlow, domain=DOMAIN):
    """Sets up a gateway; nothing is created before its sensor answered."""

    VERSION = 1

    def __init__(self) -> None:
        """Start without findings."""
        super().__init__()
        #: Where a sensor is that we have not asked for, and whose app it is.
        self._found: Mapping[str, Any] = {}
        self._app = ""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return HearthwallOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer what this Home Assistant can do: only as root it can run the sensor itself."""
        here = ["this_host"] if os.geteuid() == 0 else []
        return self.async_show_menu(step_id="user", menu_options=[*here, "existing", "remote"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask again for what the entry was made from."""
        entry = self._get_reconfigure_entry()
        if CONF_HOST in entry.data:
            return await self.async_step_remote()
        if CONF_INTERFACES not in entry.data:
            return await self.async_step_existing()
        self._input = {
            CONF_INTERFACES: entry.data[CONF_INTERFACES],
            CONF_WAN: entry.data.get(CONF_WAN, []),
            SECTION_PATHS: {key: entry.data[key] for key in (CONF_SOCKET, CONF_STATE_DIR)},
        }
        return await self.async_step_this_host()

    # A sensor that runs already

    async def async_step_existing(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the socket of a sensor that someone else runs, and connect to it."""
        errors: dict[str, str] = {}
        message = ""
        if user_input is not None:
            errors = find_input_errors(user_input)
            if not errors:
                self._abort_if_place_configured(user_input, CONF_SOCKET)
                try:
                    hello, status = await probe(self.hass, user_input)
                except SensorError as error:
                    errors, message = {"base": error.code}, detail_of(error)
                else:
                    named = ", ".join(guarded_interfaces(status, "lan"))
                    return await self._async_finish(user_input, hello, named)
        elif (entry := self._subject()) is not None:
            user_input = dict(entry.data)
        return self.async_show_form(
            step_id="existing",
            data_schema=self.add_suggested_values_to_schema(EXISTING_SCHEMA, user_input),
            errors=errors,
            description_placeholders={
                "message": message,
                "command": f"sudo {LAUNCHER.resolve()} run --interface br-lan",
            },
        )

    # A sensor on another host

    async def async_step_remote(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all that leads to a sensor on another host, and connect to it."""
        shown = _shown(entry.data) if (entry := self._subject()) is not None else None
        return await self._async_ask_remote(user_input, step_id="remote", shown=shown)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take a sensor that announces itself: a new one, or one whose address has changed."""
        identity, port = discovery_info.properties.get("id"), discovery_info.port
        if not isinstance(identity, str) or not _IDENTITY.fullmatch(identity) or not port:
            return self.async_abort(reason="not_a_sensor")
        self._found = {CONF_HOST: discovery_info.host, CONF_PORT: port}
        entry = await self.async_set_unique_id(identity)
        if entry is not None:
            await self._async_follow(entry)
            self._abort_if_unique_id_configured()
        self._async_abort_entries_match(dict(self._found))
        self.context["title_placeholders"] = {"name": discovery_info.host}
        return await self.async_step_discovered()

    async def async_step_discovered(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for what is not announced: by what the sensor knows us, and we it."""
        return await self._async_ask_remote(user_input, step_id="discovered", known=self._found)

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take the sensor of an app, of which the Supervisor tells all; a new token of a known one is taken over."""
        said = {
            key: discovery_info.config.get(key)
            for key in (CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_FINGERPRINT)
        }
        try:
            self._data = remote_data(REMOTE_SCHEMA(said))
        except vol.Invalid:
            return self.async_abort(reason="not_a_sensor")
        if find_remote_errors(self._data):
            return self.async_abort(reason="not_a_sensor")
        try:
            self._hello, _ = await probe(self.hass, self._data)
        except SensorError as error:
            return self.async_abort(
                reason="app_unreachable", description_placeholders={"message": error.message}
            )
        await self.async_set_unique_id(self._hello.id or discovery_info.uuid)
        entry = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, self.unique_id or ""
        )
        # Any app can claim to have any sensor, whose identity everybody is told. Without its certificate, which nobody
        # else has, only its user may say that it is another one now; one that is reached otherwise stays so.
        is_same = entry is not None and (
            entry.data.get(CONF_FINGERPRINT) == self._data[CONF_FINGERPRINT]
        )
        self._abort_if_unique_id_configured(updates=self._data if is_same else None)
        self._app = discovery_info.name
        self.context["title_placeholders"] = {"name": self._app}
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the app's sensor is wanted."""
        if user_input is not None:
            return await self._async_finish(self._data, self._hello, self._app)
        return self.async_show_form(
            step_id="hassio_confirm", description_placeholders={"app": self._app}
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin anew with a sensor that does not know our token any more."""
        self._found = {key: entry_data[key] for key in (CONF_HOST, CONF_PORT)}
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another token, and for the fingerprint, which a sensor that was set up anew has anew."""
        shown = _shown(self._get_reauth_entry().data)
        del shown[CONF_TOKEN]
        return await self._async_ask_remote(
            user_input, step_id="reauth_confirm", shown=shown, known=self._found
        )

    # What the steps to another host share

    async def _async_ask_remote(
        self,
        user_input: dict[str, Any] | None,
        *,
        step_id: str,
        shown: dict[str, Any] | None = None,
        known: Mapping[str, Any] = MappingProxyType({}),
    ) -> ConfigFlowResult:
        """Ask for what is not known yet, connect, and finish; what fails is said beside what was typed."""
        errors: dict[str, str] = {}
        message = ""
        if user_input is not None:
            shown = user_input
            data = remote_data({**user_input, **known})
            errors = find_remote_errors(data)
            if not errors:
                self._abort_if_place_configured(data, CONF_HOST, CONF_PORT)
                try:
                    hello, _ = await probe(self.hass, data)
                except SensorError as error:
                    errors, message = {"base": error.code}, detail_of(error)
                else:
                    return await self._async_finish(data, hello, data[CONF_HOST])
        schema = SECRETS_SCHEMA if known else REMOTE_SCHEMA
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={
                "message": message,
                "command": "sudo scripts/sensor token homeassistant",
                "copied": "sudo bpf/hearthwall-sensor token homeassistant",
                "documents": LEARN_MORE_OTHER_HOSTS,
                "place": f"{known[CONF_HOST]}, {known[CONF_PORT]}" if known else "",
            },
        )

    async def _async_follow(self, entry: ConfigEntry) -> None:
        """Take over the address of a sensor that we know, if it is really at the new one.

        Anybody in the home can announce anything: what answers there must have the sensor's certificate and
        know our token. It must also be the sensor that says so: who only passes us on to it could announce an
        address of its own. While we are connected there is nothing to mend.
        """
        if CONF_HOST not in entry.data:
            return
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.available:
            return
        data = {**entry.data, **self._found}
        try:
            hello, _ = await probe(self.hass, data)
        except SensorError:
            return
        if (hello.address, hello.port) != (plain_address(data[CONF_HOST]), data[CONF_PORT]):
            LOGGER.warning(
                "What is announced at %s leads to the sensor, but it is not where the sensor is: not followed",
                data[CONF_HOST],
            )
            return
        self._abort_if_unique_id_configured(updates=data)


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data as a form shows them."""
    return {**data, CONF_FINGERPRINT: shown_fingerprint(data[CONF_FINGERPRINT])}
