"""DNS tunnels by the names that tools make, and what looks like them."""

import base64
import itertools
import random
import uuid
from collections.abc import Iterator

import pytest

from hearthwall_sensor.detectors import dns_tunnel
from hearthwall_sensor.detectors.dns_tunnel import DnsTunnel
from hearthwall_sensor.flows.flow import UDP
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Answered, Asked, Began, Settled
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, LAPTOP, NOON, flow, home, packed, told

A, NULL, TXT, SRV = 1, 10, 16, 33
SERVER = packed("192.0.2.53")


def asked(names: Iterator[str], every: float, kind: int, seconds: float) -> list[Asked]:
    """Return questions at a pace."""
    times = itertools.takewhile(lambda at: at < seconds, itertools.count(0.0, every))
    return [
        Asked(NOON + at, CAMERA, name, kind, SERVER, len(name) + 40)
        for at, name in zip(times, names, strict=False)
    ]


@pytest.fixture(autouse=True)
def _every_name_has_a_bit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: dict[object, int] = {}
    monkeypatch.setattr(
        dns_tunnel, "hash", lambda each: numbers.setdefault(each, len(numbers)), raising=False
    )


def _of(rng: random.Random, characters: str, size: int) -> str:
    return "".join(rng.choices(characters, k=size))


def iodine(rng: random.Random, size: int = 180) -> Iterator[str]:
    """Names in base32 of up to 63 characters a label."""
    while True:
        data = _of(rng, "abcdefghijklmnopqrstuvwxyz012345", rng.randint(10, size))
        yield ".".join(data[at : at + 57] for at in range(0, len(data), 57)) + ".t.bad.example"


def dnscat2(rng: random.Random) -> Iterator[str]:
    while True:
        yield _of(rng, "0123456789abcdef", rng.choice((34, 34, 34, 58, 118))) + ".c2.example"


def dns2tcp(rng: random.Random) -> Iterator[str]:
    for number in itertools.count():
        head = base64.b64encode(rng.randbytes(3) + number.to_bytes(4, "big")).decode().rstrip("=")
        yield f"{head.lower()}.dns2tcp.example"


def run(observations: list[Asked], factor: DevicePolicy | None = None) -> list[Notice]:
    return told(DnsTunnel(home(policy=factor)), observations)


@pytest.mark.parametrize(
    ("names", "every", "kind", "within"),
    [
        (iodine(random.Random(1)), 0.3, NULL, 30),
        (iodine(random.Random(2)), 0.1, TXT, 30),
        (iodine(random.Random(3), 14), 1.0, 65_399, 30),
        (iodine(random.Random(4)), 0.5, A, 30),
        (dnscat2(random.Random(5)), 1.0, TXT, 30),
        (dnscat2(random.Random(6)), 0.9, A, 30),
        (dns2tcp(random.Random(7)), 0.5, TXT, 30),
        (dns2tcp(random.Random(8)), 5.0, TXT, 600),
        (iodine(random.Random(9)), 5.0, A, 600),
        (iodine(random.Random(10)), 12.0, SRV, 600),
    ],
)
def test_tools_are_named_in_time(
    names: Iterator[str], every: float, kind: int, within: float
) -> None:
    notices = run(asked(names, every, kind, within))
    assert notices
    first = notices[0]
    assert (first.kind, first.severity, first.mac) == ("dns_tunnel", "high", CAMERA)
    assert first.subject.startswith("domain ")
    assert "example" in first.summary
    assert first.evidence["value"] >= first.evidence["threshold"]


def test_a_tunnel_without_a_domain_is_one() -> None:
    rng = random.Random(1)
    names = (f"dnscat.{_of(rng, '0123456789abcdef', 36)}" for _ in itertools.count())
    (first, *_) = run(asked(names, 1.0, TXT, 30))
    assert first.subject == "names without a domain"


def test_a_tunnel_that_goes_on_is_told_again_once_a_minute() -> None:
    notices = run(asked(iodine(random.Random(1)), 0.5, NULL, 300))
    assert len(notices) == 5
    assert len({each.subject for each in notices}) == 1


# What is no tunnel


def cdn(rng: random.Random) -> Iterator[str]:
    """Shards and hashes of a video site, and a few dozen of them."""
    hosts = [f"r{n}---sn-{_of(rng, 'abcdefghij0123456789', 8)}" for n in range(60)]
    while True:
        yield rng.choice(hosts) + ".video.example"


def trackers(rng: random.Random) -> Iterator[str]:
    """A name for each page, with a hash of 32 digits."""
    while True:
        yield f"{_of(rng, '0123456789abcdef', 32)}.safeframe.ads.example"


def blocklists(rng: random.Random) -> Iterator[str]:
    while True:
        yield ".".join(str(rng.randint(1, 254)) for _ in range(4)) + ".zen.list.example"


def blocklists_v6(rng: random.Random) -> Iterator[str]:
    while True:
        yield ".".join(_of(rng, "0123456789abcdef", 32)) + ".list6.example"


def antivirus(rng: random.Random) -> Iterator[str]:
    while True:
        yield f"{_of(rng, '0123456789abcdef', 40)}.{_of(rng, '0123456789abcdef', 20)}.t.sophosxl.net"


def reverse(rng: random.Random) -> Iterator[str]:
    while True:
        yield ".".join(str(rng.randint(1, 254)) for _ in range(4)) + ".in-addr.arpa"


def bonjour(rng: random.Random) -> Iterator[str]:
    while True:
        yield f"{uuid.UUID(int=rng.getrandbits(128))}._homekit._tcp.local"


def services(rng: random.Random) -> Iterator[str]:
    while True:
        yield f"_service{rng.randint(0, 999)}._tcp.site{rng.randint(0, 99)}.corp.example"


def browsing(rng: random.Random) -> Iterator[str]:
    """Three hundred domains, each with a few hosts."""
    while True:
        yield f"{rng.choice(('www', 'cdn', 'static'))}.site{rng.randint(0, 300)}.example"


def telemetry(rng: random.Random) -> Iterator[str]:
    """The same few random labels all day."""
    hosts = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(8)]
    while True:
        yield rng.choice(hosts) + ".telemetry.example"


def single(rng: random.Random) -> Iterator[str]:
    """What browsers ask for to see whether somebody answers for everything: no domain, and short."""
    while True:
        yield _of(rng, "abcdefghijklmnopqrstuvwxyz", 12)


@pytest.mark.parametrize(
    ("names", "every", "kind"),
    [
        (cdn(random.Random(1)), 0.2, A),
        (trackers(random.Random(1)), 4.0, A),
        (blocklists(random.Random(1)), 0.1, A),
        (blocklists(random.Random(1)), 0.1, TXT),
        (blocklists_v6(random.Random(1)), 0.1, A),
        (antivirus(random.Random(1)), 0.5, TXT),
        (reverse(random.Random(1)), 0.1, 12),
        (bonjour(random.Random(1)), 0.5, SRV),
        (services(random.Random(1)), 0.5, SRV),
        (browsing(random.Random(1)), 0.1, A),
        (telemetry(random.Random(1)), 0.3, A),
        (telemetry(random.Random(1)), 0.3, TXT),
        (single(random.Random(1)), 1.0, A),
    ],
)
def test_what_is_no_tunnel(names: Iterator[str], every: float, kind: int) -> None:
    assert run(asked(names, every, kind, 900)) == []


def test_a_page_that_tests_for_leaks_is_over_within_seconds() -> None:
    rng = random.Random(1)
    names = (f"{_of(rng, 'abcdefghij0123456789', 40)}.leaks.example" for _ in range(79))
    assert run(asked(names, 0.1, A, 15)) == []


# Each number of a pattern, a little below and at it


@pytest.mark.parametrize(("count", "found"), [(14, 0), (15, 1)])
def test_fast_odd_names(count: int, found: int) -> None:
    assert len(run(asked(itertools.islice(dnscat2(random.Random(3)), count), 2, TXT, 60))) == found


@pytest.mark.parametrize(("count", "found"), [(39, 0), (40, 1)])
def test_slow_odd_names(count: int, found: int) -> None:
    names = itertools.islice(dnscat2(random.Random(3)), count)
    assert len(run(asked(names, 14, TXT, 600))) == found


@pytest.mark.parametrize(("count", "found"), [(23, 0), (24, 1)])
def test_fast_addresses(count: int, found: int) -> None:
    rng = random.Random(1)
    names = (f"{_of(rng, '0123456789abcdef', 34)}.t.example" for _ in range(count))
    assert len(run(asked(names, 1, A, 60))) == found


@pytest.mark.parametrize(("count", "found"), [(79, 0), (80, 1)])
def test_slow_addresses(count: int, found: int) -> None:
    rng = random.Random(1)
    names = (f"{_of(rng, '0123456789abcdef', 40)}.t.example" for _ in range(count))
    assert len(run(asked(names, 7, A, 600))) == found


@pytest.mark.parametrize(
    ("size", "every", "kind", "found"),
    [
        (7, 1, TXT, False),
        (8, 1, TXT, True),
        (33, 1, A, False),
        (34, 1, A, True),
        (39, 7, A, False),
        (40, 7, A, True),
    ],
)
def test_characters(size: int, every: float, kind: int, found: bool) -> None:
    rng = random.Random(2)
    names = (f"{_of(rng, 'abcdefghijklmnop', size)}.t.example" for _ in itertools.count())
    # The constant "t" counts for the first name only
    assert bool(run(asked(names, every, kind, 60 if every == 1 else 580))) is found


def test_labels_that_stay_carry_nothing() -> None:
    names = (f"x{n}.{'a' * 60}.{'b' * 60}.t.example" for n in itertools.count())
    assert run(asked(names, 0.5, TXT, 300)) == []


def test_a_few_odd_types_among_many_addresses_are_no_tunnel() -> None:
    rng = random.Random(1)
    mixed = [
        each._replace(kind=TXT if number % 3 == 0 else A)
        for number, each in enumerate(
            asked((_of(rng, "abcdefghij", 12) + ".e.example" for _ in range(500)), 1, A, 500)
        )
    ]
    assert run(mixed) == []


def test_old_questions_are_forgotten() -> None:
    assert run(asked(dnscat2(random.Random(1)), 16, TXT, 7200)) == []


def test_sensitivity_moves_the_numbers() -> None:
    questions = asked(itertools.islice(dnscat2(random.Random(3)), 10), 1, TXT, 60)
    assert run(questions) == []
    assert run(questions, DevicePolicy(sensitivity="high"))
    many = asked(itertools.islice(dnscat2(random.Random(3)), 20), 1, TXT, 60)
    assert run(many)
    assert run(many, DevicePolicy(sensitivity="low")) == []


def test_answers_are_evidence() -> None:
    observations = []
    for each in asked(dnscat2(random.Random(1)), 1, TXT, 30):
        observations += [
            each,
            Answered(each.time + 0.1, CAMERA, each.name, TXT, (), SERVER, 200),
        ]
    notice = told(DnsTunnel(home()), observations)[0]
    assert notice.evidence["answer_bytes"] >= 200 * 10
    assert notice.evidence["without_address"] >= 10
    assert notice.evidence["question_bytes"] > 0
    assert notice.evidence["entropy"] > 3


def test_flows_to_other_resolvers_are_no_evidence() -> None:
    flows = [
        Began(NOON, CAMERA, flow(peer, 53, protocol=UDP)) for peer in ("192.0.2.53", "192.0.2.99")
    ]
    notice = told(DnsTunnel(home()), [*flows, *asked(dnscat2(random.Random(1)), 1, TXT, 30)])[0]
    assert [each["peer_address"] for each in notice.evidence["flows"]] == ["192.0.2.53"]
    assert notice.evidence["server"] == "192.0.2.53"


# Something else than DNS on DNS's port


@pytest.mark.parametrize(
    ("packets", "size", "scope", "found"),
    [
        (50, 250, "internet", 1),
        (49, 250, "internet", 0),
        (50, 249, "internet", 0),
        (5000, 90, "internet", 0),
        (500, 800, "lan", 0),
    ],
)
def test_packets_too_fat_for_dns(packets: int, size: int, scope: str, found: int) -> None:
    fat = flow(port=53, protocol=UDP, up=packets * size, packets=(packets, packets), scope=scope)
    notices = told(DnsTunnel(home()), [Settled(NOON, CAMERA, fat)])
    assert len(notices) == found
    assert all(each.evidence["flows"] for each in notices)


# Bounds


def test_a_million_names_stay_within_bounds_and_hide_no_tunnel() -> None:
    detector = DnsTunnel(home())
    handlers = detector.handlers()
    rng = random.Random(1)
    tunnel = dnscat2(rng)
    found = []
    for number in range(60_000):
        at = NOON + number / 50
        junk = Asked(at, CAMERA, f"a{number}.b{number}.example", A, SERVER, 60)
        found += handlers[Asked](junk)
        if number % 50 == 0:
            found += handlers[Asked](junk._replace(name=next(tunnel), kind=TXT))
    assert {each.subject for each in found} == {"domain c2.example"}
    device = detector._devices.of(CAMERA, NOON)
    assert len(device.domains) <= dns_tunnel._MAX_DOMAINS == 64
    for number in range(2 * dns_tunnel._MAX_DEVICES):
        list(handlers[Asked](Asked(at, f"10.0.0.{number}", "a.b.example", A, SERVER, 60)))
    assert len(detector._devices) <= dns_tunnel._MAX_DEVICES == 256


def test_a_domains_steps_are_bounded() -> None:
    detector = DnsTunnel(home())
    told(detector, asked(iodine(random.Random(1)), 0.5, NULL, 3600))
    (domain,) = detector._devices.of(CAMERA, NOON).domains.values()
    assert len(domain.steps) <= 20
    assert domain.names == sum(each.names for each in domain.steps)
    assert all(each.bits < 2**dns_tunnel._BITS for each in domain.steps)


def test_a_forgotten_device_begins_anew() -> None:
    detector = DnsTunnel(home())
    questions = asked(dnscat2(random.Random(1)), 1, TXT, 24)
    handlers = detector.handlers()
    for each in questions[:12]:
        assert list(handlers[Asked](each)) == []
    detector.forget(CAMERA)
    assert not any(list(handlers[Asked](each)) for each in questions[12:])


def test_devices_do_not_add_up() -> None:
    questions = asked(dnscat2(random.Random(1)), 1, TXT, 24)
    split = [
        each._replace(who=LAPTOP if number % 2 else CAMERA) for number, each in enumerate(questions)
    ]
    assert run(split) == []
