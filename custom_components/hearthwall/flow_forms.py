"""The forms of the config flow: what is asked for, and how this host is described."""

import os
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util.network import is_host_valid

from .bpf.hearthwall_sensor.protocol import DEFAULT_SOCKET
from .const import (
    CONF_FINGERPRINT,
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

#: What a sensor's documentation proposes to listen on.
DEFAULT_PORT: Final = 8447
#: The digits of a SHA-256, however they were grouped.
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
#: What a header may carry; the sensor's own tokens have 43 of these.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,128}")

SECRETS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD)),
        vol.Required(CONF_FINGERPRINT): TextSelector(),
    }
)
CODE_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CODE): TextSelector(TextSelectorConfig(autocomplete="one-time-code"))}
)
PLACE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(
                NumberSelectorConfig(min=1, max=65535, step=1, mode=NumberSelectorMode.BOX)
            ),
            vol.Coerce(int),
        ),
    }
)
REMOTE_SCHEMA: Final = PLACE_SCHEMA.extend(SECRETS_SCHEMA.schema)

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


def remote_place(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a sensor on another host is, as an entry keeps it."""
    return {CONF_HOST: typed[CONF_HOST].strip().strip("[]"), CONF_PORT: typed[CONF_PORT]}


def remote_data(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed or pasted of a sensor on another host as an entry keeps it."""
    return {
        **remote_place(typed),
        CONF_TOKEN: typed[CONF_TOKEN].strip(),
        CONF_FINGERPRINT: re.sub(r"[\s:]", "", typed[CONF_FINGERPRINT]).lower(),
    }


def find_place_errors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with where a sensor is said to be."""
    return {} if is_host_valid(data[CONF_HOST]) else {CONF_HOST: "invalid_address"}


def find_remote_errors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the fields, before anything is sent anywhere."""
    errors = find_place_errors(data)
    if not _TOKEN.fullmatch(data[CONF_TOKEN]):
        errors[CONF_TOKEN] = "invalid_token"
    if not _FINGERPRINT.fullmatch(data[CONF_FINGERPRINT]):
        errors[CONF_FINGERPRINT] = "invalid_fingerprint"
    return errors


def shown_place(host: str | None, port: int | None) -> str:
    """Return an address and a port as people write them."""
    return f"[{host}]:{port}" if host is not None and ":" in host else f"{host}:{port}"


def shown_fingerprint(digits: str) -> str:
    """Return a fingerprint as the sensor shows it."""
    return bytes.fromhex(digits).hex(":").upper()


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
