"""A phone with Home Assistant's app: the real integration, and what it would have been pushed."""

import sys
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

#: What the app's integration imports and has nothing to do with messages: it needs libraries of its own.
_ABSENT = ("homeassistant.components.cloud", "turbojpeg")
_PUSH = "https://push.example/send"


class Phone:
    """A phone that is told something, and on which a button is pressed."""

    def __init__(self, hass: HomeAssistant, pushes: AiohttpClientMocker) -> None:
        self.hass = hass
        self._pushes = pushes
        self.entry = MockConfigEntry(
            domain="mobile_app",
            title="My phone",
            data={
                "app_data": {"push_token": "token", "push_url": _PUSH},
                "app_id": "example.app",
                "app_name": "App",
                "app_version": "1",
                "device_id": "my-phone",
                "device_name": "My phone",
                "manufacturer": "Acme",
                "model": "One",
                "os_name": "OS",
                "os_version": "1",
                "supports_encryption": False,
                "user_id": "somebody",
                "webhook_id": "a-webhook",
            },
        )

    async def set_up(self) -> None:
        self._pushes.post(_PUSH, json={"rateLimits": _LIMITS}, status=201)
        self.entry.add_to_hass(self.hass)
        assert await async_setup_component(self.hass, "mobile_app", {})
        await self.hass.async_block_till_done()

    @property
    def device_id(self) -> str:
        (device,) = dr.async_entries_for_config_entry(dr.async_get(self.hass), self.entry.entry_id)
        return device.id

    @property
    def notify_entity(self) -> str:
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        return next(each.entity_id for each in entries if each.domain == "notify")

    @property
    def told(self) -> list[dict[str, Any]]:
        """Return what was pushed to the phone, the first first."""
        return [data for _, url, data, _ in self._pushes.mock_calls if str(url) == _PUSH]

    def press(self, message: dict[str, Any], title: str) -> None:
        """Press a button of a message, as the app tells it."""
        (action,) = (
            each["action"] for each in message["data"]["actions"] if each["title"] == title
        )
        self.hass.bus.async_fire("mobile_app_notification_action", {"action": action})


_LIMITS = {"successful": 1, "errors": 0, "maximum": 150, "resetsAt": "2099-01-01T00:00:00.000Z"}


@pytest.fixture
async def phone(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Phone]:
    """A phone, set up; its pushes go nowhere."""
    for name in _ABSENT:
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, MagicMock())
    cloud = sys.modules[_ABSENT[0]]
    monkeypatch.setattr(cloud, "async_is_logged_in", lambda _hass: False)
    monkeypatch.setattr(cloud, "async_active_subscription", lambda _hass: False)
    phone = Phone(hass, aioclient_mock)
    await phone.set_up()
    yield phone
    await hass.config_entries.async_unload(phone.entry.entry_id)
    await hass.async_block_till_done()
