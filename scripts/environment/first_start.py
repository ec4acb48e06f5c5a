"""Print what Home Assistant installs at its first start: for its own integrations and those named."""

import asyncio
import sys
import tempfile

from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
from homeassistant.core import HomeAssistant
from homeassistant.loader import Integration, async_get_integrations, async_setup


async def requirements(domains: set[str]) -> set[str]:
    """Collect the requirements of these integrations and of all that they depend on."""
    found: set[str] = set()
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as config:
        hass = HomeAssistant(config)
        async_setup(hass)
        while domains := domains - seen:
            seen |= domains
            integrations = await async_get_integrations(hass, domains)
            domains = set()
            for integration in integrations.values():
                if not isinstance(integration, Integration):
                    raise integration
                found.update(integration.requirements)
                domains.update(integration.dependencies)
        await hass.async_stop(force=True)
    return found


wanted = asyncio.run(requirements({*CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS, *sys.argv[1:]}))
sys.stdout.write("\n".join(sorted(wanted)) + "\n")
