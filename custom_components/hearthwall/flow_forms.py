"""The forms of the config flow: what is asked for, and how this host is described."""

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import voluptuous as vol
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .bpf.hearthwall_sensor.protocol import DEFAULT_SOCKET
from .const import (
    CONF_INTERFACES,
    CONF_SOCKET,
    CONF_STATE_DIR,
    CONF_WAN,
    DEFAULT_STATE_DIR,
)

SECTION_PATHS: Final = "paths"

#: A unix socket's path does not hold more (sun_path, with its closing zero).
MAX_SOCKET_PATH: Final = 107

PATHS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_SOCKET, default=DEFAULT_SOCKET): TextSelector(),
        vol.Required(CONF_STATE_DIR, default=DEFAULT_STATE_DIR): TextSelector(),
    }
)
EXISTING_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_SOCKET, default=DEFAULT_SOCKET): TextSelector()}
)
KINDS: Final[Mapping[str, str]] = {
    "bridge": "bridge",
    "ethernet": "Ethernet",
    "wifi": "Wi-Fi",
    "veth": "virtual Ethernet",
    "vlan": "VLAN",
}


def find_input_errors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the fields, before anything is run with them."""
    errors: dict[str, str] = {}
    if CONF_INTERFACES in data and not data[CONF_INTERFACES]:
        errors[CONF_INTERFACES] = "no_interface_chosen"
    if set(data.get(CONF_WAN, ())) & set(data.get(CONF_INTERFACES, ())):
        errors[CONF_WAN] = "interface_on_both_sides"
    for key in (CONF_SOCKET, CONF_STATE_DIR):
        # Errors inside a section cannot be shown at the field.
        if key in data and not PurePosixPath(data[key]).is_absolute():
            errors["base"] = "path_not_absolute"
    if len(os.fsencode(data[CONF_SOCKET])) > MAX_SOCKET_PATH:
        errors["base"] = "path_too_long"
    return errors


def interfaces_schema(interfaces: list[dict[str, Any]]) -> vol.Schema:
    """Return the form of this host's interfaces, the proposed ones chosen."""
    ordered = sorted(interfaces, key=lambda each: (not each.get("proposed"), bool(each["bridge"])))
    proposed = [each["name"] for each in ordered if each.get("proposed")]
    outward = sorted(
        (each for each in interfaces if not each["bridge"] and each["kind"] != "bridge"),
        key=lambda each: not each["default_route"],
    )
    return vol.Schema(
        {
            vol.Required(CONF_INTERFACES, default=proposed): _interface_selector(ordered),
            vol.Optional(CONF_WAN): _interface_selector(outward),
            vol.Required(SECTION_PATHS): section(PATHS_SCHEMA, {"collapsed": True}),
        }
    )


def _interface_selector(interfaces: list[dict[str, Any]]) -> SelectSelector:
    """Return a choice of interfaces, in this order."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=each["name"], label=_describe_interface(each))
                for each in interfaces
            ],
            multiple=True,
            mode=SelectSelectorMode.LIST,
        )
    )


def _describe_interface(interface: Mapping[str, Any]) -> str:
    """Return an interface in a line: what it is, where it belongs, its addresses."""
    words = [KINDS.get(interface["kind"], interface["kind"])]
    if interface["bridge"]:
        words.append(f"port of {interface['bridge']}")
    if interface["default_route"]:
        words.append("leads to the internet")
    words.extend(interface["addresses"])
    return f"{interface['name']} ({', '.join(words)})"


def describe_missing(report: Mapping[str, Any]) -> str:
    """Return what a check found missing, as a list: what it is, what is lost, how to get it."""
    return "\n".join(
        f"- **{part['name']}**: {part['detail']}. Without it: {part['lost']}. What to do: {part['fix']}"
        for part in report.get("parts", [])
        if part["required"] and not part["ok"]
    )
