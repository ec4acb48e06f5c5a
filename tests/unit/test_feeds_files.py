"""What feeds keep on disk: the file of names, the last good copies, and the state. Damage is found, never believed."""

import asyncio
import io
import json
import logging
import random
from pathlib import Path

import pytest

from hearthwall_sensor.feeds import copies, domains_file, formats, state
from hearthwall_sensor.feeds.copies import Copy
from hearthwall_sensor.feeds.domains_file import DamagedError, DomainsFile
from hearthwall_sensor.feeds.entries import Entries, name_hash
from hearthwall_sensor.feeds.state import State
from hearthwall_sensor.feeds.subscription import Subscription
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import AddFeed

KEY = b"0123456789abcdef"


def entries(text: str, form: str) -> Entries:
    return formats.read(io.BytesIO(text.encode()), form, name_hash(KEY))[1]


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "domains.bin"
    hosts = entries("0.0.0.0 exact.example\n0.0.0.0 both.example", "hosts")
    domains = entries("below.example\nboth.example\na.b.c.example", "domains")
    assert domains_file.write(path, KEY, [(0, hosts.names), (31, domains.names)]) == 5
    return path


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("exact.example", 1),
        ("EXACT.example.", 1),
        ("www.exact.example", 0),
        ("below.example", 1 << 31),
        ("www.below.example", 1 << 31),
        ("a.very.long.way.below.example", 1 << 31),
        ("notbelow.example", 0),
        ("both.example", 1 | 1 << 31),
        ("www.both.example", 1 << 31),
        ("b.c.example", 0),
        ("example", 0),
        ("", 0),
        (".", 0),
        ("x" * 3000, 0),
        ("\0\u00fc..", 0),
        ("=exact.example", 0),
    ],
)
def test_a_name_is_found_with_what_is_above_it(names: Path, name: str, mask: int) -> None:
    file = DomainsFile(names)
    assert len(file) == 5
    assert file.match(name) == mask
    file.close()


def test_no_names_match_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none"
    domains_file.write(path, KEY, [])
    file = DomainsFile(path)
    assert file.match("a.example") == 0
    file.close()


def test_a_new_file_takes_the_old_ones_place_while_that_is_open(names: Path) -> None:
    before = DomainsFile(names)
    domains_file.write(names, KEY, [(3, entries("new.example", "domains").names)])
    assert before.match("below.example") == 1 << 31
    after = DomainsFile(names)
    assert (after.match("new.example"), after.match("below.example")) == (8, 0)
    before.close()
    after.close()


def test_names_are_hashed_with_a_key_of_their_own(names: Path) -> None:
    body = names.read_bytes()
    assert b"example" not in body
    domains_file.write(names, b"another key 1234", [(0, entries("x.example", "domains").names)])
    assert DomainsFile(names).match("x.example") == 0


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "header", "long"])
def test_a_damaged_file_of_names_is_refused(names: Path, damage: str) -> None:
    body = names.read_bytes()
    names.write_bytes(
        {
            "empty": b"",
            "cut": body[:-5],
            "flip": body[:-1] + bytes([body[-1] ^ 1]),
            "header": body[:20],
            "long": body + b"x" * 12,
        }[damage]
    )
    with pytest.raises(DamagedError):
        DomainsFile(names)


def a_copy(text: str = "203.0.113.0/24\n2001:db8::/32\nnonsense") -> Copy:
    return Copy("/list", "auto", "addresses", entries(text, "addresses"), {"ETag": '"1"'}, 12.5)


def test_a_copy_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.feed"
    copies.write(path, a_copy(), KEY)
    found = copies.read(path, KEY, pytest.fail)
    assert found is not None
    assert (found.source, found.format, found.validators, found.updated) == (
        "/list",
        "addresses",
        {"ETag": '"1"'},
        12.5,
    )
    assert found.entries.ipv4 == a_copy().entries.ipv4
    assert found.entries.ipv6 == a_copy().entries.ipv6
    assert found.entries.invalid.shown == ["nonsense"]
    assert copies.read(tmp_path / "none", KEY, pytest.fail) is None


def test_a_damaged_copy_is_set_aside_and_the_one_before_it_used(tmp_path: Path) -> None:
    path = tmp_path / "a.feed"
    copies.write(path, a_copy("203.0.113.1"), KEY)
    copies.write(path, a_copy("203.0.113.2"), KEY)
    rng = random.Random(7)
    body = bytearray(path.read_bytes())
    for _ in range(40):
        body[rng.randrange(len(body))] ^= 255
    path.write_bytes(body)
    said: list[str] = []
    found = copies.read(path, KEY, said.append)
    assert found is not None
    assert found.entries.ipv4 == a_copy("203.0.113.1").entries.ipv4
    assert len(said) == 1
    assert (tmp_path / "a.feed.damaged").exists()
    assert copies.read(path, b"another key 1234", said.append) is None  # nor by another key


def subscription(name: str = "drop", slot: int = 0, identity: int = 1) -> Subscription:
    return Subscription(
        identity, slot, name, "https://lists.example/a", "auto", "drop", 86400.0, None
    )


def test_the_state_survives_and_a_damaged_one_does_not_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = State({"drop": subscription()}, KEY, 2)
    asyncio.run(state.write(tmp_path, kept))
    assert state.read(tmp_path) == kept
    asyncio.run(state.write(tmp_path, State({}, KEY, 2)))
    file = tmp_path / state.STATE_FILE
    file.write_text(file.read_text()[:-9])
    with caplog.at_level(logging.WARNING):
        assert state.read(tmp_path) == kept
    assert "set aside" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"slot": 32},
        {"slot": -1},
        {"id": 5},
        {"name": "../x"},
        {"source": "ftp://x"},
        {"action": "burn"},
        {"interval": 1.0},
        {"header_file": "/etc/shadow"},
        {"checked": "yes"},
    ],
)
def test_a_state_that_somebody_wrote_is_read_as_strictly_as_an_order(
    tmp_path: Path, change: dict[str, object]
) -> None:
    asyncio.run(state.write(tmp_path, State({"drop": subscription()}, KEY, 2)))
    file = tmp_path / state.STATE_FILE
    wire = json.loads(file.read_text())
    wire["feeds"][0] |= change
    file.write_text(json.dumps(wire))
    assert state.read(tmp_path).feeds == {}


def test_a_feed_is_due_after_its_interval_and_sooner_after_a_failure() -> None:
    feed = subscription()
    assert feed.due(1000.0) == 0
    at = {"checked": 1000.0}
    replaced = Subscription.from_wire(feed.to_wire() | at)
    assert replaced.due(1000.0) == 86400
    assert replaced.due(90000.0) == 0
    assert replaced.due(900.0) == 0  # the clock was set back
    waits = [
        Subscription.from_wire(feed.to_wire() | at | {"failures": n}).due(1000.0)
        for n in (1, 2, 3, 30)
    ]
    assert waits == [300, 600, 1200, 86400]


@pytest.mark.parametrize(
    "order",
    [
        AddFeed("", "/x"),
        AddFeed("a" * 41, "/x"),
        AddFeed("../etc", "/x"),
        AddFeed("A", "/x"),
        AddFeed("a", "x"),
        AddFeed("a", "ftp://lists.example/x"),
        AddFeed("a", "https:///x"),
        AddFeed("a", "https://user:secret@lists.example/"),
        AddFeed("a", "https://lists.example:99999/"),
        AddFeed("a", "https://lists.example/a b"),
        AddFeed("a", "https://lists.example/\x1b"),
        AddFeed("a", "https://lists.example/" + "a" * 3000),
        AddFeed("a", "/x", format="rpz"),
        AddFeed("a", "/x", interval=60.0),
        AddFeed("a", "/x", interval=1e9),
        AddFeed("a", "/x", header_file="/k.header"),
        AddFeed("a", "http://lists.example/", header_file="/k.header"),
        AddFeed("a", "https://lists.example/", header_file="k.header"),
        AddFeed("a", "https://lists.example/", header_file="/etc/shadow"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(order: AddFeed) -> None:
    from hearthwall_sensor.feeds.subscription import check  # noqa: PLC0415

    with pytest.raises(SensorError) as refused:
        check(order)
    assert refused.value.code == "invalid_feed"
    assert "secret@" not in refused.value.message
