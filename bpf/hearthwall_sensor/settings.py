"""What a user may set, on the command line or in a TOML file; the command line wins."""

import dataclasses
import ipaddress
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .ports import TcWay
from .protocol import DEFAULT_SOCKET, SensorError


@dataclass(frozen=True, slots=True)
class Settings:
    """One sensor's settings."""

    interfaces: tuple[str, ...] = ()
    socket: str = DEFAULT_SOCKET
    state_dir: str = "/var/lib/hearthwall"
    group: str | None = None
    home_assistant: str | None = None
    tc: Literal["auto", "tcx", "clsact"] = "auto"

    @property
    def tc_way(self) -> TcWay | None:
        """How tc programs are attached, None for whatever the kernel has."""
        return None if self.tc == "auto" else self.tc


def read(path: str | None, given: dict[str, Any]) -> Settings:
    """Return the settings of a file, if there is one, and of the command line.

    Raises SensorError `invalid_message` for a file that can't be read or names a setting that there is not.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(Path(path).read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SensorError("invalid_message", f"{path} can't be read: {error}") from error
    known = {each.name for each in dataclasses.fields(Settings)}
    if unknown := set(values) - known:
        raise SensorError(
            "invalid_message",
            f"{path}: there is no setting {min(unknown)!r}, but {sorted(known)}",
        )
    values |= {name: value for name, value in given.items() if value is not None}
    interfaces = values.get("interfaces", [])
    if not isinstance(interfaces, list):
        raise SensorError("invalid_message", 'interfaces is a list, such as ["br-lan"]')
    values["interfaces"] = tuple(interfaces)
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Raise SensorError `invalid_message` for a value that can't be."""
    texts = (settings.socket, settings.state_dir, *settings.interfaces)
    optional = (each for each in (settings.group, settings.home_assistant) if each is not None)
    if not all(isinstance(each, str) and each for each in (*texts, *optional)):
        raise SensorError("invalid_message", "settings are texts, and interfaces a list of texts")
    if settings.tc not in ("auto", "tcx", "clsact"):
        raise SensorError("invalid_message", "tc is auto, tcx or clsact")
    if settings.home_assistant is not None:
        try:
            ipaddress.ip_address(settings.home_assistant)
        except ValueError as error:
            raise SensorError("invalid_target", f"home_assistant: {error}") from error
