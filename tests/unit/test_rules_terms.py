"""Orders against the table of what each mode needs, takes and is for."""

import typing
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.commands.rules import parse_amount
from hearthwall_sensor.kernel import layouts
from hearthwall_sensor.modes import (
    ALLOWANCES,
    AUDITABLE,
    DIRECTIONS,
    FIELDS,
    MAX_PEERS,
    MODES,
    TERMS,
    TRANSPORTS,
    Allowance,
    Direction,
    Mode,
)
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import AddBlock
from hearthwall_sensor.rules.terms import Agreed, check, check_place
from hearthwall_sensor.targets import parse_peer, parse_target

MAC, WEB, HOME, DOMAIN = "00:00:5e:00:53:21", "203.0.113.10", "192.168.20.21", "example.org"


def agreed(**order: Any) -> Agreed:
    whole = AddBlock(**({"target": MAC} | order))
    return check(whole, parse_target(whole.target))


def refused(**order: Any) -> str:
    with pytest.raises(SensorError) as error:
        agreed(**order)
    assert error.value.code in (
        "invalid_mode",
        "invalid_target",
        "invalid_duration",
        "invalid_message",
    )
    return error.value.message


def test_tables_agree_with_each_other() -> None:
    assert set(TERMS) == set(MODES) == set(typing.get_args(Mode))
    assert {field for terms in TERMS.values() for field in terms.fields} == set(FIELDS)
    assert set(layouts.MODES) == set(MODES) - {"audit"}
    assert set(layouts.HOOKS) == set(DIRECTIONS) == set(typing.get_args(Direction))
    assert set(layouts.ALLOWANCES) == set(ALLOWANCES) == set(typing.get_args(Allowance))
    assert set(layouts.TRANSPORTS) == set(TRANSPORTS)
    assert set(AUDITABLE) < set(MODES)


#: Enough of an order for each mode.
ENOUGH: dict[str, dict[str, Any]] = {
    "isolate": {},
    "no_internet": {},
    "allow_only": {"peers": (WEB,)},
    "rate_limit": {"bytes_per_second": 125_000},
    "audit": {},
    "redirect": {"redirect_to": "trap"},
}


@pytest.mark.parametrize("mode", MODES)
def test_usual_allowances_are_the_modes_and_none_for_a_service(mode: Mode) -> None:
    expected = TERMS[mode].allow
    assert agreed(mode=mode, **ENOUGH[mode]).allow == expected
    assert agreed(mode=mode, port=80, **ENOUGH[mode]).allow == ()
    assert agreed(mode=mode, transport="icmp", **ENOUGH[mode]).allow == ()
    assert agreed(mode=mode, allow=(), **ENOUGH[mode]).allow == ()
    chosen = ("home_assistant", "dns", "dns")
    assert agreed(mode=mode, allow=chosen, **ENOUGH[mode]).allow == ("dns", "home_assistant")


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_needs_its_fields_and_takes_no_others(mode: Mode) -> None:
    values = {
        "peers": (WEB,),
        "bytes_per_second": 125_000,
        "packets_per_second": 10,
        "redirect_to": "trap",
        "audits": "isolate",
    }
    for field, value in values.items():
        if field in TERMS[mode].fields:
            agreed(mode=mode, **{field: value})
        else:
            assert field in refused(mode=mode, **(ENOUGH[mode] | {field: value}))
    if TERMS[mode].fields and TERMS[mode].needs:
        message = refused(mode=mode)
        assert all(field in message for field in TERMS[mode].fields)


def test_an_audit_takes_what_the_audited_mode_takes() -> None:
    assert agreed(mode="audit").audits == "isolate"
    audit = agreed(mode="audit", audits="allow_only", peers=(WEB,))
    assert (audit.audits, audit.allow, audit.peers) == ("allow_only", ("addressing", "dns"), (WEB,))
    assert "peers" in refused(mode="audit", audits="allow_only")
    assert "peers" in refused(mode="audit", peers=(WEB,))
    for mode in set(MODES) - set(AUDITABLE):
        assert "counts for" in refused(mode="audit", audits=mode)
    assert agreed(mode="isolate").audits is None


@pytest.mark.parametrize("mode", MODES)
def test_modes_for_the_home_are_refused_elsewhere(mode: Mode) -> None:
    order = AddBlock(WEB, mode=mode, **ENOUGH[mode])
    if TERMS[mode].home_only:
        with pytest.raises(SensorError, match="hosts of the home"):
            check_place(order, parse_target(WEB), lambda _: False)
    else:
        check_place(order, parse_target(WEB), lambda _: False)
    check_place(order, parse_target(HOME), lambda _: True)
    check_place(order, parse_target(MAC), lambda _: False)
    if mode in AUDITABLE and TERMS[mode].home_only:
        audit = AddBlock(WEB, mode="audit", audits=mode, **ENOUGH[mode])
        with pytest.raises(SensorError, match="hosts of the home"):
            check_place(audit, parse_target(WEB), lambda _: False)


@pytest.mark.parametrize("mode", MODES)
def test_domains_take_isolate_and_audit_of_it(mode: Mode) -> None:
    if mode in ("isolate", "audit"):
        assert agreed(target=DOMAIN, mode=mode).allow == ()
        assert agreed(target=f"*.{DOMAIN}", mode=mode, direction="from_lan").allow == ()
    else:
        assert "a domain takes" in refused(target=DOMAIN, mode=mode, **ENOUGH[mode])


PROCESSES = ("exe:/usr/bin/foo", "dir:/opt/app", "pid:7")


@pytest.mark.parametrize("target", PROCESSES)
@pytest.mark.parametrize("mode", MODES)
def test_processes_take_isolate_allow_only_and_audit_of_either(mode: Mode, target: str) -> None:
    if TERMS[mode].processes:
        order = AddBlock(target, mode=mode, children=True, **ENOUGH[mode])
        assert agreed(target=target, mode=mode, children=True, **ENOUGH[mode]).allow == ()
        check_place(order, parse_target(target), lambda _: False)
    else:
        assert "processes take" in refused(target=target, mode=mode, **ENOUGH[mode])
    assert agreed(target=target, mode="audit", audits="allow_only", peers=(WEB,)).peers == (WEB,)
    assert "processes take" in refused(target=target, mode="audit", audits="no_internet")


@pytest.mark.parametrize("target", PROCESSES)
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"transport": "tcp"}, "leave --transport away"),
        ({"port": 80}, "leave --port away"),
        ({"direction": "to_lan"}, "leave --direction away"),
        ({"allow": ("dns",)}, "leave allow away"),
        ({"mode": "allow_only", "peers": ("example.org",)}, "addresses and prefixes"),
        ({"mode": "allow_only", "peers": (WEB, "*.example.org")}, "addresses and prefixes"),
        ({"peers": (WEB,)}, "isolate takes no peers"),
        ({"bytes_per_second": 2000}, "takes no bytes_per_second"),
        ({"redirect_to": "trap"}, "takes no redirect_to"),
    ],
)
def test_what_processes_do_not_take(target: str, order: dict[str, Any], said: str) -> None:
    assert said in refused(target=target, **order)


@pytest.mark.parametrize("target", [MAC, WEB, "203.0.113.0/24", DOMAIN])
def test_only_processes_have_children(target: str) -> None:
    assert "leave --children away" in refused(target=target, children=True)


@pytest.mark.parametrize(
    "order",
    [
        {"target": DOMAIN, "port": 80},
        {"target": DOMAIN, "transport": "tcp"},
        {"target": DOMAIN, "direction": "from_wan"},
        {"target": DOMAIN, "allow": ("dns",)},
        {"target": DOMAIN, "mode": "audit", "audits": "no_internet"},
        {"direction": "from_wan"},
        {"transport": "icmp", "port": 80},
        {"port": 0},
        {"port": 65536},
        {"mode": "rate_limit", "bytes_per_second": 999},
        {"mode": "rate_limit", "bytes_per_second": 10**12},
        {"mode": "rate_limit", "packets_per_second": 0},
        {"mode": "allow_only", "peers": (MAC,)},
        {"mode": "allow_only", "peers": ("0.0.0.0/0",)},
        {"mode": "allow_only", "peers": ("no peer",)},
        {"mode": "allow_only", "peers": (*tuple(f"10.0.{i}.1" for i in range(256)), WEB)},
        {"reason": "a\nb"},
        {"duration": -1.0},
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(order: dict[str, Any]) -> None:
    assert 15 < len(refused(**order)) < 250


def test_peers_are_canonical_and_named_once() -> None:
    peers = (
        " 203.0.113.77/24",
        "203.0.113.0/24",
        "2001:DB8::0/64",
        "Example.ORG.",
        "224.0.0.251/32",
    )
    assert agreed(mode="allow_only", peers=peers).peers == (
        "203.0.113.0/24",
        "2001:db8::/64",
        "example.org",
        "224.0.0.251",
    )
    many = tuple(f"10.0.{i}.1" for i in range(MAX_PEERS))
    assert agreed(mode="allow_only", peers=many * 2).peers == many


@given(text=st.text(max_size=60))
def test_any_text_is_a_peer_or_an_error(text: str) -> None:
    try:
        peer = parse_peer(text)
    except SensorError as error:
        assert error.code == "invalid_target"  # noqa: PT017
        return
    assert parse_peer(peer) == peer


@pytest.mark.parametrize(
    ("text", "number"), [("1500", 1500), ("125k", 125_000), ("2M", 2_000_000), ("1G", 10**9)]
)
def test_amounts(text: str, number: int) -> None:
    assert parse_amount(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5M", "2m", "2Mbit", "\u0663k", "9" * 13])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(SensorError):
        parse_amount(text)
