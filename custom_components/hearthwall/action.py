"""What an action is: its name, who may call it, what it takes, and what it does."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv, service
from homeassistant.helpers.typing import VolSchemaType

from .const import DOMAIN
from .hub import Hub


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action of Home Assistant; `handle` may raise SensorError."""

    name: str
    handle: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: VolSchemaType
    response: SupportsResponse = SupportsResponse.OPTIONAL
    admin: bool = False
    """Whether it is no matter for every user: it makes the gateway's root read what is named, or tells
    what someone else at home talks to."""
    orders: bool = False
    """Whether it says what devices may do, as their switches do: who may not turn those may not order it."""


#: The field that overrides the refusal of a protected target.
FORCE: Final = "force"
#: The gateway that is meant; not needed where there is only one.
GATEWAY_FIELD: Final[dict[Any, Any]] = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}


async def require_admin(call: ServiceCall) -> None:
    """Raise Unauthorized unless an administrator or an automation calls."""
    if call.context.user_id is None:
        return
    if not (await _calling(call, call.context.user_id)).is_admin:
        raise Unauthorized(context=call.context)


async def require_control(call: ServiceCall) -> None:
    """Raise Unauthorized unless whoever calls may control what there is; to force it takes an administrator."""
    if call.data.get(FORCE):
        await require_admin(call)
    elif call.context.user_id is not None:
        user = await _calling(call, call.context.user_id)
        if not user.permissions.access_all_entities(POLICY_CONTROL):
            raise Unauthorized(context=call.context, permission=POLICY_CONTROL)


async def _calling(call: ServiceCall, user_id: str) -> User:
    """Return who calls; raises UnknownUser."""
    user = await call.hass.auth.async_get_user(user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user


def named_hub(call: ServiceCall) -> Hub:
    """Return the gateway that a call names, or the only one."""
    entry = service.async_get_config_entry(call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID))
    hub: Hub = entry.runtime_data
    return hub
