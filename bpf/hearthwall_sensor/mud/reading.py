"""Reads a Manufacturer Usage Description (RFC 8520): hostile JSON in, expectations out."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ..modes import MAX_PEERS
from ..policy.expectations import LOCAL, Expectation
from ..protocol import SensorError
from ..targets import parse_peer

#: Longer ones are no description of one kind of device.
MAX_BYTES: Final = 48 * 1024
_MAX_LISTS: Final = 64
_MAX_TEXT: Final = 200

MUD: Final = "ietf-mud:mud"
ACLS: Final = "ietf-access-control-list:acls"
_POLICIES: Final = {"from-device-policy": "device", "to-device-policy": "peer"}
_TRANSPORTS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
#: What a description may say of peers instead of naming them, and whether it means hosts of the home.
_ABSTRACT: Final = {
    "local-networks": True,
    "same-manufacturer": True,
    "manufacturer": True,
    "model": True,
    "my-controller": True,
    "controller": True,
}
_INITIATED: Final = {"from-device": "device", "to-device": "peer"}


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says of one kind of device."""

    url: str
    """Where the file says that it comes from; nothing is fetched from there unasked."""
    system: str
    """What it is, in the maker's words."""
    last_update: str
    supported: bool
    expected: tuple[Expectation, ...]
    left_out: tuple[str, ...]
    """Entries that could not be understood, by name: what they would allow is not expected."""


def load(text: str | bytes) -> Any:
    """Return a file's JSON; raises SensorError `invalid_mud`."""
    if len(text) > MAX_BYTES:
        raise _invalid(f"it is larger than {MAX_BYTES // 1024} kB")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid("it is no JSON") from error


def read(document: Any) -> Description:
    """Return what a file's JSON says; raises SensorError `invalid_mud` with what is wrong."""
    head = _object(document, MUD)
    if head.get("mud-version") != 1:
        raise _invalid("it is not of version 1")
    lists = {_text(each.get("name")): each for each in _objects(_object(document, ACLS).get("acl"))}
    expected: dict[Expectation, None] = {}
    left_out: list[str] = []
    for policy, way in _POLICIES.items():
        for name in _names(head.get(policy)):
            if name not in lists:
                raise _invalid(f"it names a list {name!r} that is not in it")
            for entry in _objects(_dict(lists[name].get("aces")).get("ace")):
                found = list(_entry(entry, way))
                if not found:
                    left_out.append(_text(entry.get("name")))
                expected |= dict.fromkeys(found)
    peers = {each.peer for each in expected}
    if len(peers) > MAX_PEERS:
        raise _invalid(f"it names more than {MAX_PEERS} peers")
    return Description(
        url=_text(head.get("mud-url")),
        system=_text(head.get("systeminfo")),
        last_update=_text(head.get("last-update")),
        supported=head.get("is-supported") is True,
        expected=tuple(expected),
        left_out=tuple(left_out[:_MAX_LISTS]),
    )


def check_url(text: str) -> str:
    """Return the address of a description, which RFC 8520 wants to be https; raises SensorError `invalid_mud`."""
    try:
        url = urlsplit(text)
        fits = url.scheme == "https" and bool(url.hostname) and "@" not in url.netloc
    except ValueError:
        fits = False
    if "://" in text and not text.startswith("https://"):
        raise SensorError(
            "invalid_mud", f"{text[:80]!r}: only https:// addresses are fetched, as RFC 8520 wants"
        )
    if not fits or len(text) > 253 or not text.isascii() or not text.isprintable() or " " in text:
        raise _invalid(f"{text[:80]!r} is no https:// address")
    return text


def _entry(entry: Mapping[str, Any], way: str) -> Iterator[Expectation]:
    """Yield what one entry expects; nothing where it is no permission, or more than is understood here."""
    if _text(_dict(entry.get("actions")).get("forwarding")).rpartition(":")[2] != "accept":
        return
    matches = _dict(entry.get("matches"))
    if matches.keys() - {"ipv4", "ipv6", "tcp", "udp", "icmp", MUD, "eth"}:
        return
    address = _dict(matches.get("ipv4")) or _dict(matches.get("ipv6"))
    far = "destination" if way == "device" else "source"
    layer = next((each for each in ("tcp", "udp") if each in matches), None)
    transport = layer or _TRANSPORTS.get(_number(address.get("protocol")) or -1)
    ports, is_own = _ports(_dict(matches.get(layer or "")), way)
    if ports == ():
        return
    said = _text(_dict(matches.get("tcp")).get("ietf-mud:direction-initiated"))
    opened = "peer" if is_own else _INITIATED.get(said)
    for peer in _peers(address, _dict(matches.get(MUD)), far):
        yield Expectation(peer, transport, ports or None, opened)


def _peers(address: Mapping[str, Any], abstract: Mapping[str, Any], far: str) -> Iterator[str]:
    """Yield whom an entry speaks of."""
    short = "dst" if far == "destination" else "src"
    named = (
        address.get(f"ietf-acldns:{short}-dnsname"),
        address.get(f"{far}-ipv4-network"),
        address.get(f"{far}-ipv6-network"),
    )
    for each in named:
        if isinstance(each, str):
            try:
                yield parse_peer(each)
            except SensorError as error:
                raise _invalid(error.message) from error
    if any(each in _ABSTRACT for each in abstract):
        yield LOCAL


def _ports(layer: Mapping[str, Any], way: str) -> tuple[tuple[int, int] | tuple[()] | None, bool]:
    """Return the called side's ports, None for any and () for what is not understood; and whether that is the device.

    A description names the same port twice: as the destination of what the device sends, and as the source of what
    comes back. A port of the device itself is that of a service which it offers.
    """
    near = layer.get("source-port" if way == "device" else "destination-port")
    far = layer.get("destination-port" if way == "device" else "source-port")
    if far is None and near is None:
        return None, False
    is_own = far is None
    chosen = _dict(near if is_own else far)
    operator = chosen.get("operator", "range" if "lower-port" in chosen else "eq")
    bounds = {
        "eq": (chosen.get("port"), chosen.get("port")),
        "gte": (chosen.get("port"), 65535),
        "lte": (0, chosen.get("port")),
        "range": (chosen.get("lower-port"), chosen.get("upper-port")),
    }
    ends = bounds.get(operator) if isinstance(operator, str) else None
    low, high = map(_number, ends or (None, None))
    if low is None or high is None or not 0 <= low <= high <= 65535:
        return (), is_own
    return (low, high), is_own


def _names(policy: Any) -> list[str]:
    """Return the names of a policy's lists."""
    listed = _objects(_dict(_dict(policy).get("access-lists")).get("access-list"))
    return [_text(each.get("name")) for each in listed]


def _object(document: Any, key: str) -> Mapping[str, Any]:
    """Return a part that must be there."""
    found = document.get(key) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise _invalid(f"it has no {key}")
    return found


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; raises SensorError where there are too many."""
    listed = value if isinstance(value, list) else []
    found: list[Mapping[str, Any]] = [each for each in listed if isinstance(each, dict)]
    if len(found) > MAX_PEERS:
        raise _invalid(f"one of its lists has more than {MAX_PEERS} entries")
    return found


def _dict(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int | None:
    """Return a whole number, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    """Return text that can be shown, an empty one for what is none."""
    if not isinstance(value, str):
        return ""
    return "".join(each for each in value[:_MAX_TEXT] if each.isprintable())


def _invalid(why: str) -> SensorError:
    """Return the error of a file that is no description."""
    return SensorError("invalid_mud", f"the file is no MUD description: {why}")


def is_address(text: str) -> bool:
    """Return whether a peer is an address or a prefix, rather than a name."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
