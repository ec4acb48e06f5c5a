"""DNS as tshark reads it: names that were asked for, where they lead, and what hosts announce of themselves."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.capture_oracle.conversations import Packet, Traffic
from tests.capture_oracle.names import normal
from tests.capture_oracle.tshark import Tshark

_PROTOCOLS: Final = ("dns", "mdns", "llmnr")
DNS_PORT: Final = 53
ANNOUNCING_PORTS: Final = frozenset((5353, 5355))
_ALL_PORTS: Final = ANNOUNCING_PORTS | {DNS_PORT}
_ADDRESSES: Final = (
    *("dns.a", "dns.aaaa"),
    *("dns.svcb.svcparam.ipv4hint.ip", "dns.svcb.svcparam.ipv6hint.ip"),
)
_SECTIONS: Final = ("Answers", "Authoritative nameservers", "Additional records")

Pair = tuple[str, str]


@dataclass(slots=True)
class Answers:
    """What all of a capture's DNS says; names are as `normal` writes them."""

    asked: set[str] = field(default_factory=set)
    """Names in questions, and their aliases in answers."""
    leads: set[Pair] = field(default_factory=set)
    """Each of them with each address that it leads to."""
    announced: set[Pair] = field(default_factory=set)
    """Host names and addresses in mDNS and LLMNR responses."""
    told: dict[Pair, set[str]] = field(default_factory=dict)
    """By who was told (a MAC, or an address where there are none) and an address: what had been asked for."""
    left_out: int = 0
    """Messages with another purpose than to ask one question or to answer it."""


@dataclass(slots=True)
class _Record:
    owner: str
    alias: str | None
    addresses: list[str]
    lasts: bool
    """False where a host says goodbye."""


def read(tshark: Tshark, capture: Path, traffic: Traffic) -> Answers:
    """Read all of a capture's DNS."""
    answers = Answers()
    ports = {end.port for key in traffic.conversations for end in (key.low, key.high)}
    if not ports & _ALL_PORTS:
        return answers  # details take long
    with tshark.details(capture, _PROTOCOLS) as stream:
        for number, message in _messages(stream):
            packet = traffic.by_number.get(number)
            if packet is None:
                continue
            ports = {packet.source.port, packet.destination.port}
            if DNS_PORT in ports:
                _take(answers, packet, message)
            elif ANNOUNCING_PORTS & ports:
                _take_announcement(answers, message)
    return answers


def _messages(stream: object) -> Iterator[tuple[int, ET.Element]]:
    """Yield every DNS message with its packet's number."""
    number = 0
    for _, element in ET.iterparse(stream):  # type: ignore[call-overload]
        if element.tag == "proto" and element.get("name") == "geninfo":
            number = int(next(f for f in element if f.get("name") == "num").get("show", "0"))
        elif element.tag == "proto" and element.get("name") in _PROTOCOLS:
            yield number, element
        elif element.tag == "packet":
            element.clear()


def _show(element: ET.Element, name: str) -> list[str]:
    return [each.get("show", "") for each in element.iter("field") if each.get("name") == name]


def _number(element: ET.Element, name: str) -> int:
    return int(next(iter(_show(element, name)), "0") or "0", 0)


def _flag(element: ET.Element, name: str) -> bool:
    return next(iter(_show(element, name)), "0") in ("1", "True")


def _section(message: ET.Element, name: str) -> list[ET.Element]:
    return [
        record
        for each in message.findall("field")
        if each.get("name") == "" and each.get("show") == name
        for record in each.findall("field")
    ]


def _records(message: ET.Element, section: str) -> Iterator[_Record]:
    for element in _section(message, section):
        owner = next(iter(_show(element, "dns.resp.name")), None)
        if owner is None or _number(element, "dns.resp.class") & 0x7FFF != 1:
            continue
        aliases = _show(element, "dns.cname")
        addresses = [text for name in _ADDRESSES for text in _show(element, name)]
        lasts = _number(element, "dns.resp.ttl") > 0
        yield _Record(_name(owner), _name(aliases[0]) if aliases else None, addresses, lasts)


def _name(text: str) -> str:
    return "" if text == "<Root>" else normal(text)


def _take(answers: Answers, packet: Packet, message: ET.Element) -> None:
    """Take a message to or from port 53."""
    questions = [_name(text) for text in _show(message, "dns.qry.name")]
    plain = len(questions) == 1 == _number(message, "dns.count.queries")
    if not plain or _number(message, "dns.flags.opcode"):
        answers.left_out += 1
        return
    names, addresses = questions, []
    if _flag(message, "dns.flags.response"):
        records = list(_records(message, "Answers"))
        for name in names:
            names += [
                each.alias
                for each in records
                if each.owner == name and each.alias is not None and each.alias not in names
            ]
        addresses = [text for each in records if each.owner in names for text in each.addresses]
        if packet.source.port == DNS_PORT:
            who = packet.mac or packet.destination.address
            for address in addresses:
                answers.told.setdefault((who, address), set()).add(names[0])
    answers.asked.update(names)
    answers.leads.update((name, address) for name in names for address in addresses)


def _take_announcement(answers: Answers, message: ET.Element) -> None:
    """Take a message of mDNS or LLMNR."""
    if not _flag(message, "dns.flags.response"):
        return
    for section in _SECTIONS:
        for record in _records(message, section):
            if record.lasts:
                answers.announced.update((record.owner, address) for address in record.addresses)
