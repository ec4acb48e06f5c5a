"""What devices and their peers are called by people and in front of them; the text is still as they wrote it."""

from collections.abc import Iterable, Mapping, Sequence

from ..nearest import did_you_mean
from ..protocol import Device, Flow, SensorError
from ..targets import parse_mac, parse_target

#: Transports whose ports say nothing: of ICMP they hold types.
_PORTLESS = ("icmp", "icmpv6")


def device_name(device: Device) -> str:
    """Return the user's name for a device, else its own, else its MAC."""
    return device.name or device.hostname or device.mac


def device_names(devices: Iterable[Device]) -> Mapping[str, str]:
    """Return the devices' names by MAC, also by those that are merged into them."""
    return {
        mac: device_name(device) for device in devices for mac in (device.mac, *device.other_macs)
    }


def resolved(text: str, devices: Sequence[Device]) -> tuple[str, ...]:
    """Return the MACs of the devices with this MAC, address or name; raises SensorError `not_found`."""
    try:
        wanted = parse_mac(text)
    except SensorError:
        wanted = text.strip().casefold()
    found = tuple(each.mac for each in devices if wanted in _known_as(each))
    if not found:
        # Names only: all MACs of one maker are alike
        names = (name for each in devices for name in (each.name, each.hostname) if name)
        meant = did_you_mean(text, names)
        raise SensorError(
            "not_found", f"there is no device {text[:80]}{meant or '; `devices` lists them'}"
        )
    return found


def mac_of(text: str, devices: Sequence[Device]) -> str:
    """Return a MAC as it is, and of an address or name the MAC of the only device that has it; raises SensorError."""
    try:
        return parse_mac(text)
    except SensorError as error:
        if error.code == "protected_target":
            raise
    return resolved_one(text, devices)


def resolved_one(text: str, devices: Sequence[Device]) -> str:
    """Return the MAC of the only device with this MAC, address or name; raises SensorError."""
    macs = resolved(text, devices)
    if len(macs) > 1:
        raise SensorError(
            "invalid_target", f"{text[:80]} is several devices: {', '.join(macs[:10])}"
        )
    return macs[0]


def typable(mac: str, devices: Sequence[Device]) -> str:
    """Return what a person can type for a device: its name where only it is called so, else its MAC.

    A name that reads as a target, or as the number of a rule, would be taken for that.
    """
    name = device_names(devices).get(mac, mac)
    is_word = name.isprintable() and name == name.strip() and not name.startswith("-")
    found = [each for each in devices if name.casefold() in _known_as(each)]
    return name if is_word and len(found) == 1 and not _is_target(name) else mac


def _is_target(name: str) -> bool:
    """Return whether a device's name could be taken for what a rule is on, or a rule's number."""
    try:
        parse_target(name)
    except SensorError as error:
        return error.code != "invalid_target" or name.isdecimal()
    return True


def _known_as(device: Device) -> set[str]:
    """Return all that a device can be asked for by."""
    known = (device.name, device.hostname, device.mac, *device.other_macs, *device.addresses)
    return {each.casefold() for each in known if each}


def peer(flow: Flow) -> str:
    """Return the peer's name or address, with its port where it has one."""
    if flow.transport in _PORTLESS or not (flow.port or flow.peer_port):
        return flow.peer_name or flow.peer_address
    if flow.peer_name is None and ":" in flow.peer_address:
        return f"[{flow.peer_address}]:{flow.peer_port}"
    return f"{flow.peer_name or flow.peer_address}:{flow.peer_port}"


def program(flow: Flow) -> str:
    """Return the executable whose process of this host a flow is of, with its container; nothing for a device's."""
    details = flow.process_details
    return executable(flow.process or "", details.container if details is not None else None)


def executable(path: str, container: str | None) -> str:
    """Return an executable, with the container that it runs in."""
    return path if container is None else f"{path}@{container}"


def application(flow: Flow) -> str:
    """Return the application, and whether TLS hid the inner name (Encrypted ClientHello)."""
    return f"{flow.application}+ech" if flow.encrypted_hello else flow.application


def outcome(flow: Flow) -> str:
    """Return what became of a connection in words, nothing where there is nothing to say."""
    return (flow.outcome or "").replace("_", " ")


def network(flow: Flow) -> str:
    """Return the network that the peer is in, as the user's files call it."""
    return flow.as_name or ("" if flow.as_number is None else f"AS{flow.as_number}")
