"""How far the user's "this is fine" reaches, in words: what is not told any more of whom."""

import re
from collections.abc import Mapping
from typing import Any, Final

from ..detectors.amounts import COVERED
from ..kinds import KINDS
from ..words.amounts import size
from ..words.evidence import is_number

#: By kind: what an event's subject looks like, and what is then like it. `who` is the device, `it` what the subject
#: names; `service` and `most` come from the evidence.
_ALIKE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "new_device": (("many", "that many new devices come at once"), ("", "that {who} is new")),
    "threat_address": (
        ("address (.+)", "that {who} exchanges packets with {it}, which is on a feed"),
        ("many of (.+) from outside", "that these addresses of the feed {it} call {who}"),
        ("many of (.+)", "that {who} exchanges packets with these addresses of the feed {it}"),
    ),
    "threat_domain": (
        ("domain (.+)", "that {who} asks for or speaks to {it}, which is on a feed"),
        ("many of (.+)", "that {who} asks for or speaks to these names of the feed {it}"),
    ),
    "forbidden_protocol": (
        ("(.+) from the internet", "that {who} serves {it} to anybody on the internet"),
        ("(.+)", "that {who} speaks {it} with anybody on the internet"),
    ),
    "unexpected_destination": (
        ("country (.+)", "that {who} talks to anybody in {it}"),
        ("domain (.+)", "that {who} talks to {it} and names below it"),
        ("network (.+)", "that {who} talks to hosts without a name in the network {it}"),
        ("description (.+)", "that {who} talks to {it} although its MUD file does not say so"),
        ("quiet hours", "that {who} talks to the internet in its quiet hours"),
    ),
    "local_device_on_internet": (
        ("internet basics", "that {who} asks the internet for names and the time"),
        ("internet", "that {who} talks to anybody on the internet"),
    ),
    "segment_crossing": (
        ("segment (.+)", "that {who} reaches for {service} in the segment {it}"),
        ("spoofed source", "that {who} sends from addresses that are not the home's"),
    ),
    "port_scan": (
        ("from the internet", "that hosts of the internet try ports of {who}"),
        ("host (.+)", "that {who} tries ports of {it}"),
    ),
    "address_scan": (
        ("from the internet", "that hosts of the internet look for {service} of {who}"),
        ("(.+)", "that {who} tries many hosts by {service}"),
    ),
    "connection_burst": (("", "that {who} begins up to {most} connections in a minute"),),
    "flood": (
        ("many", "that many sources flood at once, {who} first"),
        ("(.+) (?:lan|wan)", "that {who} sends floods of {it} packets"),
        ("sent", "that {who} sends packets in the rate of a flood"),
    ),
    "volume_anomaly": (
        ("upload in a day", "that {who} sends up to {most} to the internet in a day"),
        ("upload", "that {who} sends up to {most} to the internet in an hour"),
        ("download in a day", "that {who} receives up to {most} from the internet in a day"),
        ("download", "that {who} receives up to {most} from the internet in an hour"),
    ),
    "behaviour_anomaly": (("", "that {who} behaves so, with the same features standing out"),),
    "beacon": (("(.+)", "that {who} calls {it} at an even pace"),),
    "dns_tunnel": (
        ("domain (.+)", "that {who} asks for many long names below {it}"),
        ("server (.+)", "that {who} sends something else than DNS to the DNS port of {it}"),
        ("", "that {who} asks for many long names without a domain"),
    ),
    "address_conflict": (
        ("address (.+)", "that {who} claims the address {it}"),
        ("many addresses", "that {who} claims addresses of others"),
    ),
    "rogue_dhcp": (
        ("DHCP", "that {who} hands out IPv4 addresses"),
        ("DHCPv6", "that {who} hands out IPv6 addresses"),
        ("router advertisements", "that {who} advertises itself as a router"),
        ("redirects", "that {who} redirects others to another router"),
    ),
    "unexpected_process": (
        ("new_listener (.+)", "that {who} listens on {it}"),
        ("new_talker", "that {who} talks to the internet"),
        ("from_.+", "that {who} talks to the internet from where it is"),
        (r"(\w+).*", "of {who} what the pattern {it} describes"),
    ),
    "suspicious_syscall": (
        ("raw_socket", "that {who} opens raw sockets"),
        ("ptrace_other", "that {who} takes hold of other processes"),
        ("reverse_shell (.+)", "that {who}, begun by {it}, has a connection for its input"),
        ("shell_turned_over", "that {who} calls somebody and takes its input from there"),
        ("(?:server|service)_shell (.+)", "that {who} begins the shell {it}"),
        (r"(\w+).*", "of {who} what the pattern {it} describes"),
    ),
    "exec_and_connect": (
        ("", "that {who} is run and talks to anybody soon after it was put there"),
    ),
}
#: What becomes part of the profile, which a taken-back acceptance leaves as it is.
_LEARNT: Final = frozenset(
    (
        *("behaviour_anomaly", "connection_burst", "local_device_on_internet"),
        *("unexpected_destination", "volume_anomaly"),
    )
)


def what(accepted: Mapping[str, Any], who: str) -> str:
    """Return what is not told any more after an event or an acceptance, as a clause with "that"."""
    subject = accepted.get("subject") or ""
    for pattern, words in _ALIKE.get(accepted["kind"], ()):
        match = re.fullmatch(pattern, subject) if pattern else True
        if match:
            it = match[1] if isinstance(match, re.Match) and match.groups() else subject
            return words.format(who=who, it=it, **_amounts(accepted))
    kind = KINDS.get(accepted["kind"])
    meaning = kind.meaning if kind else accepted["kind"]
    return f"of {who} that {meaning}" + (f" ({subject})" if subject else "")


def _amounts(accepted: Mapping[str, Any]) -> dict[str, str]:
    """Return what the evidence says of how far an acceptance reaches."""
    evidence = accepted["evidence"]
    value = evidence.get("value")
    most = value * COVERED if is_number(value) else 0
    is_volume = accepted["kind"] == "volume_anomaly"
    return {
        "service": str(evidence.get("service") or "anything"),
        "most": size(most * 1e6) if is_volume else f"{most:.0f}",
    }


def stays_learnt(kind: str) -> bool:
    """Return whether what is accepted becomes part of what is usual for the device."""
    return kind in _LEARNT
