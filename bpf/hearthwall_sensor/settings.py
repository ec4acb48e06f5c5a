"""What a user may set, on the command line or in a TOML file; the command line wins."""

import dataclasses
import ipaddress
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from .floods import DEFAULT_THRESHOLDS, Thresholds, parse_threshold
from .kernel.hooks import TC_WAYS, XDP_WAYS, TcWay, XdpWay
from .nearest import did_you_mean
from .protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR, Role, SensorError
from .retention import Retention
from .trust import Trust

if TYPE_CHECKING:
    from .sinks.reading import Named

#: Settings that are lists, with an example.
_LISTS: Final = {
    "interfaces": "br-lan",
    "wan": "eth0",
    "floods": "wan:syn=200",
    "dns_servers": "192.168.1.2",
    "geo": "/var/lib/hearthwall/country.mmdb",
}

#: Settings that are texts, with an example.
_TEXTS: Final = {
    "socket": DEFAULT_SOCKET,
    "state_dir": DEFAULT_STATE_DIR,
    "group": "hearthwall",
    "home_assistant": "192.168.1.5",
    "listen": "192.168.1.1:8447",
    "policy": "/etc/hearthwall/policy.toml",
    "cgroup": "/sys/fs/cgroup/system.slice",
}
_MB: Final = 1_000_000
_KEPT: Final = Retention()
#: Settings that are one of some words.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tc": ("auto", *TC_WAYS),
    "xdp": ("auto", *XDP_WAYS),
    "metrics_devices": ("off", "pseudonym", "mac"),
}
#: Settings that are numbers, with the least and the most.
_NUMBERS: Final = {"events_days": (0.01, 3650), "events_mb": (0.1, 10_000)}


@dataclass(frozen=True, slots=True)
class Settings:
    """One sensor's settings."""

    interfaces: tuple[str, ...] = ()
    wan: tuple[str, ...] = ()
    socket: str = DEFAULT_SOCKET
    state_dir: str = DEFAULT_STATE_DIR
    group: str | None = None
    home_assistant: str | None = None
    listen: str | None = None
    tc: Literal["auto", "tcx", "clsact"] = "auto"
    xdp: Literal["auto", "link", "netlink", "off"] = "auto"
    floods: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    watch_dns: bool = True
    wait: bool = False
    """Whether to start though none of the interfaces is there yet."""
    alone: bool = False
    """Whether programs on interfaces that are a sensor's, and no known one's, are this one's to replace."""
    geo: tuple[str, ...] = ()
    policy: str | None = None
    cgroup: str | None = None
    events_days: float = _KEPT.days
    events_mb: float = _KEPT.bytes / _MB
    metrics_devices: Literal["off", "pseudonym", "mac"] = "off"
    sinks: "tuple[Named, ...]" = ()
    file: str | None = None
    """The file that these were read from, None for none."""

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """Address and port to listen on for other hosts, None for not at all."""
        return None if self.listen is None else parse_endpoint(self.listen)

    @property
    def retention(self) -> Retention:
        """How long events are kept, and how many."""
        return Retention(self.events_days, round(self.events_mb * _MB))

    @property
    def guarded(self) -> dict[str, Role]:
        """The names of what is guarded, with the role of each."""
        lan: dict[str, Role] = dict.fromkeys(self.interfaces, "lan")
        return lan | dict.fromkeys(self.wan, "wan")

    @property
    def thresholds(self) -> Thresholds:
        """Packets per second that a source may send, by side and kind: the usual ones, and what is set."""
        return DEFAULT_THRESHOLDS | dict(map(parse_threshold, self.floods))

    @property
    def tc_way(self) -> TcWay | None:
        """How tc programs are attached, None for whatever the kernel has."""
        return None if self.tc == "auto" else self.tc

    @property
    def xdp_way(self) -> XdpWay | None:
        """How XDP programs are attached, None for whatever the kernel has."""
        return None if self.xdp == "auto" else self.xdp


def read(path: str | None, given: dict[str, Any]) -> Settings:
    """Return the settings of a file, if there is one, and of the command line.

    Raises SensorError `invalid_message` for a file that can't be read or names a setting that there is not.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(_own_text(Path(path)))
        except (FileNotFoundError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SensorError("invalid_message", f"{path} can't be read: {error}") from error
        except OSError as error:  # which may be another one at the next try
            raise SensorError("internal", f"{path} can't be read: {error}") from error
    known = {each.name for each in dataclasses.fields(Settings)} - {"file", "sinks"} | {"sink"}
    if unknown := set(values) - known:
        word = min(unknown)
        meant = did_you_mean(word, known) or f"; there are {', '.join(sorted(known))}"
        raise SensorError("invalid_message", f"{path}: there is no setting {word[:40]!r}{meant}")
    file = None if path is None else str(Path(path).resolve())
    try:
        sinks = _sinks(values.pop("sink", []), above=known)
        settings = _made(values, sinks, file)
    except SensorError as error:
        raise error if path is None else SensorError(error.code, f"{path}: {error}") from error
    said = {name: value for name, value in given.items() if value is not None}
    return _made(values | said, sinks, file) if said else settings


def _made(values: Mapping[str, Any], sinks: "tuple[Named, ...]", file: str | None) -> Settings:
    """Return the settings that some values are; raises SensorError for one that can't be."""
    for name, example in _LISTS.items():
        listed = values.get(name, [])
        if not isinstance(listed, list) or not all(
            isinstance(each, str) and each for each in listed
        ):
            raise SensorError(
                "invalid_message", f'{name} is a list of texts, such as {name} = ["{example}"]'
            )
    lists = {name: tuple(values[name]) for name in _LISTS if name in values}
    settings = Settings(**{**values, **lists}, sinks=sinks, file=file)
    _check(settings)
    return settings


def _own_text(path: Path) -> str:
    """Read a file that only root, or this process's user, can change: it says which files root writes.

    Raises SensorError `unsafe_files` or OSError.
    """
    with path.open("rb") as file:
        Trust.own().require(file.fileno(), path)
        return file.read().decode()


def _sinks(tables: Any, *, above: Collection[str]) -> "tuple[Named, ...]":
    """Return the sinks that a file names; what there is of them takes memory only where there are some."""
    if tables == []:
        return ()
    from .sinks import reading

    return reading.read(tables, above=above)


def parse_endpoint(text: str) -> tuple[str, int]:
    """Return address and port of `192.168.1.1:8447` or `[fd00::1]:8447`; raises SensorError `invalid_message`."""
    address, _, port = text.rpartition(":")
    is_six = address.startswith("[") and address.endswith("]")
    try:
        parsed = ipaddress.ip_address(address.strip("[]") if is_six else address)
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number < 65536 or (parsed.version == 6) != is_six:
        raise SensorError(
            "invalid_message",
            "listen is an address of this host and a port, such as 192.168.1.1:8447 or [fd00::1]:8447,"
            f" not {text[:60]!r}",
        )
    return str(parsed), number


def _check(settings: Settings) -> None:
    """Raise SensorError `invalid_message` for a value that can't be."""
    for name, example in _TEXTS.items():
        text = getattr(settings, name)
        if text is not None and not (isinstance(text, str) and text):
            raise SensorError("invalid_message", f'{name} is a text, such as {name} = "{example}"')
    _check_words(settings)
    if both := set(settings.interfaces) & set(settings.wan):
        raise SensorError(
            "invalid_message",
            f"interfaces and wan both name {min(both)}: it is either the home's side or the internet's",
        )
    for switch in ("watch_dns", "wait", "alone"):
        if not isinstance(getattr(settings, switch), bool):
            raise SensorError("invalid_message", f"{switch} is true or false")
    _check_numbers(settings)
    if settings.listen is not None:
        parse_endpoint(settings.listen)
    for text in settings.floods:
        _check_threshold(text)
    _check_address("home_assistant", settings.home_assistant)
    for each in settings.dns_servers:
        _check_address("dns_servers", each)


def _check_threshold(text: str) -> None:
    """Raise SensorError `invalid_message` for what is no threshold of floods."""
    try:
        parse_threshold(text)
    except SensorError as error:
        raise SensorError(error.code, f"floods: {error}") from error


def _check_address(setting: str, text: str | None) -> None:
    """Raise SensorError `invalid_target` for what is no address; none is fine."""
    try:
        ipaddress.ip_address(text or "::")
    except ValueError as error:
        raise SensorError("invalid_target", f"{setting}: {error}") from error


def _check_words(settings: Settings) -> None:
    """Raise SensorError `invalid_message` for a word that there is not."""
    for setting, words in _WORDS.items():
        if getattr(settings, setting) not in words:
            raise SensorError(
                "invalid_message", f"{setting} is {', '.join(words[:-1])} or {words[-1]}"
            )


def _check_numbers(settings: Settings) -> None:
    """Raise SensorError `invalid_message` for a number that can't be."""
    for setting, (least, most) in _NUMBERS.items():
        number = getattr(settings, setting)
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not least <= number <= most:
            raise SensorError("invalid_message", f"{setting} is a number from {least} to {most}")
