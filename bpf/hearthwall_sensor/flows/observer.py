"""Routes what packets say to those who learn from it: the same for a living network and for a capture."""

from collections.abc import Callable
from typing import Final

from ..dissect import arp, dhcp, dns, nd, ssdp
from ..identity.identities import Identities
from ..names.answered import Answered
from .flow import DOWNLOAD, SAMPLE_ARP, SAMPLE_ND, TCP, UDP, UPLOAD, FlowKey, Sample
from .labels import Label, Labels
from .observed import who
from .streams import Streams
from .witness import Witness

_DNS: Final = 53


class Observer:
    """Everything that is learnt from samples."""

    def __init__(
        self,
        identities: Identities,
        epoch: Callable[[int], float],
        *,
        labels: Labels | None = None,
        answered: Answered | None = None,
    ) -> None:
        """Take who learns about devices, and what turns a sample's time into seconds since the epoch."""
        self._identities = identities
        self._epoch = epoch
        self.labels = labels or Labels()
        self.answered = answered or Answered()
        self._streams = Streams()
        #: Told of each DNS message before anyone else, since rules on names can't wait, with what it answers (None
        #: for a question, or what can't be read); says whether that is believed. A capture has nobody to ask.
        self.on_dns: Callable[[Sample, FlowKey, dns.Answer | None], bool] = lambda *_: True
        #: Told of every name: of whom (None where it is not known), the name, its addresses, and from where.
        self.on_name: Callable[[bytes | None, str, tuple[bytes, ...], str], None] = lambda *_: None
        #: Tells detectors what samples say, if there are any.
        self.witness: Witness | None = None
        self._kinds: Final[dict[int, Callable[[Sample, FlowKey], None]]] = {
            SAMPLE_ARP: self._take_arp,
            SAMPLE_ND: self._take_nd,
        }
        self._ports: Final[dict[int, Callable[[Sample, FlowKey], bool]]] = {
            53: self._take_dns,
            67: self._take_dhcp,
            68: self._take_dhcp,
            546: self._take_dhcpv6,
            547: self._take_dhcpv6,
            1900: self._take_ssdp,
            5353: self._take_mdns,
            5355: self._take_mdns,
        }

    def take(self, sample: Sample) -> None:
        """Learn from one sample."""
        key = FlowKey.unpack(sample.key)
        special = self._kinds.get(sample.kind)
        if special is not None:
            special(sample, key)
        elif key.protocol == UDP:
            parser = self._ports.get(key.peer_port) or self._ports.get(key.port)
            if parser is None or not parser(sample, key):
                self._take_payload(sample, key)
        elif key.protocol == TCP and _DNS in (key.peer_port, key.port):
            self._take_dns_stream(sample, key)
        else:
            self._take_payload(sample, key)

    def label(self, packed: bytes, key: FlowKey, first: int) -> Label:
        """Return what is known of a flow, with the name that its device asked for if it did not say another."""
        label = self.labels.of(packed)
        if label.name is None:
            name = self.answered.name(who(key), key.peer, first)
            if name is not None:
                return label._replace(name=name, source="dns")
        return label

    def _malformed(self, kind: str) -> bool:
        """Count a packet that is not what its port says; return that it was not understood."""
        self.labels.malformed[kind] += 1
        return False

    def _take_payload(self, sample: Sample, key: FlowKey) -> None:
        """Learn from the first bytes of a flow."""
        before = self.labels.of(sample.key)
        finding = self.labels.take(sample, key)
        self._tell_of_label(sample, key, before)
        if finding.friendly_name is not None and sample.direction == UPLOAD:
            self._identities.take_upnp(key.mac, finding.friendly_name)

    def _understand(self, sample: Sample, key: FlowKey, application: str) -> None:
        """Take note of what a flow is, by a parser that understood it."""
        before = self.labels.of(sample.key)
        self.labels.set_application(sample.key, application)
        self._tell_of_label(sample, key, before)

    def _tell_of_label(self, sample: Sample, key: FlowKey, before: Label) -> None:
        """Tell what is known of a flow now and was not known before."""
        if self.witness is not None:
            now = self.labels.of(sample.key)
            if now is not before:
                self.witness.label_changed(sample, key, before, now)

    # Who is who

    def _take_arp(self, sample: Sample, key: FlowKey) -> None:
        """Learn a device's address from what it claims in ARP."""
        claim = arp.parse(sample.data)
        if claim is None:
            self._malformed("arp")
            return
        if self.witness is not None:
            self.witness.claimed_by_arp(sample, key, claim)
        if claim.mac == sample.sender:
            self._identities.take_arp(key.mac, claim.address, self._epoch(sample.time))

    def _take_nd(self, sample: Sample, key: FlowKey) -> None:
        """Learn a device's address from what it claims in neighbour discovery."""
        message = nd.parse(sample.data)
        if message is None:
            self._malformed("nd")
            return
        if self.witness is not None:
            self.witness.discovered(sample, key, message)
        self._identities.take_nd(key.mac, key.address, message, self._epoch(sample.time))

    def _take_dhcp(self, sample: Sample, key: FlowKey) -> bool:
        """Learn a device's name and address from DHCP."""
        return self._take_lease(sample, key, dhcp.parse_v4(sample.data), is_v6=False)

    def _take_dhcpv6(self, sample: Sample, key: FlowKey) -> bool:
        """Learn a device's name and addresses from DHCPv6."""
        return self._take_lease(sample, key, dhcp.parse_v6(sample.data), is_v6=True)

    def _take_lease(
        self, sample: Sample, key: FlowKey, lease: dhcp.Lease | None, *, is_v6: bool
    ) -> bool:
        """Learn what a message of either DHCP says; return whether it was one."""
        if lease is None:
            return self._malformed("dhcp")
        self._understand(sample, key, "dhcp")
        if self.witness is not None:
            self.witness.leased(sample, key, lease, is_v6=is_v6)
        self._identities.take_dhcp(lease, sample.sender, self._epoch(sample.time))
        return True

    def _take_ssdp(self, sample: Sample, key: FlowKey) -> bool:
        """Learn from a UPnP announcement or search."""
        announcement = ssdp.parse(sample.data)
        if announcement is None:
            return self._malformed("ssdp")
        self._understand(sample, key, "ssdp")
        if announcement.friendly_name is not None and sample.direction == UPLOAD:
            self._identities.take_upnp(key.mac, announcement.friendly_name)
        return True

    def _take_mdns(self, sample: Sample, key: FlowKey) -> bool:
        """Learn a device's name from what it announces."""
        announced = dns.announcements(sample.data)
        if announced is None:
            if dns.question(sample.data) is None:
                return self._malformed("mdns")
            announced = ()
        application = "llmnr" if 5355 in (key.port, key.peer_port) else "mdns"
        self._understand(sample, key, application)
        if sample.direction == UPLOAD:
            self._identities.take_mdns(key.mac, key.address, announced, self._epoch(sample.time))
            for each in announced:
                self.on_name(who(key), each.name, (each.address,), "mdns")
        return True

    # Names

    def _take_dns(self, sample: Sample, key: FlowKey) -> bool:
        """Learn from a DNS message over UDP."""
        return self._take_dns_message(sample, key, sample.data)

    def _take_dns_stream(self, sample: Sample, key: FlowKey) -> None:
        """Learn from the DNS messages that a piece of a TCP connection completes."""
        messages = self._streams.take(sample)
        if messages is None:  # no DNS, whatever the port says
            self._take_payload(sample, key)
            return
        for message in messages:
            self._take_dns_message(sample, key, message)

    def _take_dns_message(self, sample: Sample, key: FlowKey, message: bytes) -> bool:
        """Learn which name leads where, if whoever says so is believed."""
        is_client = key.peer_port == _DNS
        answer = dns.parse(message)
        believed = self.on_dns(sample, key, answer)
        if answer is not None:
            names, addresses = answer.names, tuple(address for address, _ in answer.addresses)
            if believed and is_client and sample.direction == DOWNLOAD:
                self.answered.note(who(key), names[0], addresses, sample.time)
            if self.witness is not None and is_client and sample.direction == DOWNLOAD:
                self.witness.answered(sample, key, message, answer, believed=believed)
        elif (question := dns.question(message)) is not None:
            names, addresses = (question[0],), ()
            if self.witness is not None and is_client and sample.direction == UPLOAD:
                self.witness.asked(sample, key, message, question)
        else:
            return self._malformed("dns")
        self._understand(sample, key, "dns")
        for name in names:
            self.on_name(who(key) if is_client else None, name, addresses, "dns")
        return True
