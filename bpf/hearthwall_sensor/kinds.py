"""Kinds of events: what each means, what it is in MITRE ATT&CK, and what a person can do about it."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Severity = Literal["info", "low", "medium", "high", "critical"]
#: The mildest first.
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "low", "medium", "high", "critical")

EventKind = Literal[
    "new_device",
    "threat_address",
    "threat_domain",
    "forbidden_protocol",
    "unexpected_destination",
    "local_device_on_internet",
    "segment_crossing",
    "port_scan",
    "address_scan",
    "connection_burst",
    "flood",
    "volume_anomaly",
    "behaviour_anomaly",
    "beacon",
    "dns_tunnel",
    "address_conflict",
    "rogue_dhcp",
    "unexpected_process",
    "suspicious_syscall",
    "exec_and_connect",
    "blocked",
    "unblocked",
]


class Measure(NamedTuple):
    """What the value in an event's evidence counts, for those whose subject begins so."""

    counts: str
    """In words that follow the number, such as `ports tried`."""
    subject: str = ""
    unit: Literal["", "bytes", "megabytes"] = ""
    by_window: bool = True
    """Whether it was counted within the window that the evidence has."""


class Kind(NamedTuple):
    """One kind of event."""

    meaning: str
    """What was noticed, in a person's words."""
    advice: str
    """What a person can do."""
    technique: str | None = None
    """MITRE ATT&CK technique, where one fits all of them; a notice may bring its own."""
    quiet: float = 3600.0
    """The same of the same device within so many seconds is counted with the event that was told."""
    by_rules: bool = False
    """Whether rules and orders tell it, rather than a detector."""
    blames_peer: bool = False
    """Whether the peer itself is the trouble and may be cut off for everybody; else it may be a victim, or innocent."""
    of_programs: bool = False
    """Whether it is told of this host's own programs, beside or in place of devices."""
    measures: tuple[Measure, ...] = ()
    """What its value is; the first that fits its subject. Where none does, or it is a word, there is nothing to add."""


_HOUR: Final = 3600.0
_DAY: Final = 86_400.0

KINDS: Final[Mapping[EventKind, Kind]] = {
    "new_device": Kind(
        "a device that was never seen before is on the network",
        "Give it a name if you know it; quarantine it if you don't.",
        None,
        _DAY,
        measures=(Measure("new devices", "many"),),
    ),
    "threat_address": Kind(
        "a device exchanged packets with an address of a feed",
        "Block the address, and look at what else the device does.",
        "T1071",
        blames_peer=True,
        of_programs=True,
        measures=(
            Measure("packets", "address "),
            Measure("addresses of the feed", "many of "),
        ),
    ),
    "threat_domain": Kind(
        "a device asked for, or spoke to, a name of a feed",
        "Block the name, and look at what else the device does.",
        "T1071.004",
        blames_peer=True,
        of_programs=True,
        measures=(Measure("names of the feed", "many of "),),
    ),
    "forbidden_protocol": Kind(
        "a device speaks a protocol that the policy does not allow it",
        "Quarantine the device if nobody uses this on purpose; allow it in the policy if somebody does.",
        blames_peer=True,
        of_programs=True,
    ),
    "unexpected_destination": Kind(
        "a device talks to a place that is unlike all that it was seen to talk to",
        "Accept it if it is fine (after an update, say); block the peer if it is not.",
        "T1071",
        _DAY,
        blames_peer=True,
        of_programs=True,
        measures=(
            Measure("moved", "quiet hours", unit="bytes"),
            Measure("points of surprise", by_window=False),
        ),
    ),
    "local_device_on_internet": Kind(
        "a device that stays in the home talks to the internet",
        "Take the internet from it, or say in the policy that it may.",
        "T1041",
        _DAY,
    ),
    "segment_crossing": Kind(
        "a device reaches into a part of the network that the policy closes to it, or sends from"
        " an address that is not the home's",
        "Quarantine the device; if it may reach that part of the network, open the way in the policy.",
        None,
        measures=(Measure("flows from addresses that are not the home's", "spoofed source"),),
    ),
    "port_scan": Kind(
        "a device tries many ports of one host, and fails",
        "Quarantine the device unless somebody looks for open ports on purpose.",
        "T1046",
        of_programs=True,
        measures=(Measure("ports tried"),),
    ),
    "address_scan": Kind(
        "a device tries the same port of many hosts, and fails",
        "Quarantine the device: looking for others to infect is what worms do.",
        "T1018",
        of_programs=True,
        measures=(Measure("hosts tried"),),
    ),
    "connection_burst": Kind(
        "a device begins far more connections than it ever did",
        "Look at its flows; limit or quarantine it if they make no sense.",
        "T1498",
        of_programs=True,
        measures=(Measure("connections begun"),),
    ),
    "flood": Kind(
        "a source sends packets in a rate that only a flood has",
        "Quarantine the device; what floods from the internet, only a threshold (`--flood`) keeps out.",
        "T1498.001",
        60.0,
        measures=(
            Measure("sources at once", "many"),
            Measure("packets a second"),
        ),
    ),
    "volume_anomaly": Kind(
        "a device moves far more data than it does at this time of the week",
        "Look whom it talks to; accept it if it was a backup or an update.",
        "T1048",
        _HOUR,
        of_programs=True,
        measures=(
            Measure("sent", "upload", unit="megabytes"),
            Measure("received", unit="megabytes"),
        ),
    ),
    "behaviour_anomaly": Kind(
        "what a device does, taken together, is unlike what it was learnt to do",
        "Look at the features that stand out; accept it if there is a reason.",
        None,
        6 * _HOUR,
        measures=(Measure("usual differences from all that was learnt"),),
    ),
    "beacon": Kind(
        "a device calls one peer again and again at an even pace",
        "Block the peer if you don't know it: implants call home like that.",
        "T1071.001",
        _DAY,
        blames_peer=True,
        of_programs=True,
        measures=(Measure("of 1 in evenness"),),
    ),
    "dns_tunnel": Kind(
        "a device carries data in DNS questions",
        "Block the domain and quarantine the device.",
        "T1572",
        _HOUR,
        blames_peer=True,
        measures=(
            Measure("in each packet", "server ", unit="bytes"),
            Measure("different names asked for"),
        ),
    ),
    "address_conflict": Kind(
        "two devices claim one address",
        "If one of them claims the gateway's, quarantine it; else give each an address of its own.",
        "T1557.002",
        _HOUR,
        measures=(
            Measure("addresses of others claimed", "many addresses"),
            Measure("claims against another's"),
        ),
    ),
    "rogue_dhcp": Kind(
        "a second host hands out addresses or advertises itself as a router",
        "Quarantine it, unless it is a router of your own: then switch off what it serves there.",
        "T1557.003",
        _HOUR,
    ),
    "unexpected_process": Kind(
        "a program of this gateway does what it, or any program, never did here before",
        "Accept it if you installed or changed the program; look at where it comes from if you didn't.",
        None,
        _DAY,
        of_programs=True,
    ),
    "suspicious_syscall": Kind(
        "a process of this gateway does what intruders do: a shell on a connection, a raw socket, a hold on another"
        " process",
        "Look at who started it; stop the program if nobody of you did.",
        "T1059",
        of_programs=True,
    ),
    "exec_and_connect": Kind(
        "a program that was just put on this gateway was run, and talks to somebody",
        "Stop the program unless you put it there; then look how its file came here.",
        "T1105",
        of_programs=True,
    ),
    "blocked": Kind("a rule was put in force", "`blocks` shows it.", None, 0.0, by_rules=True),
    "unblocked": Kind("a rule ended", "`block` puts it back.", None, 0.0, by_rules=True),
}
