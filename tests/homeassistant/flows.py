"""Config flows, step by step as a user goes through them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

Flow = dict[str, Any]


async def through_progress(hass: HomeAssistant, result: Any) -> Flow:
    """Wait for what the flow does by itself."""
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    return dict(result)


async def submit(hass: HomeAssistant, flow: Flow, data: dict[str, Any]) -> Flow:
    """Fill in a step's form, and wait for what the flow does then."""
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], data)
    return await through_progress(hass, result)
