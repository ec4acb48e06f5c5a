"""Connections of processes and what their programs have moved: never lost, never counted twice."""

import asyncio
import os
import socket
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings, strategies

from hearthwall_sensor.flows.community_id import community_id
from hearthwall_sensor.flows.flow import FlowKey
from hearthwall_sensor.kernel.process_layouts import CALLED, REFUSED, Called, Socket, Talked
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.observations import Began, Bound, Connected, Settled
from hearthwall_sensor.processes.connections import MAX_ENDED, merged
from hearthwall_sensor.processes.image import Image
from hearthwall_sensor.protocol import Flow, Program, SensorError
from hearthwall_sensor.requests import GetFlows, GetProcesses
from tests.unit.sockets import (
    CURL,
    DNS,
    EPHEMERAL,
    LAN,
    LOCAL,
    PATHS,
    PEER,
    PIDS,
    SSHD,
    Host,
    exchange,
    head,
    image,
    key,
    packed,
    sock,
)

SECOND = 10**9


def moved(socket_: Socket, sent: int, received: int, packets: int = 3, age: float = 0.0) -> Socket:
    return socket_._replace(
        last=boot_ns() - int(age * SECOND),
        sent_bytes=sent,
        received_bytes=received,
        sent_packets=packets,
        received_packets=packets if received else 0,
    )


def programs(host: Host) -> dict[str, Program]:
    return {each.executable: each for each in host.processes.programs(GetProcesses())}


def flows(host: Host, **fields: object) -> list[Flow]:
    return asyncio.run(host.processes.flows(GetFlows(**fields)))  # type: ignore[arg-type]


def test_a_connection_is_told_at_once() -> None:
    host = Host()
    host.began(1, sock(CURL, boot_ns(), local=bytes(16), port=0))
    (told,) = host.of(Connected)
    assert (told.who, told.pid, told.transport) == ("exe:/usr/bin/curl", PIDS[CURL], "tcp")
    assert (told.peer, told.peer_port, told.scope, told.is_outgoing) == (
        PEER,
        443,
        "internet",
        True,
    )
    assert (told.address, told.port) == (bytes(16), 0)
    assert flows(host) == []
    assert programs(host)["/usr/bin/curl"].connections == 1


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1"])
def test_what_stays_on_this_host_is_a_connection_and_no_flow(peer: str) -> None:
    host = Host()
    one = sock(CURL, boot_ns(), peer=packed(peer))
    host.began(1, one)
    assert [each.scope for each in host.of(Connected)] == ["gateway"]
    for _ in range(3):
        host.look([(key(1), one)])
    assert programs(host)["/usr/bin/curl"].pids == (PIDS[CURL],)
    for _ in range(3):
        host.look()
    assert host.of(Began) == []
    assert flows(host) == []
    assert programs(host)["/usr/bin/curl"].pids == ()


def test_a_flow_of_a_process() -> None:
    host = Host(name=lambda peer: "storage.vendor.example" if peer == PEER else None)
    one = moved(sock(CURL, boot_ns() - SECOND), 1_000, 2_000)
    host.look([(key(1), one)])
    (flow,) = flows(host)
    wire_key = FlowKey(bytes(6), 40000, 443, 6, 0, LOCAL, PEER)
    assert flow.community_id == community_id(wire_key)
    assert (flow.mac, flow.address, flow.port) == (None, "192.168.20.1", 40000)
    assert (flow.peer_address, flow.peer_name, flow.name_source) == (
        "203.0.113.9",
        "storage.vendor.example",
        "dns",
    )
    assert (flow.application, flow.transport, flow.scope) == ("tls", "tcp", "internet")
    assert (flow.upload_bytes, flow.download_bytes, flow.opened_by) == (1_000, 2_000, "device")
    assert (flow.outcome, flow.country, flow.as_number) == ("open", "DE", 64500)
    assert flow.process == "/usr/bin/curl"
    assert flow.process_details is not None
    assert flow.process_details.pid == PIDS[CURL]
    assert Flow.from_wire(flow.to_wire()) == flow
    host.ended(1, moved(one, 1_100, 2_200))
    (flow,) = flows(host)
    assert (flow.outcome, flow.upload_bytes) == ("closed", 1_100)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"sent_bytes": 180, "sent_packets": 3}, "no_answer"),
        (
            {"sent_bytes": 60, "sent_packets": 1, "received_bytes": 40, "received_packets": 1},
            "refused",
        ),
        (
            {"sent_bytes": 60, "sent_packets": 1, "received_bytes": 60, "received_packets": 1},
            "open",
        ),
        ({"accepted": 1, "received_bytes": 60, "received_packets": 1}, "open"),
    ],
)
def test_outcomes(fields: dict[str, int], outcome: str) -> None:
    host = Host()
    one = sock(CURL, boot_ns() - 9 * SECOND, **{"last": boot_ns() - 8 * SECOND, **fields})
    host.look([(key(1), one)])
    assert [each.outcome for each in flows(host)] == [outcome]


def test_who_opened_is_told_by_accept_and_by_ports() -> None:
    host = Host()
    accepted = moved(sock(SSHD, 5, accepted=1, port=22, peer_port=50000), 9, 9)
    served = moved(
        sock(DNS, 6, protocol=17, port=53, peer_port=50000, unconnected=1, peer=LAN), 9, 9
    )
    asks = moved(sock(DNS, 7, protocol=17, port=50000, peer_port=53, unconnected=1), 9, 9)
    host.look([(key(1), accepted)], [exchange(2, served), exchange(2, asks)])
    assert {(each.process, each.peer_port): each.opened_by for each in flows(host)} == {
        (PATHS[SSHD], 50000): "peer",
        (PATHS[DNS], 50000): "peer",
        (PATHS[DNS], 53): "device",
    }


def test_flows_are_told_when_they_begin_and_when_they_are_quiet() -> None:
    host = Host()
    one = sock(CURL, boot_ns())
    host.began(1, one)
    host.look([(key(1), one)])
    assert host.of(Began) == []
    host.look([(key(1), moved(one, 100, 100))])
    (began,) = host.of(Began)
    assert (began.who, began.flow.peer, began.flow.service) == (
        "exe:/usr/bin/curl",
        "203.0.113.9",
        "tcp/443",
    )
    assert began.flow.is_outgoing
    assert host.of(Settled) == []
    quiet = moved(one, 200, 200, age=4)
    host.look([(key(1), quiet)])
    host.look([(key(1), quiet)])
    assert [each.flow.counted.upload_bytes for each in host.of(Settled)] == [200]
    host.look([(key(1), moved(one, 300, 300, age=3.5))])
    assert [each.flow.counted.upload_bytes for each in host.of(Settled)] == [200, 300]
    assert len(host.of(Began)) == 1


def test_a_connection_between_two_looks_is_told_too() -> None:
    host = Host()
    one = sock(CURL, boot_ns() - 6 * SECOND)
    host.began(1, one)
    host.ended(1, moved(one, 10, 10, age=5))
    host.look()
    assert len(host.of(Began)) == len(host.of(Settled)) == 1
    assert programs(host)[PATHS[CURL]].upload_bytes == 10


def test_one_program_does_not_hide_the_others() -> None:
    host = Host()
    table = [(key(n), moved(sock(CURL, n + 1, port=n), 1, 1)) for n in range(3_000)]
    host.look([*table, (key(9_999), moved(sock(SSHD, 1), 1, 1))])
    began = [each.who for each in host.of(Began)]
    assert began.count("exe:/usr/bin/curl") == 2_000
    assert began.count("exe:/usr/sbin/sshd") == 1
    assert host.processes.untold == 1_000


def test_an_exchange_that_the_kernel_forgot_begins_at_nothing_again() -> None:
    host = Host()
    one = sock(DNS, 5, protocol=17, port=50000, peer_port=53, unconnected=1)
    host.look([], [exchange(1, moved(one, 100, 10))])
    host.look([], [exchange(1, moved(one, 150, 10))])
    host.look([], [exchange(1, moved(one._replace(first=9), 30, 10))])
    assert programs(host)[PATHS[DNS]].upload_bytes == 180
    assert programs(host)[PATHS[DNS]].connections == 2


def test_an_exchange_outlives_its_socket_in_the_table_and_is_counted_once() -> None:
    host = Host()
    owner = sock(DNS, 5, protocol=17, unconnected=1, peer=bytes(16), peer_port=0)
    one = moved(sock(DNS, 6, protocol=17, port=50000, peer_port=53, unconnected=1), 100, 10)
    host.look([(key(1), owner)], [exchange(1, one)])
    host.ended(1, owner)
    assert programs(host)[PATHS[DNS]].pids == ()
    for _ in range(30):
        host.look([], [exchange(1, one)])
    assert programs(host)[PATHS[DNS]].upload_bytes == 100
    assert len(flows(host)) == 1
    assert programs(host)[PATHS[DNS]].pids == ()


def test_a_table_that_is_read_with_gaps_counts_nothing_twice() -> None:
    host = Host()
    one = moved(sock(CURL, 5), 100, 10)
    host.look([(key(1), one)])
    for _ in range(5):
        host.look()
    host.look([(key(1), moved(one, 130, 10))])
    assert programs(host)[PATHS[CURL]].upload_bytes == 130
    assert programs(host)[PATHS[CURL]].connections == 1


def test_a_table_from_before_the_end_counts_nothing_twice() -> None:
    host = Host()
    one = moved(sock(CURL, 5), 100, 10)
    host.began(1, sock(CURL, 5))
    host.ended(1, one)
    host.look([(key(1), one)])
    assert programs(host)[PATHS[CURL]].upload_bytes == 100
    assert programs(host)[PATHS[CURL]].connections == 1


@dataclass
class _Model:
    """A kernel whose records arrive late, and whose tables are old when they are looked at."""

    host: Host = field(default_factory=Host)
    table: dict[int, Socket] = field(default_factory=dict)
    records: list[tuple[str, int, Socket]] = field(default_factory=list)
    old: list[tuple[bytes, Socket]] | None = None
    sent: int = 0
    began: int = 0
    #: Records that were waiting at the last look: they are read each second, and it is looked every five.
    due: int = 0

    def begin(self, _: int) -> None:
        self.began += 1
        self.table[self.began] = sock(CURL, self.began * 10, port=self.began)
        self.records.append(("began", self.began, self.table[self.began]))

    def move(self, which: int) -> None:
        if self.table:
            cookie = sorted(self.table)[which % len(self.table)]
            one = self.table[cookie]
            self.sent += which
            self.table[cookie] = moved(one, one.sent_bytes + which, 0)

    def end(self, which: int) -> None:
        if self.table:
            cookie = sorted(self.table)[which % len(self.table)]
            one = self.table.pop(cookie)
            if one.last:
                self.records.append(("ended", cookie, one))

    def deliver(self, count: int) -> None:
        for kind, cookie, one in self.records[:count]:
            getattr(self.host, kind)(cookie, one)
        del self.records[:count]
        self.due = max(self.due - count, 0)

    def read(self, _: int) -> None:
        self.old = [(key(cookie), one) for cookie, one in self.table.items()]

    def look(self, which: int) -> None:
        if self.old is None:
            self.read(0)
        self.deliver(max(which, self.due))
        self.host.look(self.old or [])
        self.old, self.due = None, len(self.records)


@settings(deadline=None, max_examples=300)
@given(
    strategies.lists(
        strategies.tuples(
            strategies.sampled_from(["begin", "move", "move", "end", "deliver", "read", "look"]),
            strategies.integers(1, 9),
        ),
        min_size=20,
        max_size=60,
    )
)
def test_totals_are_what_was_moved_in_whatever_order_it_is_told(
    steps: list[tuple[str, int]],
) -> None:
    model = _Model()
    before = 0
    for step, which in steps:
        getattr(model, step)(which)
        now = sum(each.upload_bytes for each in programs(model.host).values())
        assert before <= now <= model.sent
        before = now
    model.deliver(len(model.records))
    model.look(0)
    model.look(0)
    told = programs(model.host).values()
    assert sum(each.upload_bytes for each in told) == model.sent
    assert sum(each.connections for each in told) == model.began


def test_programs_say_with_whom_and_most_come_first() -> None:
    host = Host(name=lambda peer: "storage.example" if peer == PEER else None)
    table = [
        (key(n), moved(sock(CURL, n + 1, peer=packed(f"198.51.100.{n}"), port=n), n, n))
        for n in range(1, 20)
    ]
    table.append((key(50), moved(sock(CURL, 1, uid=33), 5_000, 5_000)))
    host.look([*table, (key(60), moved(sock(SSHD, 1), 1, 1))])
    most, least = host.processes.programs(GetProcesses())
    assert (most.executable, least.executable) == (PATHS[CURL], PATHS[SSHD])
    assert most.peers == ("storage.example", *(f"198.51.100.{n}" for n in (19, 18, 17, 16)))
    assert (most.connections, most.uids, most.pids) == (20, (0, 33), (PIDS[CURL],))
    assert len(host.processes.programs(GetProcesses(limit=1))) == 1
    with pytest.raises(SensorError):
        host.processes.programs(GetProcesses(limit=0))
    assert Program.from_wire(most.to_wire()) == most


def test_flows_are_chosen() -> None:
    host = Host(name=lambda peer: "a.vendor.example" if peer == PEER else None)
    old = moved(sock(CURL, boot_ns() - 700 * SECOND), 1, 1, age=600)
    new = moved(sock(SSHD, boot_ns(), peer=LAN, accepted=1), 1, 1)
    host.look([(key(1), old), (key(2), new)])

    def chosen(**fields: object) -> list[str | None]:
        return [each.process for each in flows(host, **fields)]

    curl, sshd = PATHS[CURL], PATHS[SSHD]
    assert chosen() == [sshd, curl]
    assert chosen(limit=1) == [sshd]
    assert chosen(process=curl) == chosen(process=f"exe:{curl}") == [curl]
    assert chosen(process="/usr/bin/cur") == []
    assert chosen(peer="192.168.20.0/24") == [sshd]
    assert chosen(peer="*.vendor.example") == [curl]
    assert chosen(since=1_700_000_000.0 - 60) == [sshd]
    assert chosen(of="devices") == chosen(devices=("00:00:5e:00:53:21",)) == []
    assert chosen(of="processes") == [sshd, curl]
    with pytest.raises(SensorError):
        chosen(limit=0)
    with pytest.raises(SensorError):
        chosen(peer="no name")


def test_a_program_in_a_container_is_another_one() -> None:
    host = Host()
    host.processes.images.add(0x400, image(CURL, container="4f1b9a6b7e0c"))
    inside = moved(sock(CURL, 5), 1, 1)._replace(image=0x400)
    host.look([(key(1), moved(sock(CURL, 6, port=1), 2, 2)), (key(2), inside)])
    found = host.processes.programs(GetProcesses())
    assert [(each.container, each.upload_bytes) for each in found] == [
        (None, 2),
        ("4f1b9a6b7e0c", 1),
    ]
    assert len(flows(host, process=f"{PATHS[CURL]}@4f1b9a6b7e0c")) == 1
    assert len(flows(host, process=PATHS[CURL])) == 2


def test_what_ended_is_bounded_and_counted() -> None:
    host = Host()
    for number in range(MAX_ENDED + 100):
        host.ended(number, moved(sock(CURL, number + 1, port=number % 60_000), 1, 1))
    assert len(flows(host, limit=2_000)) == 2_000
    assert host.processes.forgotten >= 100
    assert programs(host)[PATHS[CURL]].upload_bytes == MAX_ENDED + 100


def test_ports_that_were_chosen_are_told_and_others_not(socket_enabled: None) -> None:
    host = Host()
    server = socket.create_server(("127.0.0.1", 0))
    try:
        port = server.getsockname()[1]
        here = Image(0x500, os.getpid(), 1, 0, "/usr/bin/me", "/usr/bin/me", "", "me", 1.0)
        host.processes.images.add(0x500, here)
        host.processes._programs.bound(here, os.getpid(), 6, port, boot_ns())
        host.bound(SSHD, 22)  # whose process there is not
        host.bound(CURL, EPHEMERAL.start)
        host.bound(CURL, 0)
        assert [(each.who, each.service) for each in host.of(Bound)] == [
            ("exe:/usr/sbin/sshd", "tcp/22")
        ]
        found = programs(host)
        assert found["/usr/bin/me"].listens == (f"tcp/{port}",)
        assert found["/usr/bin/me"].pids == (os.getpid(),)
        assert found[PATHS[SSHD]].listens == ()
    finally:
        server.close()
    assert programs(host)["/usr/bin/me"].listens == ()


def test_what_a_rule_refused_is_no_connection_and_calls_are_passed_on() -> None:
    host = Host()
    calls: list[tuple[Called, Image]] = []
    host.processes.on_called = lambda record, who: calls.append((record, who))
    host.processes.take(Talked(head(REFUSED, CURL), 1, sock(CURL, 5)))
    record = Called(head(CALLED, CURL), b"data")
    host.processes.take(record)
    assert calls == [(record, host.processes.images.find(CURL))]
    assert host.told == []
    assert programs(host) == {}


def test_lists_of_flows_are_merged_by_time() -> None:
    host = Host()
    table = [(key(n), moved(sock(CURL, 1, port=n), 1, 1, age=n)) for n in range(1, 7)]
    host.look(table)
    found = flows(host)
    both = merged(found[::2], found[1::2], 5)
    assert [each.port for each in both] == [1, 2, 3, 4, 5]
