"""Holds what replay found against what tshark found, one by one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tests.capture_oracle.answers import Answers
from tests.capture_oracle.conversations import Amount, Conversation, End, Key, Traffic
from tests.capture_oracle.evidence import Evidence
from tests.capture_oracle.names import STRONGEST, Said, normal
from tests.capture_oracle.replayed import Flow, Replayed

PACKETS: Final = "packets"
CONVERSATIONS: Final = "conversations"
VIEWS: Final = "views"
AMOUNTS: Final = "bytes and packets"
COMMUNITY_IDS: Final = "community IDs"
SAID_NAMES: Final = "names in hellos and requests"
DNS_NAMES: Final = "DNS names"
DNS_ADDRESSES: Final = "DNS addresses"
MDNS_ADDRESSES: Final = "mDNS addresses"
PEER_NAMES: Final = "peers' names from DNS"

#: What is compared, and by which rule.
CHECKS: Final = {
    PACKETS: "packets in the file, and those that belong to no conversation",
    CONVERSATIONS: "by protocol, addresses and ports; of ICMP type and the type of its answer",
    VIEWS: "of two devices that talk with each other each has a flow",
    AMOUNTS: "per conversation and direction: lengths as captured on the wire (frame.len)",
    COMMUNITY_IDS: "version 1, seed 0, per conversation",
    SAID_NAMES: "per conversation: the strongest of TLS's and QUIC's server name, then HTTP's Host",
    DNS_NAMES: "every name asked for over UDP and TCP, and its aliases",
    DNS_ADDRESSES: "every address that an answer gives to such a name, HTTPS and SVCB hints included",
    MDNS_ADDRESSES: "every address that a host announces over mDNS and LLMNR",
    PEER_NAMES: "a flow without a better name has one that its device asked for, if it did",
}
#: What tshark and replay are known to see differently on purpose.
RULES: Final = (
    "Fragments are not put together: a later one has no ports, and its Community ID none either.",
    "IP counts where the link carries it, behind two VLAN tags at most; IP in a tunnel is the tunnel's.",
    "Where tshark speaks of a tunnel's inside or says nothing, Community ID is the oracle's own.",
    "TLS and HTTP name a connection that begins with them: STARTTLS, proxies and later requests need not.",
    "QUIC is versions 1 and 2; others need not be read.",
    "Where a segment is missing or QUIC's pieces are not in order, a name that tshark misses is not judged.",
    "Where tshark finds no name and replay does, it is told to read the ports as replay does, in pieces too.",
    "An address in the place of a name names nobody.",
    "A name is the server's, whoever it is: the flow's peer, or the device itself.",
    "A frame to a group of MACs reaches no device: only its sender's flow has it.",
    "A device that is seen with several MACs in one conversation has all of it taken together.",
    "A conversation has one name in replay: of several that tshark sees in it, each is right.",
    "What is no printable ASCII in a name is compared as one ? for all of it that stands together.",
    "DNS is what goes to or from port 53 with one question; mDNS and LLMNR are 5353 and 5355.",
)

_STRONG: Final = frozenset(source for sources in STRONGEST for source in sources)


class Row(NamedTuple):
    """One comparison."""

    check: str
    subject: str
    tshark: str
    replay: str
    agrees: bool


def _row(check: str, subject: object, tshark: object, replay: object) -> Row:
    return Row(check, str(subject), str(tshark), str(replay), tshark == replay)


def compare(evidence: Evidence, replayed: Replayed) -> Iterator[Row]:
    """Yield every comparison."""
    yield from _packets(evidence.traffic, replayed)
    yield from _flows(evidence, replayed)
    yield from _names(evidence.answers, replayed)
    yield from _peer_names(evidence, replayed.flows)


def _packets(traffic: Traffic, replayed: Replayed) -> Iterator[Row]:
    yield _row(PACKETS, "read", traffic.packets, replayed.counted.get("packets"))
    left_out = sum(
        count
        for cause, count in replayed.counted.items()
        if cause in ("not_ip", "too_short") or cause.startswith("link_type_")
    )
    yield _row(PACKETS, "left out", sum(traffic.left_out.values()), left_out)


def _flows(evidence: Evidence, replayed: Replayed) -> Iterator[Row]:
    """Compare conversation by conversation, each view of it."""
    views: dict[Key, dict[End, list[Flow]]] = defaultdict(lambda: defaultdict(list))
    for flow in replayed.flows:
        views[flow.key][flow.device].append(flow)
    conversations = evidence.traffic.conversations
    for key in sorted(conversations.keys() | views.keys(), key=str):
        known, seen = conversations.get(key), views.get(key, {})
        yield _row(CONVERSATIONS, key, "seen" if known else "none", "seen" if seen else "none")
        if known is None:
            continue
        if not known.to_group:
            yield from _views(key, seen, replayed.devices)
        for device, same in seen.items():
            yield from _amounts(key, known, device, same)
            said = evidence.names.said.get(key, Said())
            if not (known.to_group.keys() & said.clients and device not in said.clients):
                yield from _said(key, said, device, same)
            for flow in same:
                yield _row(
                    COMMUNITY_IDS, key, " and ".join(sorted(known.ids)), flow.community_id
                )._replace(agrees=flow.community_id in known.ids)


def _views(key: Key, seen: dict[End, list[Flow]], devices: frozenset[str]) -> Iterator[Row]:
    """Compare whose flows there are: a peer that is a device as well must have its own."""
    wanted = set(seen) | {
        flow.peer
        for flows in seen.values()
        for flow in flows
        if flow.is_peer_at_home and flow.peer.address in devices
    }
    if len(wanted) > 1:
        both, found = (", ".join(sorted(map(str, each))) for each in (wanted, seen))
        yield _row(VIEWS, key, both, found)


def _amounts(key: Key, known: Conversation, device: End, flows: list[Flow]) -> Iterator[Row]:
    """Compare both directions."""
    peer = key.low if device == key.high else key.high
    up = _total(flow.upload for flow in flows)
    down = _total(flow.download for flow in flows)
    if device == peer:  # it talks to itself: there is one direction, seen once or from both sides
        up, down = Amount(up.packets + down.packets, up.size + down.size), Amount()
        sent = known.sent[device]
        if up == Amount(2 * sent.packets, 2 * sent.size):
            up = sent
    for source, found in ((device, up), (peer, down)):
        if device == peer and source is peer and found is down:
            continue
        sent = known.sent.get(source, Amount())
        lost = known.to_group.get(source, Amount())
        if source is peer and found == Amount(sent.packets - lost.packets, sent.size - lost.size):
            sent = found
        view = f"{key}, sent by {source}, seen from {device.address}"
        yield _row(AMOUNTS, view, _amount(sent), _amount(found))


def _total(ways: Iterable[tuple[int, int]]) -> Amount:
    total = Amount()
    for size, packets in ways:
        total.add(size, packets)
    return total


def _amount(amount: Amount) -> str:
    return f"{amount.size} bytes in {amount.packets}"


def _said(key: Key, said: Said, device: End, flows: list[Flow]) -> Iterator[Row]:
    """Compare the name that a conversation itself gives."""
    if said.is_unknown:
        return
    sources, names = said.best()
    told = [flow for flow in flows if flow.source in _STRONG]
    if not names and not told:
        return
    mine = "peer" if device in said.clients else "device"
    found = {
        (flow.source or "", whose, normal(name, 10))
        for flow in told
        for whose, name in (("peer", flow.name), ("device", flow.served_as))
        if name is not None
    }
    theirs = (
        f"{' or '.join(s for s in sources if s in said.names)} {' or '.join(dict.fromkeys(names))}"
    )
    yield Row(
        SAID_NAMES,
        f"{key}, seen from {device.address}",
        f"{theirs} of the {mine}" if names else "none",
        " and ".join(f"{source} {name} of the {whose}" for source, whose, name in sorted(found))
        or "none",
        bool(found)
        and all(
            whose == mine
            and ((source in sources and name in names) or (source, name) in said.others)
            for source, whose, name in found
        ),
    )


def _names(answers: Answers, replayed: Replayed) -> Iterator[Row]:
    """Compare names and where they lead, as sets."""
    told = [(normal(name, 10), address, source) for name, address, source in replayed.names]
    asked = {name for name, _, source in told if source == "dns"}
    pairs = {
        source: {(name, address) for name, address, each in told if each == source and address}
        for source in ("dns", "mdns")
    }
    for check, theirs, ours in (
        (DNS_NAMES, {(name,) for name in answers.asked}, {(name,) for name in asked}),
        (DNS_ADDRESSES, answers.leads, pairs["dns"]),
        (MDNS_ADDRESSES, answers.announced, pairs["mdns"]),
    ):
        for item in sorted(theirs | ours):
            yield _row(
                check,
                " = ".join(item) or ".",
                "told" if item in theirs else "none",
                "told" if item in ours else "none",
            )


def _peer_names(evidence: Evidence, flows: Iterable[Flow]) -> Iterator[Row]:
    """Compare the names of peers that come from DNS with what the flow's own device was told."""
    addresses: dict[str, set[str]] = defaultdict(set)
    for flow in flows:
        addresses[flow.mac or flow.device.address].add(flow.device.address)
    for flow in flows:
        who = flow.mac or flow.device.address
        told = {
            name
            for each in (who, *addresses[who])
            for name in evidence.answers.told.get((each, flow.peer.address), ())
        }
        name = None if flow.name is None else normal(flow.name, 10)
        if flow.source not in _STRONG and (told or name is not None):
            yield Row(
                PEER_NAMES,
                f"{flow.key}, seen from {flow.device.address}",
                " or ".join(sorted(told)) or "none",
                name or "none",
                name in told,
            )
