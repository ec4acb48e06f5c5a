"""Hearthwall: a line of defence for the home network, run from Home Assistant."""

from functools import partial

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.device_registry import AnyDeviceEntry
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .bpf.hearthwall_sensor.protocol import SensorError
from .cards import async_setup_cards
from .connection import connected
from .const import CONF_INTERFACES, CONF_SOCKET, DOMAIN, LOGGER, SIGNAL_EVENT
from .devices import device_identifier, gateway_identifier, macs_of
from .errors import order_error, setup_error
from .events import async_forget_events
from .health import async_follow_entries, async_follow_health, async_note_failure
from .hub import HearthwallConfigEntry, Hub
from .issues import async_delete_issues
from .process import run_command
from .services import async_setup_services
from .stale import async_forget_stale
from .today import async_forget_today
from .voice import async_setup_voice
from .websocket_api import async_setup_websocket_api

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.DEVICE_TRACKER,
    Platform.EVENT,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what there is once, however many gateways."""
    async_follow_entries(hass)
    async_setup_services(hass)
    async_setup_voice(hass)
    async_setup_websocket_api(hass)
    await async_setup_cards(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HearthwallConfigEntry) -> bool:
    """Set up a gateway: start its sensor if it is ours, connect to it and stay connected."""
    hub = Hub(hass, entry)
    try:
        await hub.async_start()
    except SensorError as error:
        await async_note_failure(hass, entry, hub, error)
        raise setup_error(error) from error
    entry.runtime_data = hub
    entry.async_on_unload(async_follow_health(hass, entry, hub))
    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, hub.async_stop))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(
        hub.events.async_subscribe(partial(async_dispatcher_send, hass, SIGNAL_EVENT, hub))
    )
    # Not before there are automations: an event that nobody heard is not told again.
    entry.async_on_unload(async_at_started(hass, hub.events.async_begin))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HearthwallConfigEntry) -> bool:
    """Unload a gateway; what its rules say, the kernel goes on enforcing."""
    hub = entry.runtime_data
    hub.events.async_pause()  # what happens from here on is for those who come after
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await hub.async_stop()
    else:
        hub.events.async_begin()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: HearthwallConfigEntry) -> None:
    """Leave no trace, nor in the kernel what a sensor of ours put there."""
    async_delete_issues(hass, entry)
    await async_forget_events(hass, entry)
    await async_forget_today(hass, entry)
    await async_forget_stale(hass, entry)
    if CONF_INTERFACES not in entry.data:
        return
    socket = entry.data[CONF_SOCKET]
    try:
        async with connected(hass, entry.data) as client:
            await client.unload(forget=True)
    except SensorError:
        await _unload_without_sensor(socket)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: HearthwallConfigEntry, device_entry: AnyDeviceEntry
) -> bool:
    """Remove a device: the sensor erases all that it knows of it; if it speaks again, it is new."""
    if not isinstance(device_entry, dr.DeviceEntry):
        return False
    if gateway_identifier(entry) in device_entry.identifiers:
        return False
    if entry.state is not ConfigEntryState.LOADED:
        raise order_error(SensorError("not_running"))
    for mac in macs_of(device_entry):
        # Those that were merged into it are its own.
        if device_identifier(entry, mac) in device_entry.identifiers:
            try:
                await entry.runtime_data.forget(mac)
            except SensorError as error:
                raise order_error(error) from error
    return True


async def _unload_without_sensor(socket: str) -> None:
    """Clean the kernel by the command, which needs no running sensor."""
    try:
        await run_command("unload", "--forget", "--socket", socket)
    except SensorError as error:
        LOGGER.warning(
            "What Hearthwall put into the kernel is still there (%s);"
            " `hearthwall-sensor unload` takes it out, as does a restart of the host",
            error,
        )
