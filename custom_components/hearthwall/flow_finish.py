"""How each way through the config flow ends: one gateway is one entry, by whatever way it is reached."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT

from .bpf.hearthwall_sensor.protocol import Hello
from .const import CONF_SOCKET

_TITLE: Final = "Hearthwall"


class FinishingFlow(ConfigFlow):
    """Creates an entry, or changes the one that the flow is about."""

    def _subject(self) -> ConfigEntry | None:
        """Return the entry that the flow is about, None while there is none."""
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return None

    def _abort_if_place_configured(self, data: Mapping[str, Any], *keys: str) -> None:
        """Abort if another entry has its sensor at the same place."""
        subject = self._subject()
        if subject is None or any(subject.data.get(key) != data[key] for key in keys):
            self._async_abort_entries_match({key: data[key] for key in keys})

    async def _async_finish(
        self, data: dict[str, Any], hello: Hello | None, named: str
    ) -> ConfigFlowResult:
        """Create the entry, or change the one that the flow is about; abort if another has this sensor.

        The sensor says who it is. One from before it could is known by where it is.
        """
        identity = (hello and hello.id) or _place(data)
        subject = self._subject()
        await self.async_set_unique_id(identity, raise_on_progress=False)
        if subject is None:
            self._abort_if_unique_id_configured()
        elif self.source == SOURCE_REAUTH:
            self._abort_if_unique_id_mismatch(reason="another_sensor")
        elif subject.unique_id != identity:
            self._abort_if_unique_id_configured()
        title = f"{_TITLE} ({named})" if named else _TITLE
        if subject is None:
            return self.async_create_entry(title=title, data=data)
        if not subject.title.startswith(_TITLE):
            title = subject.title  # the user's own
        return self.async_update_reload_and_abort(
            subject, unique_id=identity, title=title, data=data
        )


def _place(data: Mapping[str, Any]) -> str:
    """Return where a sensor is, as text."""
    return f"{data[CONF_HOST]}:{data[CONF_PORT]}" if CONF_HOST in data else str(data[CONF_SOCKET])
