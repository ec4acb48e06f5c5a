"""Triggers: what the sensor noticed, who joined, who was cut off or let back in, and a lost connection.

They stand by themselves: Home Assistant may still change how triggers are written, and the event
entities tell the same.
"""

from asyncio import Task
from typing import Any, ClassVar, Final, override

import voluptuous as vol
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_CONFIG_ENTRY_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_LABEL_ID,
    CONF_OPTIONS,
    CONF_TARGET,
    STATE_OFF,
    STATE_ON,
    Platform,
)
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import (
    EntityTargetStateTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType

from .asked import gateway_fields
from .binary_sensor import CONNECTION
from .bpf.hearthwall_sensor.kinds import KINDS, SEVERITIES
from .bpf.hearthwall_sensor.protocol import Event
from .const import DOMAIN, SIGNAL_EVENT
from .devices import macs_of, shown_name
from .event_actions import event_rows
from .hub import HearthwallConfigEntry, Hub
from .switch import QUARANTINE
from .targets import async_is_meant

#: Whose events, as options: a trigger with a target is shown as unfinished while that is empty.
_WHOSE: Final = (ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_LABEL_ID)
_KIND: Final = "kind"
_SEVERITY: Final = "severity"
_CULPRIT: Final = "culprit"

_EVENT_SCHEMA: Final = vol.Schema(
    {
        vol.Optional(CONF_TARGET, default={}): cv.TARGET_FIELDS,
        vol.Optional(CONF_OPTIONS, default={}): {
            vol.Optional(_KIND, default=[]): vol.All(cv.ensure_list, [vol.In(list(KINDS))]),
            vol.Optional(_SEVERITY, default=SEVERITIES[0]): vol.In(SEVERITIES),
            vol.Optional(_CULPRIT, default=False): cv.boolean,
            **{
                vol.Optional(each, default=[]): vol.All(cv.ensure_list, [cv.string])
                for each in _WHOSE
            },
        },
    }
)

_JOINED_SCHEMA: Final = vol.Schema(
    {vol.Optional(CONF_OPTIONS, default={}): {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}}
)


class JournalTrigger(Trigger):
    """What the sensor's journal tells: each event once and in order, whatever is reloaded."""

    schema: ClassVar[vol.Schema]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and fields."""
        checked: ConfigType = cls.schema(config)
        return checked

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take target and fields."""
        super().__init__(hass, config)
        self.target = config.target or {}
        self.options = config.options or {}

    def takes(self, hub: Hub, event: Event) -> bool:
        """Tell whether an event is one that the automation waits for."""
        raise NotImplementedError

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run with each event that is taken, from whichever gateway, however often that is reloaded."""

        @callback
        def happened(hub: Hub, event: Event) -> None:
            if self.takes(hub, event):
                (row,) = event_rows(hub, [event])
                peer = event.peer_name or event.peer_address
                run_action(row | {"peer": peer}, row["summary"])

        return async_dispatcher_connect(self._hass, SIGNAL_EVENT, happened)


class EventDetected(JournalTrigger):
    """The sensor noticed something, of these devices or of anyone."""

    schema = _EVENT_SCHEMA

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check it all, and make a target of the fields that say whose: so Home Assistant sees what is used."""
        checked = await super().async_validate_config(hass, config)
        for key in _WHOSE:
            if chosen := checked[CONF_OPTIONS].pop(key):
                checked[CONF_TARGET][key] = [*checked[CONF_TARGET].get(key, ()), *chosen]
        return checked

    @override
    def takes(self, hub: Hub, event: Event) -> bool:
        """Tell whether kind, severity and device fit, and whether the device did it if that is wanted."""
        wanted = self.options[_SEVERITY]
        if self.options[_CULPRIT] and event.culprit is None:
            return False
        if self.options[_KIND] and event.kind not in self.options[_KIND]:
            return False
        if SEVERITIES.index(event.severity) < SEVERITIES.index(wanted):
            return False
        return not self.target or async_is_meant(self._hass, self.target, hub, event.mac)


class DeviceJoined(JournalTrigger):
    """A device that was never seen before joined the home."""

    schema = _JOINED_SCHEMA

    @override
    def takes(self, hub: Hub, event: Event) -> bool:
        """Tell whether one device is new; many at once have no MAC, and are no visitors."""
        gateway = self.options.get(ATTR_CONFIG_ENTRY_ID, hub.entry.entry_id)
        return (
            event.kind == "new_device" and event.mac is not None and gateway == hub.entry.entry_id
        )


class OwnEntityTrigger(EntityTargetStateTriggerBase):
    """One of our own entities came into a state; what an area holds beside them is passed over."""

    # They are configuration or diagnostic ones, which an area would otherwise not mean.
    _primary_entities_only = False
    domain: ClassVar[Platform]
    translation_key: ClassVar[str | None]
    state: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take target and fields."""
        super().__init__(hass, config)
        self._domain_specs = {self.domain: DomainSpec()}
        self._to_states = {self.state}

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep our entities of this kind."""
        registry = er.async_get(self._hass)
        return {
            entity_id
            for entity_id in super().entity_filter(entities)
            if (entry := registry.async_get(entity_id)) is not None
            and (entry.platform, entry.translation_key) == (DOMAIN, self.translation_key)
        }

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Say also whose entity it is."""

        @callback
        def run(
            extra_trigger_payload: dict[str, Any],
            description: str,
            context: Context | None = None,
        ) -> Task[Any]:
            told = _about(self._hass, extra_trigger_payload[ATTR_ENTITY_ID])
            return run_action(extra_trigger_payload | told, description, context)

        return await super().async_attach_runner(run, did_not_trigger)


@callback
def _about(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return, flat, whose entity it is and what rule is on that device."""
    told: dict[str, Any] = dict.fromkeys(
        ("device_id", "device_name", "mac", "mode", "reason", "expires")
    )
    entity = er.async_get(hass).async_get(entity_id)
    device = entity and entity.device_id and dr.async_get(hass).async_get(entity.device_id)
    if not isinstance(device, dr.DeviceEntry):
        return told
    told |= {"device_id": device.id, "device_name": shown_name(device)}
    entry: HearthwallConfigEntry | None = hass.config_entries.async_get_entry(
        device.config_entry_id
    )
    if entry is None or not hasattr(entry, "runtime_data"):
        return told
    hub = entry.runtime_data
    mac = next((hub.primary(each) for each in sorted(macs_of(device))), None)
    told |= {"mac": mac} | gateway_fields(hub)
    rule = None if mac is None else hub.blocks.whole(mac)
    if rule is not None:
        told |= {"mode": rule.mode, "reason": rule.reason, "expires": rule.expires}
    return told


class QuarantineTrigger(OwnEntityTrigger):
    """A device's quarantine switch."""

    domain = Platform.SWITCH
    translation_key = QUARANTINE.translation_key


class DeviceQuarantined(QuarantineTrigger):
    """A device was cut off, by whomever."""

    state = STATE_ON


class DeviceReleased(QuarantineTrigger):
    """A device was let back in, or its time was up."""

    state = STATE_OFF


class ConnectionTrigger(OwnEntityTrigger):
    """The gateway's binary sensor of its connection."""

    domain = Platform.BINARY_SENSOR
    translation_key = CONNECTION.translation_key


class ConnectionLost(ConnectionTrigger):
    """The sensor does not answer any more."""

    state = STATE_OFF


class ConnectionRestored(ConnectionTrigger):
    """The sensor answers again."""

    state = STATE_ON


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "connection_lost": ConnectionLost,
    "connection_restored": ConnectionRestored,
    "device_joined": DeviceJoined,
    "device_quarantined": DeviceQuarantined,
    "device_released": DeviceReleased,
    "event_detected": EventDetected,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers by name."""
    return TRIGGERS
