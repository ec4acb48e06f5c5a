"""Registers the actions, and tells a sensor's refusal in the user's words."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.helpers import service

from .action import Action, require_control
from .bpf.hearthwall_sensor.protocol import SensorError
from .const import DOMAIN
from .errors import order_error
from .event_actions import EVENT_ACTIONS
from .feed_actions import FEED_ACTIONS
from .process_actions import PROCESS_ACTIONS
from .rule_actions import RULE_ACTIONS
from .traffic_actions import TRAFFIC_ACTIONS
from .usage_actions import USAGE_ACTIONS

ACTIONS: Final[tuple[Action, ...]] = (
    *RULE_ACTIONS,
    *PROCESS_ACTIONS,
    *FEED_ACTIONS,
    *EVENT_ACTIONS,
    *TRAFFIC_ACTIONS,
    *USAGE_ACTIONS,
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for action in ACTIONS:
        if action.admin:
            service.async_register_admin_service(
                hass, DOMAIN, action.name, _handler(action), action.schema, action.response
            )
        else:
            hass.services.async_register(
                DOMAIN, action.name, _handler(action), action.schema, action.response
            )


def _handler(action: Action) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    """Return what Home Assistant calls."""

    async def handle(call: ServiceCall) -> ServiceResponse:
        if action.orders:
            await require_control(call)
        try:
            return await action.handle(call)
        except SensorError as error:
            raise order_error(error) from error

    return handle
