"""Responses: off unless the policy says so, through the guard, never twice, bounded, and never against the attacked."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hearthwall_sensor.kinds import KINDS, EventKind
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Answered, Observation, Settled
from hearthwall_sensor.policy.blame import Blame
from hearthwall_sensor.policy.policy import Answer, Response
from hearthwall_sensor.policy.resolvers import SeenServers
from hearthwall_sensor.policy.responding import MOST_IN_A_MINUTE, MOST_STANDING, Responder
from hearthwall_sensor.protocol import MAX_REASON, SensorError
from hearthwall_sensor.requests import AddBlock
from hearthwall_sensor.rules.rule import Rule
from hearthwall_sensor.targets import parse_target
from tests.devices import CAMERA
from tests.unit.observed import LAPTOP, NOON, PLUG, flow, packed

PEER, RESOLVER = "203.0.113.9", "198.51.100.53"

#: Of these alone the peer is the trouble itself; of all others it may be a victim, or anybody.
TROUBLES = frozenset(
    (
        *("threat_address", "threat_domain", "forbidden_protocol", "unexpected_destination"),
        *("beacon", "dns_tunnel"),
    )
)


def notice(kind: EventKind = "port_scan", **fields: Any) -> Notice:
    said: dict[str, Any] = {"mac": CAMERA, "peer_address": PEER, "summary": "camera did it."}
    return Notice(kind, "high", **({"evidence": {}} | said | fields))


def response(action: Answer = "quarantine", duration: float = 600.0) -> Response:
    return Response(None, "high", action, duration)


def rule(target: str, **fields: Any) -> Rule:
    about = parse_target(target)
    made = Rule(1, about.value, about.kind, "isolate", (), "", 0.0, 0, 1)
    return replace(made, **fields)


class Gateway:
    """Takes orders as the sensor does, and has rules."""

    def __init__(self, strangers: frozenset[str] = frozenset()) -> None:
        self.rules: list[Rule] = []
        self.orders: list[AddBlock] = []
        self.error: SensorError | None = None
        blame = Blame(
            lambda address: address.startswith("192.168."),
            lambda address: address == RESOLVER,
            lambda mac: mac not in strangers,
        )
        self.responder = Responder(self.rules, blame)
        self.responder.order = self.order

    async def order(self, order: AddBlock, guard: Any) -> None:
        await asyncio.sleep(0)
        guard(parse_target(order.target), order)
        if self.error is not None:
            raise self.error
        self.orders.append(order)
        self.rules.append(rule(order.target))

    async def respond(self, *told: tuple[Notice, Response]) -> list[AddBlock]:
        for each in told:
            self.responder.respond(*each)
        while self.responder._task is not None and not self.responder._task.done():
            await asyncio.sleep(0)
        return self.orders


async def test_a_quarantine_is_a_rule_on_the_device_with_end_and_reason() -> None:
    gateway = Gateway()
    (order,) = await gateway.respond((notice(), response()))
    assert order == AddBlock(CAMERA, duration=600.0, reason="port_scan: camera did it.")
    assert (order.mode, order.force) == ("isolate", False)
    assert gateway.responder.counted == {"done": 1}


async def test_none_is_nothing() -> None:
    gateway = Gateway()
    assert await gateway.respond((notice(), response("none"))) == []
    assert not gateway.responder.counted


@pytest.mark.parametrize(
    ("told", "target"),
    [
        (notice("beacon"), PEER),
        (notice("unexpected_destination", subject="domain new.example"), PEER),
        (notice("threat_domain", subject="domain bad.example", peer_address=None), "bad.example"),
        (notice("threat_domain", subject="domain bad.example"), "bad.example"),
        (notice("port_scan", evidence={"blame": "peer"}), PEER),
        *((notice(kind), PEER) for kind in KINDS if kind in TROUBLES),
    ],
)
async def test_a_peer_is_blocked_by_its_address_or_the_name_on_a_feed(
    told: Notice, target: str
) -> None:
    (order,) = await Gateway().respond((told, response("block_peer")))
    assert order.target == target


@pytest.mark.parametrize(
    ("process", "evidence", "target"),
    [
        ("/usr/bin/foo", {}, "exe:/usr/bin/foo"),
        ("/tmp/\\x0a", {"pid": 7}, "exe:/tmp/\\x0a"),
        ("/usr/bin/bash", {"stops": "process", "pid": 7}, "pid:7"),
        ("/usr/bin/foo@0123456789ab", {"pid": 7}, "pid:7"),
    ],
)
async def test_a_program_is_cut_off_by_its_path_or_as_one_process_with_what_it_starts(
    process: str, evidence: dict[str, Any], target: str
) -> None:
    told = notice("exec_and_connect", mac=None, process=process, evidence=evidence)
    (order,) = await Gateway().respond((told, response("block_process")))
    assert (order.target, order.mode, order.force) == (target, "isolate", False)
    assert order.children is target.startswith("pid:")


@pytest.mark.parametrize(
    ("process", "evidence"),
    [
        (None, {}),
        ("/usr/bin/foo@0123456789ab", {}),
        ("/usr/bin/foo", {"blame": "peer"}),
        ("/usr/bin/bash", {"stops": "process", "pid": 1}),
    ],
)
async def test_a_program_that_no_rule_can_be_on_is_refused_and_counted(
    process: str | None, evidence: dict[str, Any]
) -> None:
    gateway = Gateway()
    told = notice("exec_and_connect", mac=None, process=process, evidence=evidence)
    assert await gateway.respond((told, response("block_process"))) == []
    assert gateway.responder.counted == {"refused": 1}


@pytest.mark.parametrize(
    "told",
    [
        notice("beacon", peer_address="192.168.1.7"),
        notice("beacon", peer_address=None),
        notice("beacon", peer_address="224.0.0.1"),
        *(notice(kind) for kind in KINDS if kind not in TROUBLES),
        *(notice(kind, evidence={"blame": "device"}) for kind in KINDS),
        notice("flood", evidence={"blame": "unknown"}),
        notice("forbidden_protocol", peer_address=RESOLVER),
        notice("dns_tunnel", subject="domain tunnel.example", peer_address="9.9.9.9"),
        notice("threat_domain", subject="domain nonsense", peer_address=PEER),
    ],
)
async def test_whom_nobody_should_block_is_refused_and_counted(told: Notice) -> None:
    gateway = Gateway()
    assert await gateway.respond((told, response("block_peer"))) == []
    assert gateway.responder.counted == {"refused": 1}


def answered(who: str, at: float = NOON) -> Answered:
    return Answered(at, who, "a.example", 1, (), packed(PEER), 60)


@pytest.mark.parametrize(
    ("seen", "is_blocked"),
    [
        ([answered(LAPTOP)], False),
        ([Settled(NOON, LAPTOP, flow(PEER, 853))], False),
        ([answered(CAMERA)], True),  # its accomplice
        ([Settled(NOON, LAPTOP, flow(PEER, 853, outcome="no_answer"))], True),
        ([Settled(NOON, LAPTOP, flow(PEER, 443))], True),
        ([answered(LAPTOP), *(answered(CAMERA, NOON + at) for at in (60, 86_401))], True),
    ],
)
async def test_a_device_cannot_get_the_dns_server_of_others_blocked(
    seen: list[Observation], is_blocked: bool
) -> None:
    gateway = Gateway()
    for each in seen:
        gateway.responder.blame.take(each)
    told = notice("forbidden_protocol"), response("block_peer")
    assert bool(await gateway.respond(told)) is is_blocked


def test_a_device_that_was_just_invented_makes_no_resolver() -> None:
    told, servers = notice("beacon"), Gateway(frozenset((LAPTOP,))).responder.blame
    servers.take(answered(LAPTOP))
    assert servers.peer(told) == PEER
    servers.take(answered(PLUG))
    assert servers.peer(told) is None


def test_servers_that_are_remembered_are_bounded_for_each_device() -> None:
    servers = SeenServers()
    servers.take(answered(LAPTOP))
    for number in range(5000):
        server = packed(f"10.0.{number >> 8}.{number & 255}")
        servers.take(answered(CAMERA)._replace(server=server))
    assert servers.is_used(PEER, CAMERA)
    assert all(len(each) <= 8 for _, each in servers._devices)


@pytest.mark.parametrize(
    "told",
    [
        notice(evidence={"blame": "peer"}),  # the device was only scanned
        notice("address_conflict", evidence={"blame": "unknown"}),
        notice("flood", mac=None, address=PEER),
        notice("flood", mac=None, address=None),
    ],
)
async def test_who_is_not_to_blame_is_not_quarantined(told: Notice) -> None:
    gateway = Gateway()
    assert await gateway.respond((told, response())) == []
    assert gateway.responder.counted == {"refused": 1}
    known = notice("flood", mac=None, address="192.168.1.7")
    assert await gateway.respond((known, response()))


async def test_the_guard_s_refusal_is_counted_and_the_next_one_goes_on() -> None:
    gateway = Gateway()
    gateway.error = SensorError("protected_target")
    assert await gateway.respond((notice(), response())) == []
    assert gateway.responder.counted == {"refused": 1}
    gateway.error = None
    assert len(await gateway.respond((notice(), response()))) == 1


async def test_never_twice_while_the_rule_stands() -> None:
    gateway = Gateway()
    told = (notice(), response())
    assert len(await gateway.respond(told, told)) == 1
    assert len(await gateway.respond(told)) == 1
    assert gateway.responder.counted == {"done": 1, "standing": 2}
    gateway.rules[0] = replace(gateway.rules[0], expires=boot_ns() - 1)
    assert len(await gateway.respond(told)) == 2


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ({}, True),
        ({"mode": "no_internet"}, True),
        ({"mode": "rate_limit"}, False),
        ({"mode": "audit"}, False),
        ({"transport": "tcp"}, False),
    ],
)
async def test_the_user_s_own_rule_is_not_replaced_by_one_that_ends(
    fields: dict[str, Any], stays: bool
) -> None:
    gateway = Gateway()
    gateway.rules.append(rule(CAMERA, **fields))
    assert bool(await gateway.respond((notice(), response()))) is not stays


async def test_a_rule_that_comes_while_the_order_waits_stays() -> None:
    gateway = Gateway()
    gateway.responder.respond(notice(), response())
    gateway.rules.append(rule(CAMERA, mode="no_internet"))
    assert await gateway.respond() == []
    assert gateway.responder.counted == {"refused": 1}


async def test_a_storm_of_events_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, now = Gateway(), [1000.0]
    monkeypatch.setattr("hearthwall_sensor.policy.responding.time.monotonic", lambda: now[0])
    told = [
        (notice("beacon", peer_address=f"203.0.113.{n}"), response("block_peer"))
        for n in range(1, 31)
    ]
    assert len(await gateway.respond(*told)) == MOST_IN_A_MINUTE
    assert gateway.responder.counted == {"done": MOST_IN_A_MINUTE, "suppressed": 20}
    now[0] += 61
    assert len(await gateway.respond(told[-1])) == MOST_IN_A_MINUTE + 1


async def test_invented_devices_use_up_only_what_is_for_such(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("hearthwall_sensor.policy.responding.time.monotonic", lambda: now[0])
    invented = [f"02:00:00:00:00:{number:02x}" for number in range(24)]
    gateway = Gateway(frozenset(invented))
    await gateway.respond(*((notice(mac=each), response()) for each in invented))
    await gateway.respond((notice(mac=None, address="192.168.1.7"), response()))
    assert len(gateway.orders) == MOST_IN_A_MINUTE
    assert (await gateway.respond((notice(), response())))[-1].target == CAMERA
    assert gateway.responder.counted["suppressed"] == 15
    assert sum("too many responses" in each for each in caplog.messages) == 1
    now[0] += 60
    await gateway.respond(*((notice(mac=each), response()) for each in invented))
    assert any("15 not done" in each for each in caplog.messages)


async def test_responses_leave_room_for_the_user_s_rules() -> None:
    gateway = Gateway()
    answers = [
        rule(f"198.51.100.{number}", reason="beacon: It calls.", expires=boot_ns() + 10**12)
        for number in range(MOST_STANDING)
    ]
    gateway.rules += [*answers[1:], rule("198.51.101.1"), replace(answers[0], copy_of=7)]
    assert len(await gateway.respond((notice(), response()))) == 1
    gateway.rules[-1] = answers[0]
    assert len(await gateway.respond((notice("beacon"), response("block_peer")))) == 1
    assert gateway.responder.counted["suppressed"] == 1


async def test_a_response_that_finds_no_room_on_the_disk_is_made_up_for_what_is_left_of_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearthwall_sensor.policy.responding.RETRY", 0.02)
    gateway = Gateway()
    gateway.error = SensorError("storage_failed")
    told = notice(), response(duration=60.0)
    gateway.responder.respond(*told)
    await asyncio.sleep(0.1)
    gateway.responder.respond(*told)
    assert gateway.responder.counted == {"standing": 1}
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    gateway.error = None
    await asyncio.sleep(0.1)
    (order,) = gateway.orders
    assert order.duration is not None
    assert 50 < order.duration < 60
    gateway.error = SensorError("storage_failed")
    gateway.responder.respond(notice(mac=LAPTOP), response(duration=0.05))
    await asyncio.wait_for(gateway.respond(), 5.0)
    assert gateway.responder.counted["refused"] == 1
    gateway.responder.respond(notice(mac=PLUG), response())
    await asyncio.sleep(0.01)
    await asyncio.wait_for(gateway.responder.stop(), 5.0)


async def test_a_slow_storm_is_bounded_too() -> None:
    gateway = Gateway()
    for number in range(1, 31):
        told = notice("beacon", peer_address=f"203.0.113.{number}")
        await gateway.respond((told, response("block_peer")))
    assert gateway.responder.counted == {"done": MOST_IN_A_MINUTE, "suppressed": 20}


async def test_orders_that_wait_for_a_slow_disk_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway, now = Gateway(), [1000.0]
    monkeypatch.setattr("hearthwall_sensor.policy.responding.time.monotonic", lambda: now[0])
    for number in range(1, 31):
        now[0] += 61
        told = notice("beacon", peer_address=f"203.0.113.{number}")
        gateway.responder.respond(told, response("block_peer"))
    assert len(await gateway.respond()) == MOST_IN_A_MINUTE


async def test_a_reason_is_one_that_an_order_may_have() -> None:
    (order,) = await Gateway().respond((notice(summary="evil\x1b[2J\n" + "x" * 900), response()))
    assert len(order.reason) == MAX_REASON
    assert order.reason.isprintable()


async def test_nothing_is_done_after_the_end() -> None:
    gateway = Gateway()
    gateway.responder.respond(notice(), response())
    await gateway.responder.stop()
    assert gateway.orders == []
