"""The file of rules: what it keeps comes back, what is damaged is set aside, time goes on while nobody looks."""

import asyncio
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor import files
from hearthwall_sensor.notation import boot_ns
from hearthwall_sensor.rules import file as rules_file
from hearthwall_sensor.rules.rule import DOMAIN_SLOTS, Rule

SECOND = 10**9
PLAIN = Rule(
    id=3,
    target="00:00:5e:00:53:21",
    kind="mac",
    mode="isolate",
    allow=("addressing", "dns"),
    reason="why",
    created=1.5,
    ordered=7,
    subject=2,
)
EVERY = [
    PLAIN,
    dataclasses.replace(
        PLAIN,
        id=4,
        transport="tcp",
        port=443,
        mode="allow_only",
        peers=("203.0.113.0/24", "a.example"),
    ),
    dataclasses.replace(
        PLAIN,
        id=5,
        target="203.0.113.0/24",
        kind="ipv4_network",
        subject=5,
        mode="rate_limit",
        bytes_per_second=125_000,
        packets_per_second=9,
        direction="to_lan",
    ),
    dataclasses.replace(
        PLAIN,
        id=6,
        target="*.example.org",
        kind="domain",
        subject=6,
        slot=40,
        mode="audit",
        audits="isolate",
    ),
    dataclasses.replace(
        PLAIN,
        id=10,
        target="exe:/usr/bin/python3.11",
        kind="exe",
        subject=10,
        slot=40,
        asked="exe:/usr/bin/python3",
        children=True,
        mode="allow_only",
        peers=("203.0.113.0/24",),
    ),
    dataclasses.replace(PLAIN, id=11, target="dir:/opt/\\xff", kind="dir", subject=11, slot=0),
    dataclasses.replace(
        PLAIN, id=12, target="pid:7", kind="pid", subject=12, slot=63, started=9, program="/x y"
    ),
    dataclasses.replace(
        PLAIN,
        id=8,
        target="2001:db8::1",
        kind="ipv6",
        subject=8,
        mode="redirect",
        redirect_to="trap",
        instead_of=dataclasses.replace(
            *(PLAIN,),
            id=7,
            target="2001:db8::1",
            kind="ipv6",
            subject=8,
            mode="rate_limit",
            expires=99,
        ),
    ),
]


def write(path: Path, rules: list[Rule], next_id: int = 13) -> None:
    asyncio.run(rules_file.write(path, rules, next_id))


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.json"


def test_rules_of_every_kind_come_back(path: Path) -> None:
    write(path, EVERY)
    assert rules_file.read(path)[:3] == (EVERY, 13, 0)
    assert path.stat().st_mode & 0o077 == 0


def test_no_file_is_no_rule(path: Path) -> None:
    assert rules_file.read(path)[:3] == ([], 1, 0)


def test_format_1_is_read(path: Path) -> None:
    """As the version before wrote it: one rule on each target, without what came later."""
    old = {
        "id": 3,
        "target": "00:00:5e:00:53:21",
        "kind": "mac",
        "mode": "no_internet",
        "allow": ["addressing"],
        "reason": "why",
        "created": 1.5,
        "ordered": 7,
        "expires": None,
        "confirm_by": None,
    }
    write(path, [])
    change(path, format=1, rules=[old], next_id=4)
    assert rules_file.read(path)[:3] == (
        [dataclasses.replace(PLAIN, mode="no_internet", allow=("addressing",), subject=3)],
        4,
        0,
    )


DAMAGE: list[Any] = [
    {"format": 10**6},
    {"next_id": "x"},
    {"rules": [{}]},
    {"rules": [dataclasses.asdict(PLAIN)] * 2},
    *(
        {"rules": [dataclasses.asdict(PLAIN) | fields]}
        for fields in (
            {"id": 0},
            {"id": 2**32},
            {"id": "3"},
            {"mode": "sh out"},
            {"mode": "audit"},
            {"audits": "isolate"},
            {"port": 65536},
            {"transport": "SCTP"},
            {"direction": 6},
            {"peers": ["no peer"]},
            {"target": "255.255.255.255"},
            {"expires": 2**63},
            {"slot": DOMAIN_SLOTS.start},
            {"target": "a.example"},
            {"children": True},
            {"started": 1},
            {"asked": "exe:/bin/sh"},
            {"target": "exe:/bin/sh"},
            {"target": "exe:/bin/../sh", "slot": 1},
            {"target": "exe:/bin/sh", "slot": 64},
            {"target": "exe:/bin/sh", "slot": 1, "mode": "no_internet"},
            {"target": "exe:/bin/sh", "slot": 1, "transport": "tcp"},
            {"target": "exe:/bin/sh", "slot": 1, "peers": ["a.example"]},
            {"target": "exe:/bin/sh", "slot": 1, "asked": "dir:/bin"},
            {"target": "pid:7", "slot": 1},
            {"target": "pid:7", "slot": 1, "started": 1, "program": "a\nb"},
            {"target": "pid:7", "slot": 1, "started": "now"},
        )
    ),
    {
        "rules": [
            dataclasses.asdict(EVERY[3]) | {"slot": slot} for slot in (0, 31, DOMAIN_SLOTS.stop)
        ]
    },
    {
        "rules": [
            dataclasses.asdict(PLAIN),
            dataclasses.asdict(PLAIN) | {"id": 4, "port": 1, "subject": 9},
        ]
    },
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_set_aside_and_the_one_before_used(
    path: Path, damage: dict[str, Any]
) -> None:
    write(path, EVERY)
    write(path, [PLAIN])
    change(path, **damage)
    assert rules_file.read(path)[:3] == (EVERY, 13, 1)
    assert path.with_name("rules.json.damaged").exists()
    assert not path.exists()


NEWER: list[tuple[dict[str, Any], str]] = [
    ({"mode": "quarantine"}, "mode quarantine"),
    ({"mode": "audit", "audits": "quarantine"}, "audits quarantine"),
    ({"kind": "vlan", "target": "vlan:7"}, "kind vlan"),
    ({"transport": "sctp"}, "transport sctp"),
    ({"direction": "within"}, "direction within"),
    ({"allow": ["addressing", "printing"]}, "allowance printing"),
    ({"schedule": "mon-fri"}, "field schedule"),
    ({"instead_of": dataclasses.asdict(PLAIN) | {"mode": "quarantine"}}, "mode quarantine"),
]


@pytest.mark.parametrize(("says", "told"), NEWER)
def test_what_a_newer_version_says_is_no_damage_and_drops_no_other_rule(
    path: Path, says: dict[str, Any], told: str
) -> None:
    write(path, EVERY)
    later = dataclasses.asdict(PLAIN) | {"id": 20, "target": "00:00:5e:00:53:44", "subject": 20}
    change(path, rules=[*map(dataclasses.asdict, EVERY), later | says], next_id=21)
    before = path.read_bytes()
    assert rules_file.read(path) == (EVERY, 21, 0, told)
    assert rules_file.newer(path) == f"rules.json ({told})"
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["rules.json"]


def test_what_a_newer_version_does_not_say_is_left_out(path: Path) -> None:
    write(path, [PLAIN])
    change(
        path, rules=[dataclasses.asdict(PLAIN) | {"schedule": None, "days": [], "urgent": False}]
    )
    assert rules_file.read(path) == ([PLAIN], 13, 0, None)
    assert rules_file.newer(path) is None


def test_a_newer_format_is_left_alone(path: Path) -> None:
    write(path, EVERY)
    change(path, format=3, rules={"all": "otherwise"})
    before = path.read_bytes()
    assert rules_file.read(path) == ([], 13, 0, "format 3, not 2")
    assert rules_file.newer(path) == "rules.json (format 3, not 2)"
    assert path.read_bytes() == before


@given(content=st.binary(max_size=80))
def test_any_content_is_rules_or_damage(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "rules.json"
    path.write_bytes(content)
    assert rules_file.read(path)[:3] == ([], 1, 1)


def test_ids_are_never_given_again(path: Path) -> None:
    """Counters are found by them."""
    write(path, EVERY, 2)
    assert rules_file.read(path).next_id == 13


def test_time_goes_on_while_the_host_is_off(path: Path) -> None:
    now = boot_ns()
    lasting = dataclasses.replace(PLAIN, expires=now + 100 * SECOND, confirm_by=now + 50 * SECOND)
    write(path, [lasting])
    assert rules_file.read(path).rules == [lasting]
    change(path, boot_id="another", saved=time.time() - 30, saved_since_boot=now + 5000 * SECOND)
    (rule,) = rules_file.read(path).rules
    assert rule.expires is not None
    assert rule.confirm_by is not None
    # Of the other boot's clock the rule was over 5,000 s ago when it was saved, and 30 s have gone since.
    assert rule.expires - now == pytest.approx((100 - 5000 - 30) * SECOND, abs=5 * SECOND)
    assert rule.expires - rule.confirm_by == 50 * SECOND
    assert rule.ordered == 0
    change(path, saved=time.time() + 9999)  # the clock stands before the save
    (rule,) = rules_file.read(path).rules
    assert rule.expires is not None
    assert rule.expires - now == pytest.approx((100 - 5000) * SECOND, abs=5 * SECOND)


def test_previous_is_kept(path: Path) -> None:
    write(path, [PLAIN])
    write(path, EVERY)
    path.unlink()
    assert rules_file.read(path)[:3] == ([PLAIN], 13, 0)
    assert files.previous(path).exists()


def test_processes_do_not_survive_a_reboot_and_programs_do(path: Path) -> None:
    write(path, EVERY)
    assert {"exe", "dir", "pid"} <= {each.kind for each in rules_file.read(path).rules}
    change(path, boot_id="another")
    kept = {each.kind for each in rules_file.read(path).rules}
    assert {"exe", "dir"} <= kept
    assert "pid" not in kept
