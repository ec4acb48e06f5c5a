"""Sets Home Assistant up as its owner would, over the ways that its frontend uses."""

import asyncio
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from demo.api import Api
from demo.errors import DemoError
from demo.household import AREA_ICONS, HOUSEHOLD

DOMAIN: Final = "hearthwall"
FLOW: Final = "/api/config/config_entries/flow"
OPTIONS_FLOW: Final = "/api/config/config_entries/options/flow"
POLL_SECONDS: Final = 0.2
FLOW_SECONDS: Final = 120
DEVICES_SECONDS: Final = 60

#: Figures that move while somebody looks; a home is content with the default.
OPTIONS: Final = {
    "states": {"write_interval": 1, "consider_home": 180},
    "devices": {},
    "hints": {},
}


@dataclass(frozen=True, slots=True)
class LogIn:
    """Home Assistant runs as root here, so its password is a new one each time."""

    username: str = "demo"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))


async def onboard(api: Api) -> LogIn:
    """Go through the onboarding: the owner's account, no analytics, where home is."""
    log_in = LogIn()
    answer = await api.post(
        "/api/onboarding/users",
        {
            "name": "Demo",
            "username": log_in.username,
            "password": log_in.password,
            "client_id": api.client_id,
            "language": "en",
        },
    )
    await api.authorise(answer["auth_code"])
    await api.post("/api/onboarding/analytics")
    await api.post(
        "/api/onboarding/integration",
        {"client_id": api.client_id, "redirect_uri": api.client_id},
    )
    await api.command(
        "config/core/update",
        location_name="Hearthwall demo",
        country="GB",
        currency="GBP",
        unit_system="metric",
    )
    return log_in


async def add_hearthwall(api: Api, socket: Path, state: Path) -> str:
    """Add the integration: this host, the interfaces that it proposes; return the entry's id."""
    result = await api.post(FLOW, {"handler": DOMAIN})
    result = await _answer(api, result, "menu", {"next_step_id": "this_host"})
    proposed = next(
        (each.get("default") for each in result["data_schema"] if each["name"] == "interfaces"),
        None,
    )
    if not proposed:
        raise DemoError(f"Hearthwall found no interface to guard: {_describe(result)}")
    paths = {"socket": str(socket), "state_dir": str(state)}
    result = await _answer(api, result, "form", {"interfaces": proposed, "paths": paths})
    if result["type"] != "create_entry":
        raise DemoError(f"Hearthwall could not be set up: {_describe(result)}")
    entry: str = result["result"]["entry_id"]
    return entry


async def show_movement(api: Api, entry: str) -> None:
    """Set the entry's options to figures that move while somebody looks."""
    result = await api.post(OPTIONS_FLOW, {"handler": entry})
    await api.post(f"{OPTIONS_FLOW}/{result['flow_id']}", OPTIONS)


async def _answer(
    api: Api, result: dict[str, Any], expected: str, answer: dict[str, Any]
) -> dict[str, Any]:
    """Answer a step of the flow, and wait while it shows progress."""
    if result["type"] != expected:
        raise DemoError(f"Hearthwall asks what the demo does not know: {_describe(result)}")
    path = f"{FLOW}/{result['flow_id']}"
    async with asyncio.timeout(FLOW_SECONDS):
        result = await api.post(path, answer)
        while result["type"] == "progress":
            await asyncio.sleep(POLL_SECONDS)
            result = await api.get(path)
    return result


def _describe(result: Mapping[str, Any]) -> str:
    """Return what a step of a flow says."""
    placeholders = result.get("description_placeholders") or {}
    said = [str(value) for key, value in placeholders.items() if key != "command" and value]
    return "; ".join(
        [f"step {result.get('step_id')}", *map(str, (result.get("errors") or {}).values()), *said]
    )


async def name_devices(api: Api, entry: str) -> None:
    """Wait for the six devices, name them, and put those into an area that stay in one."""
    devices = await _find_devices(api, entry)
    areas = {
        each["name"]: each["area_id"] for each in await api.command("config/area_registry/list")
    }
    for member in HOUSEHOLD:
        area = None
        if member.area is not None:
            if member.area not in areas:
                created = await api.command(
                    "config/area_registry/create", name=member.area, icon=AREA_ICONS[member.area]
                )
                areas[member.area] = created["area_id"]
            area = areas[member.area]
        await api.command(
            "config/device_registry/update",
            device_id=devices[member.host],
            name_by_user=member.name,
            area_id=area,
        )
    await _name_entities(api, set(devices.values()))


async def _find_devices(api: Api, entry: str) -> dict[str, str]:
    """Return the registered devices' ids by host as soon as all six have been seen."""
    hosts = {member.mac: member.host for member in HOUSEHOLD}
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(DEVICES_SECONDS):
            while len(found) < len(HOUSEHOLD) + 1:
                await asyncio.sleep(POLL_SECONDS)
                for device in await api.command("config/device_registry/list"):
                    if entry not in device["config_entries"]:
                        continue
                    macs = [value for kind, value in device["connections"] if kind == "mac"]
                    host = hosts[macs[0]] if macs else "gateway"
                    found[host] = device["id"]
    except TimeoutError:
        missing = ", ".join(sorted({*hosts.values(), "gateway"} - found.keys()))
        raise DemoError(f"Not seen within {DEVICES_SECONDS} s: {missing}.") from None
    return found


async def _name_entities(api: Api, devices: Collection[str]) -> None:
    """Let the entities' ids follow the devices' new names, as Home Assistant offers after a renaming."""
    renamed = await api.command(
        "config/entity_registry/get_automatic_entity_ids",
        entity_ids=[
            each["entity_id"]
            for each in await api.command("config/entity_registry/list")
            if each["device_id"] in devices and each["platform"] == DOMAIN
        ],
    )
    for old, new in renamed.items():
        if new not in {None, old}:
            await api.command("config/entity_registry/update", entity_id=old, new_entity_id=new)


async def expose(api: Api, entry: str) -> None:
    """Let Assist know of the devices: by its presence, which nobody can order to do anything."""
    entities = [
        each["entity_id"]
        for each in await api.command("config/entity_registry/list")
        if each["config_entry_id"] == entry
        and each["entity_id"].startswith("device_tracker.")
        and not each["disabled_by"]
    ]
    await api.command(
        "homeassistant/expose_entity",
        assistants=["conversation"],
        entity_ids=entities,
        should_expose=True,
    )
