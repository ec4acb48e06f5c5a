"""The protocol reads what people and programs write, and nothing else."""

import dataclasses
import json
import typing
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor import modes, protocol
from hearthwall_sensor.commands import display
from hearthwall_sensor.errors import ERRORS
from hearthwall_sensor.kernel import layouts
from hearthwall_sensor.protocol import (
    Block,
    Delta,
    Device,
    DeviceRule,
    Hello,
    SensorError,
    Snapshot,
    Traffic,
)
from hearthwall_sensor.requests import REQUESTS, AddBlock, read_request
from hearthwall_sensor.targets import TARGET_KINDS, TargetKind, parse_duration, parse_target

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
BLOCK = Block(
    1,
    "00:00:5e:00:53:21",
    "mac",
    "isolate",
    ("addressing",),
    "",
    1.5,
    None,
    None,
    0,
    0,
    None,
    None,
    None,
)
DEVICE = Device(
    mac="00:00:5e:00:53:21",
    addresses=("192.168.20.21",),
    hostname=None,
    vendor=None,
    randomised=False,
    interface="camera",
    first_seen=1.0,
    last_seen=2.0,
    upload_bytes=1,
    download_bytes=2,
    upload_packets=3,
    download_packets=4,
    upload_rate=0.5,
    download_rate=0.25,
    by_scope={"internet": Traffic(1, 2, 3, 4)},
    rule=DeviceRule(1, "isolate", None),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00:00:5e:00:53:21", "00:00:5e:00:53:21"),
        (" 00-00-5E-00-53-21 ", "00:00:5e:00:53:21"),
        ("00005e005321", "00:00:5e:00:53:21"),
        ("192.168.1.1", "192.168.1.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("::ffff:192.168.1.1", "192.168.1.1"),
        ("192.168.1.77/24", "192.168.1.0/24"),
        ("192.168.1.77/32", "192.168.1.77"),
        ("2001:DB8:1::/48", "2001:db8:1::/48"),
        ("Example.ORG.", "example.org"),
        ("*.b\u00fccher.example", "*.xn--bcher-kva.example"),
    ],
)
def test_targets_are_canonical(text: str, value: str) -> None:
    assert parse_target(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "00:00-5e:00:53:21",
        "0000:5e00:5321",
        "1.2.3",
        "1.2.3.4/7",
        "2001::/15",
        "com",
        "*.com",
        "-a.example",
        "a..example",
        "https://example.org/",
        "\u0660\u0660:00:5e:00:53:21",
        "1" * 99,
    ],
)
def test_what_is_no_target_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SensorError) as error:
        parse_target(text)
    assert error.value.code == "invalid_target"
    assert len(error.value.message) < 200


@given(text=st.text(max_size=60))
def test_any_text_is_a_target_or_an_error(text: str) -> None:
    try:
        target = parse_target(text)
    except SensorError:
        return
    assert parse_target(target.value) == target


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604800), ("1.5", 1.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "-1s", "1w", "1e3", "nan", "inf", "400d", "1 h", "\u0663s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(SensorError) as error:
        parse_duration(text)
    assert error.value.code == "invalid_duration"


@pytest.mark.parametrize(
    "message", [BLOCK, DEVICE, Delta(3, devices=(DEVICE,), blocks=(BLOCK,), removed_blocks=(4,))]
)
def test_messages_survive_the_wire(message: Any) -> None:
    assert type(message).from_wire(json.loads(json.dumps(message.to_wire()))) == message


@pytest.mark.parametrize("kind", TARGET_KINDS)
def test_a_rule_on_every_kind_of_target_survives_the_wire(kind: TargetKind) -> None:
    block = dataclasses.replace(BLOCK, kind=kind)
    assert Block.from_wire(block.to_wire()) == block


@pytest.mark.parametrize("kind", [None, "", "exec", 1, []])
def test_no_kind_of_target_is_refused(kind: Any) -> None:
    with pytest.raises(SensorError) as raised:
        Block.from_wire(BLOCK.to_wire() | {"kind": kind})
    assert raised.value.code == "invalid_message"


def test_answers_may_gain_fields_and_requests_may_not() -> None:
    assert Block.from_wire(BLOCK.to_wire() | {"invented_later": 1}) == BLOCK
    with pytest.raises(SensorError) as error:
        read_request({"id": 1, "type": "block", "target": "1.2.3.4", "invented_later": 1})
    assert error.value.code == "invalid_message"


def test_no_request_has_a_field_that_the_message_around_it_has() -> None:
    for each in REQUESTS.values():
        assert not {"id", "type"} & {field.name for field in dataclasses.fields(each)}


@given(wire=JSON)
def test_any_json_is_a_request_or_an_error(wire: Any) -> None:
    with pytest.raises(SensorError):
        read_request(wire)


@given(
    kind=st.sampled_from(sorted(REQUESTS)),
    fields=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
)
def test_any_fields_make_a_request_or_an_error(kind: str, fields: dict[str, Any]) -> None:
    try:
        identity, request = read_request(fields | {"id": 1, "type": kind})
    except SensorError:
        return
    assert (identity, type(request)) == (1, REQUESTS[kind])


@given(wire=JSON)
@pytest.mark.parametrize("kind", [Snapshot, Delta, Device, Block, Hello])
def test_any_json_is_an_answer_or_an_error(kind: Any, wire: Any) -> None:
    with pytest.raises(SensorError):
        kind.from_wire(wire)


@pytest.mark.parametrize(("least", "most", "agreed"), [(1, 1, 1), (1, 9, 1)])
def test_highest_common_schema(least: int, most: int, agreed: int) -> None:
    assert Hello("1", least, most).schema() == agreed


@pytest.mark.parametrize(("least", "most", "newer"), [(2, 3, "sensor"), (0, 0, "client")])
def test_no_common_schema_says_who_is_too_new(least: int, most: int, newer: str) -> None:
    with pytest.raises(SensorError, match=f"the {newer} is too new"):
        Hello("1", least, most).schema()


def test_tables_agree_with_each_other() -> None:
    assert {*layouts.MODES, "audit"} == set(modes.MODES) == set(typing.get_args(modes.Mode))
    assert set(layouts.ALLOWANCES) == set(modes.ALLOWANCES) == set(typing.get_args(modes.Allowance))
    assert set(layouts.HOOKS) == set(modes.DIRECTIONS) == set(typing.get_args(modes.Direction))
    assert set(layouts.TRANSPORTS) == set(typing.get_args(modes.Transport))
    assert set(protocol.EVENT_KINDS) == set(typing.get_args(protocol.EventKind))
    assert all(text and not text.endswith(".") for text in ERRORS.values())
    assert {each.name for each in dataclasses.fields(AddBlock)} >= {
        "target",
        "mode",
        "duration",
        "reason",
    }


def test_nothing_that_others_wrote_reaches_the_terminal_raw() -> None:
    hostile = BLOCK.to_wire() | {"reason": "\x1b[2J\x07evil\u202e"}
    shown = display.blocks([hostile])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "evil" in shown
