"""Config flow: run the sensor on this host, or connect to one that runs already, here or on another host."""

import asyncio
import os
import pwd
import re
from collections.abc import Mapping
from typing import Any, Final, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .bpf.hearthwall_sensor.notation import plain_address
from .bpf.hearthwall_sensor.protocol import DEFAULT_SOCKET, Hello, SensorError
from .connection import guarded_interfaces, pair, probe
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
    CODE_SCHEMA,
    EXISTING_SCHEMA,
    PLACE_SCHEMA,
    REMOTE_SCHEMA,
    SECRETS_SCHEMA,
    SECTION_PATHS,
    find_input_errors,
    find_place_errors,
    find_remote_errors,
    remote_data,
    remote_place,
    shown_fingerprint,
    shown_place,
)
from .flow_this_host import ThisHostFlow
from .issues import LEARN_MORE_INSTALL, LEARN_MORE_OTHER_HOSTS
from .options_flow import HearthwallOptionsFlow

#: Seconds that a sensor on this host may take to say that it is there.
_LOOK: Final = 3.0
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
        #: What a code was good for, and what was given for it.
        self._paired: tuple[dict[str, Any], dict[str, Any]] | None = None
        #: What a sensor guards that runs on this host already.
        self._here: list[str] = []

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return HearthwallOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer what this Home Assistant can do: only as root it can run the sensor itself.

        One that is installed here comes first, and in place of that: two can't guard the same interfaces.
        """
        self._here = await self._async_look_here()
        if self._here:
            return await self.async_step_here()
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

    async def async_step_here(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Propose the sensor that was found on this host."""
        return self.async_show_menu(
            step_id="here",
            menu_options=["found", "existing", "remote"],
            description_placeholders={
                "interfaces": ", ".join(self._here),
                "socket": DEFAULT_SOCKET,
            },
        )

    async def async_step_found(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Connect to the sensor that was found on this host."""
        return await self.async_step_existing({CONF_SOCKET: DEFAULT_SOCKET})

    async def _async_look_here(self) -> list[str]:
        """Return what a sensor guards that runs on this host and is not set up yet, nothing where there is none."""
        here = {CONF_SOCKET: DEFAULT_SOCKET}
        if any(
            each.data.get(CONF_SOCKET) == DEFAULT_SOCKET for each in self._async_current_entries()
        ):
            return []
        try:
            async with asyncio.timeout(_LOOK):
                _, status = await probe(self.hass, here)
        except SensorError, TimeoutError:
            return []
        return guarded_interfaces(status, "lan")

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
                "command": f"sudo hearthwall-sensor install --user {_own_name()}",
                "documents": LEARN_MORE_INSTALL,
            },
        )

    # A sensor on another host

    async def async_step_remote(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer the ways by which a sensor on another host and we may know each other."""
        return self._show_ways(step_id="remote")

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
        """Offer them for a sensor whose place was announced."""
        return self._show_ways(step_id="discovered")

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
        """Offer them anew."""
        return self._show_ways(step_id="reauth_confirm")

    # What the steps to another host share

    def _show_ways(self, *, step_id: str) -> ConfigFlowResult:
        """Offer a code, or a token with the fingerprint."""
        return self.async_show_menu(
            step_id=step_id,
            menu_options=["code", "token"],
            description_placeholders=self._said_of_remote(),
        )

    async def async_step_code(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the sensor's command shows, and be given a token for it."""
        shown = user_input
        errors: dict[str, str] = {}
        message = ""
        if user_input is not None:
            place = remote_place({**user_input, **self._found})
            errors = find_place_errors(place)
            if not errors:
                try:
                    data = await self._async_paired(place, user_input[CONF_CODE])
                    hello, _ = await probe(self.hass, data)
                except SensorError as error:
                    errors, message = {"base": error.code}, detail_of(error)
                else:
                    return await self._async_finish_remote(data, hello)
        elif (entry := self._subject()) is not None:
            shown = {key: entry.data[key] for key in (CONF_HOST, CONF_PORT)}
        schema = CODE_SCHEMA if self._found else PLACE_SCHEMA.extend(CODE_SCHEMA.schema)
        return self.async_show_form(
            step_id="code",
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={"message": message, **self._said_of_remote()},
        )

    async def _async_paired(self, place: Mapping[str, Any], code: str) -> dict[str, Any]:
        """Return what a sensor gives for a code, also when it gave it before and failed then; raises SensorError."""
        self._abort_if_place_configured(place, CONF_HOST, CONF_PORT)
        given = {**place, CONF_CODE: code}
        if self._paired is None or self._paired[0] != given:
            data = await pair(self.hass, place[CONF_HOST], place[CONF_PORT], code)
            self._paired = given, data
        return self._paired[1]

    async def async_step_token(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all that leads to a sensor on another host, and connect to it."""
        shown = user_input
        errors: dict[str, str] = {}
        message = ""
        if user_input is not None:
            data = remote_data({**user_input, **self._found})
            errors = find_remote_errors(data)
            if not errors:
                self._abort_if_place_configured(data, CONF_HOST, CONF_PORT)
                try:
                    hello, _ = await probe(self.hass, data)
                except SensorError as error:
                    errors, message = {"base": error.code}, detail_of(error)
                else:
                    return await self._async_finish_remote(data, hello)
        elif (entry := self._subject()) is not None:
            shown = _shown(entry.data)
            if self.source == SOURCE_REAUTH:
                del shown[CONF_TOKEN]
        return self.async_show_form(
            step_id="token",
            data_schema=self.add_suggested_values_to_schema(
                SECRETS_SCHEMA if self._found else REMOTE_SCHEMA, shown
            ),
            errors=errors,
            description_placeholders={"message": message, **self._said_of_remote()},
        )

    async def _async_finish_remote(self, data: dict[str, Any], hello: Hello) -> ConfigFlowResult:
        """Finish, unless the sensor was announced by somebody who only passes us on to it.

        Code and fingerprint hold through him, and he could cut us off whenever he likes.
        """
        if self.source == SOURCE_ZEROCONF and not _is_at(hello, data):
            return self.async_abort(
                reason="passed_on",
                description_placeholders={
                    "place": shown_place(data[CONF_HOST], data[CONF_PORT]),
                    "address": shown_place(hello.address, hello.port),
                },
            )
        return await self._async_finish(data, hello, data[CONF_HOST])

    def _said_of_remote(self) -> dict[str, str]:
        """Return what the steps to another host say beside their sentences."""
        found = self._found
        return {
            "code_command": "sudo hearthwall-sensor pair",
            "code_copied": "sudo scripts/sensor pair",
            "code_container": "docker exec -it hearthwall hearthwall-sensor pair",
            "token_command": "sudo hearthwall-sensor token homeassistant",
            "token_copied": "sudo scripts/sensor token homeassistant",
            "token_container": "docker exec hearthwall hearthwall-sensor token homeassistant",
            "documents": LEARN_MORE_OTHER_HOSTS,
            "place": shown_place(found[CONF_HOST], found[CONF_PORT]) if found else "",
        }

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
        if not _is_at(hello, data):
            LOGGER.warning(
                "What is announced at %s leads to the sensor, but it is not where the sensor is: not followed",
                data[CONF_HOST],
            )
            return
        self._abort_if_unique_id_configured(updates=data)


def _is_at(hello: Hello, data: Mapping[str, Any]) -> bool:
    """Tell whether a sensor says that it was reached where its data say that it is."""
    return (hello.address, hello.port) == (plain_address(data[CONF_HOST]), data[CONF_PORT])


def _own_name() -> str:
    """Return the name of the user that Home Assistant runs as, or its number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data as a form shows them."""
    return {**data, CONF_FINGERPRINT: shown_fingerprint(data[CONF_FINGERPRINT])}
