"""Which gateways are set up, told to whoever shows them for as long as it shows them."""

from collections.abc import Callable

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, service
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import DOMAIN
from .devices import shown_name
from .hub import Hub
from .targets import async_loaded_hubs, async_macs_at


@callback
def async_follow_gateways(
    hass: HomeAssistant, entry_id: str | None, came: Callable[[Hub], CALLBACK_TYPE]
) -> CALLBACK_TYPE:
    """Call `came` with one gateway, or each, whenever it is set up; return what ends that.

    What `came` returns is called when the gateway goes: reloaded, disabled, removed, or at the end.
    """
    present: dict[str, tuple[Hub, CALLBACK_TYPE]] = {}

    @callback
    def look(entry: ConfigEntry) -> None:
        """See whether an entry came or went; one that was reloaded did both."""
        hub = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
        known, left = present.get(entry.entry_id, (None, None))
        if hub is known:
            return
        if left is not None:
            del present[entry.entry_id]
            left()
        if hub is not None:
            present[entry.entry_id] = (hub, came(hub))

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look at an entry of ours that may have changed."""
        if entry.domain == DOMAIN and entry_id in {None, entry.entry_id}:
            look(entry)

    unsubscribe = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    for entry in hass.config_entries.async_entries(DOMAIN):
        changed(ConfigEntryChange.UPDATED, entry)

    @callback
    def end() -> None:
        """Follow no more."""
        unsubscribe()
        while present:
            present.popitem()[1][1]()

    return end


@callback
def async_follow_removals(
    hass: HomeAssistant, entry_id: str | None, removed: Callable[[str], None]
) -> CALLBACK_TYPE:
    """Call `removed` with a gateway's entry, or that of each, when it is removed for good; return what ends that."""

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look whether an entry of ours is gone."""
        is_ours = entry.domain == DOMAIN and entry_id in {None, entry.entry_id}
        if is_ours and change is ConfigEntryChange.REMOVED:
            removed(entry.entry_id)

    return async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def async_require_entry(hass: HomeAssistant, entry_id: str | None) -> None:
    """Raise ServiceValidationError if an entry is named that is none of ours; it need not be set up now."""
    entry = None if entry_id is None else hass.config_entries.async_get_entry(entry_id)
    if entry_id is not None and (entry is None or entry.domain != DOMAIN):
        service.async_get_config_entry(hass, DOMAIN, entry_id)


@callback
def async_hub(hass: HomeAssistant, entry_id: str) -> Hub:
    """Return a gateway that is set up; raises ServiceValidationError if it is not."""
    hub: Hub = service.async_get_config_entry(hass, DOMAIN, entry_id).runtime_data
    return hub


@callback
def async_asked_hubs(hass: HomeAssistant, entry_id: str | None) -> list[Hub]:
    """Return the gateway that is asked, or all that are set up; raises ServiceValidationError if that is none."""
    return async_loaded_hubs(hass) if entry_id is None else [async_hub(hass, entry_id)]


@callback
def async_guarded(hass: HomeAssistant, device_id: str) -> tuple[Hub, str]:
    """Return the gateway that guards a device, and its MAC; raises ServiceValidationError if none does."""
    registered = dr.async_get(hass).async_get(device_id)
    for hub in async_loaded_hubs(hass):
        for mac in async_macs_at(hub, device_id):
            return hub, mac
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_a_device",
        translation_placeholders={
            "name": (registered and shown_name(registered)) or device_id[:80]
        },
    )
